"""Hear: a batch of events becomes belief, and belief becomes plans; each account is judged once a batch.

Facts commute, so the order inside the batch does not matter and a repeated batch changes nothing. A fact that
cannot be folded is parked and its account goes on. An account whose footing is what it was before is not judged anew.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from services.rules_engine.application.account import (
    Account,
    Heard,
    Judgement,
    Parked,
    Receipt,
    ReceiptState,
    Tally,
)
from services.rules_engine.application.judge import Bench, Moment, holds, judge, record
from services.rules_engine.application.ports import Work
from services.rules_engine.domain.codec import Belief, decode, encode
from services.rules_engine.domain.facts import FactEvent, fold
from services.rules_engine.domain.issued import ANNOUNCED
from services.rules_engine.domain.issued import TYPES as ISSUED
from services.rules_engine.domain.issued import hear as hear_issued
from services.rules_engine.domain.plan import QUIET, footing, unmoved

ONLY_ISSUED = ANNOUNCED | {"touchpoint.cancelled"}
DIRECTORY_FIELDS = frozenset(
    {
        "name", "timezone", "language", "country", "industry", "csm_id", "pool",
        "contacts", "preferences", "pauses",
    }
)  # fmt: skip


@dataclass(slots=True)
class _Outcome:
    touched: list[Account] = field(default_factory=list[Account])
    judgements: list[Judgement] = field(default_factory=list[Judgement])
    receipts: list[Receipt] = field(default_factory=list[Receipt])
    parked: list[Parked] = field(default_factory=list[Parked])
    tally: Tally = field(default_factory=Tally)


async def hear(work: Work, heard: Sequence[Heard], bench: Bench, at: Moment) -> Tally:
    """Fold, judge and record in the caller's transaction."""
    by_account: dict[str, list[Heard]] = {}
    for each in heard:
        by_account.setdefault(each.event.account_id, []).append(each)
    accounts = await work.accounts(sorted(by_account))
    outcome = _Outcome()
    for account_id, events in by_account.items():
        _consider(accounts[account_id], events, bench, at, outcome)
    await work.introduce([account for account in outcome.touched if account.introduce], at.real)
    await work.save(outcome.touched)
    await record(work, outcome.judgements, publish=bench.publish)
    await work.park(outcome.parked)
    new = await work.acknowledge(outcome.receipts)
    tally = outcome.tally
    tally.heard, tally.duplicates = len(heard), len(heard) - new
    tally.parked, tally.plans = len(outcome.parked), len(outcome.judgements)
    return tally


def _consider(account: Account, events: Sequence[Heard], bench: Bench, at: Moment, outcome: _Outcome) -> None:
    told = _fold_all(account, events, bench, at, outcome.tally)
    version: int | None = None
    if told.stands:
        outcome.touched.append(account)
        account.memory = encode(*told.belief)
    elif told.anything_new or account.decided_under != bench.epoch or account.undecided is not None:
        outcome.touched.append(account)
        judgement = judge(account, told.belief, bench, at, [each.event for each in told.folded])
        account.remember(told.belief)
        outcome.tally.undecided += account.undecided is not None
        if judgement is not None:
            outcome.judgements.append(judgement)
            version = account.version
    outcome.parked.extend(told.parked)
    for each in told.folded:
        outcome.receipts.append(
            Receipt(each.identity, each.content, ReceiptState.FOLDED, account.account_id, version)
        )


class _Told(NamedTuple):
    """`stands`: what was heard is new, and cannot have moved the plan in force."""

    belief: Belief
    folded: Sequence[Heard]
    parked: Sequence[Parked]
    anything_new: bool
    stands: bool


def _fold_all(account: Account, events: Sequence[Heard], bench: Bench, at: Moment, tally: Tally) -> _Told:
    """A fold that broke may have left half of its work behind: belief is then taken up again as it was stored,
    without the event that broke it.
    """
    parked: list[Parked] = []
    quiet = holds(account, bench, at) and all(each.event.type in QUIET for each in events)
    while True:
        belief = decode(account.account_id, account.memory)
        stood = footing(belief.facts) if quiet else None
        changed = False
        for each in events:
            try:
                changed |= _remember(account, belief, each.event, tally)
            except Exception as problem:  # noqa: BLE001 - whatever a fact does to the fold, it alone is set aside
                parked.append(Parked(each, f"{type(problem).__name__}: {problem}"[:2000]))
                events = [other for other in events if other is not each]
                break
        else:
            stands = False
            if changed and stood is not None:
                stands = unmoved(bench.policy, bench.book, stood, footing(belief.facts), at.service)
            return _Told(belief, events, parked, changed, stands)


def _remember(account: Account, belief: Belief, event: FactEvent, tally: Tally) -> bool:
    """Into the facts, into what was issued, or into both; True when either changed."""
    changed = False
    if event.type in ISSUED:
        changed = hear_issued(belief.issued, event)
        if event.type in ONLY_ISSUED:
            return changed
    change = fold(belief.facts, event)
    if change.conflict is not None:
        tally.conflicts += 1
    if change.changed and not account.introduce:
        account.introduce = not DIRECTORY_FIELDS.isdisjoint(change.fields)
    return changed or change.changed
