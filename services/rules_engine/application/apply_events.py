"""Hear: a batch of events becomes belief, and belief becomes plans; each account is judged once a batch.

Facts commute, so the order inside the batch does not matter and a repeated batch changes nothing. A fact that
cannot be folded is parked and its account goes on. An account whose footing is what it was before is not judged anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.cadence.account import FactEvent, apply_fact
from services.cadence.account.codec import AccountState, decode, encode
from services.cadence.account.issued import ONLY_ISSUED, apply_issued
from services.cadence.account.issued import TYPES as ISSUED
from services.cadence.evaluation import SNAPSHOT_EVENT_TYPES, health_snapshot, is_unaffected
from services.rules_engine.application.ports import Work
from services.rules_engine.application.replan_account import (
    EvaluationContext,
    Moment,
    holds,
    record,
    replan_account,
)
from services.rules_engine.domain.account import (
    Account,
    IncomingEvent,
    NewPlan,
    Parked,
    Receipt,
    ReceiptState,
    Tally,
)

DIRECTORY_FIELDS = frozenset(
    {
        "name", "timezone", "language", "country", "industry", "csm_id", "pool",
        "contacts", "preferences", "pauses",
    }
)  # fmt: skip


@dataclass(slots=True)
class _Outcome:
    touched: list[Account] = field(default_factory=list[Account])
    new_plans: list[NewPlan] = field(default_factory=list[NewPlan])
    receipts: list[Receipt] = field(default_factory=list[Receipt])
    parked: list[Parked] = field(default_factory=list[Parked])
    tally: Tally = field(default_factory=Tally)


async def apply_events(
    work: Work, heard: Sequence[IncomingEvent], context: EvaluationContext, at: Moment
) -> Tally:
    """Fold, judge and record in the caller's transaction."""
    by_account: dict[str, list[IncomingEvent]] = {}
    for each in heard:
        by_account.setdefault(each.event.account_id, []).append(each)
    accounts = await work.accounts(sorted(by_account))
    outcome = _Outcome()
    for account_id, events in by_account.items():
        _consider(accounts[account_id], events, context, at, outcome)
    await work.introduce([account for account in outcome.touched if account.introduce], at.real)
    await work.save(outcome.touched)
    await record(work, outcome.new_plans, publish=context.publish)
    await work.park(outcome.parked)
    new = await work.acknowledge(outcome.receipts)
    tally = outcome.tally
    tally.heard, tally.duplicates = len(heard), len(heard) - new
    tally.parked, tally.plans = len(outcome.parked), len(outcome.new_plans)
    return tally


def _consider(
    account: Account,
    events: Sequence[IncomingEvent],
    context: EvaluationContext,
    at: Moment,
    outcome: _Outcome,
) -> None:
    told = _fold_all(account, events, context, at, outcome.tally)
    version: int | None = None
    if told.stands:
        outcome.touched.append(account)
        account.memory = encode(*told.account_state)
    elif told.anything_new or account.decided_under != context.generation or account.undecided is not None:
        outcome.touched.append(account)
        new_plan = replan_account(
            account, told.account_state, context, at, [each.event for each in told.folded]
        )
        account.remember(told.account_state)
        outcome.tally.undecided += account.undecided is not None
        if new_plan is not None:
            outcome.new_plans.append(new_plan)
            version = account.version
    outcome.parked.extend(told.parked)
    for each in told.folded:
        outcome.receipts.append(
            Receipt(each.identity, each.content, ReceiptState.FOLDED, account.account_id, version)
        )


class _Told(NamedTuple):
    """`stands`: what was heard is new, and cannot have moved the plan in force."""

    account_state: AccountState
    folded: Sequence[IncomingEvent]
    parked: Sequence[Parked]
    anything_new: bool
    stands: bool


def _fold_all(
    account: Account, events: Sequence[IncomingEvent], context: EvaluationContext, at: Moment, tally: Tally
) -> _Told:
    """A fold that broke may have left half of its work behind: belief is then taken up again as it was stored,
    without the event that broke it.
    """
    parked: list[Parked] = []
    quiet = holds(account, context, at) and all(each.event.type in SNAPSHOT_EVENT_TYPES for each in events)
    while True:
        account_state = decode(account.account_id, account.memory)
        stood = health_snapshot(account_state.facts) if quiet else None
        changed = False
        for each in events:
            try:
                changed |= _remember(account, account_state, each.event, tally)
            except Exception as problem:  # noqa: BLE001 - whatever a fact does to the fold, it alone is set aside
                parked.append(Parked(each, f"{type(problem).__name__}: {problem}"[:2000]))
                events = [other for other in events if other is not each]
                break
        else:
            stands = False
            if changed and stood is not None:
                stands = is_unaffected(
                    context.policy, context.portfolio, stood, health_snapshot(account_state.facts), at.service
                )
            return _Told(account_state, events, parked, changed, stands)


def _remember(account: Account, account_state: AccountState, event: FactEvent, tally: Tally) -> bool:
    """Into the facts, into what was issued, or into both; True when either changed."""
    changed = False
    if event.type in ISSUED:
        changed = apply_issued(account_state.issued, event)
        if event.type in ONLY_ISSUED:
            return changed
    change = apply_fact(account_state.facts, event)
    if change.conflict is not None:
        tally.conflicts += 1
    if change.changed and not account.introduce:
        account.introduce = not DIRECTORY_FIELDS.isdisjoint(change.fields)
    return changed or change.changed
