"""Apply events: a batch changes account states, and account states lead to plans; each account is evaluated once a batch.

Order and duplicates inside a batch do not matter, and a repeated batch changes nothing. An event that cannot be applied
is parked and its account goes on. When the stored state of an account cannot be read, or no plan can be made for it, the
account is undecided, keeps its plan and is tried again: of an unreadable one all events are parked. An account of which
nothing that its plan rests on has changed is not evaluated again.
"""

from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from services.cadence.account import FactEvent, moment
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import AccountState, decode, encode
from services.cadence.account.described import DESCRIBING, changed_names, described_values
from services.cadence.account.retention import bound_text
from services.cadence.account.state import ApplyResult
from services.cadence.evaluation import Basis, ChangeDetection
from services.rules_engine.application.ports import UnitOfWork
from services.rules_engine.application.replan_account import (
    mark_undecided,
    publish_records,
    record_plans,
    replan_account,
)
from services.rules_engine.application.settle_identity import route_events, settle_identity
from services.rules_engine.domain.account import (
    Account,
    BatchCounts,
    BatchOutcome,
    ChangedDescription,
    Clocks,
    EvaluationContext,
    IncomingEvent,
    NewPlan,
    Parked,
    Receipt,
    ReceiptState,
    reason_of,
)

DIRECTORY_FIELDS = frozenset(
    {
        "name", "timezone", "language", "country", "industry", "csm_id", "pool",
        "contacts", "contact.described", "contact.left", "preferences", "pauses",
    }
)  # fmt: skip
LINK_FIELDS = frozenset({"parent_id", "external_ids"})
COLUMN_FIELDS = DIRECTORY_FIELDS | LINK_FIELDS | {"arr", "currency", "contracts", "merged"}
"""Parts of the facts that columns beside the state have, too."""
OWN_SOURCES = "/drumbeat/"


async def apply_events(
    work: UnitOfWork, incoming: Sequence[IncomingEvent], context: EvaluationContext, clocks: Clocks
) -> BatchCounts:
    """Apply, evaluate and record in the caller's transaction."""
    routing = await route_events(work, incoming)
    by_account = routing.by_account
    accounts = await work.accounts(routing.account_ids, _announced(by_account))
    outcome = BatchOutcome()
    batch = _Batch(work, context, clocks, outcome)
    ended = settle_identity(routing, accounts)
    outcome.parked += routing.refused
    restated = {key: list[IncomingEvent]() for key, account in accounts.items() if account.restated}
    for account_id, items in (restated | by_account).items():
        await work.pause_if_long()
        if account_id in accounts:
            await _process(batch, accounts[account_id], items)
        else:
            outcome.receipts += [_receipt(item) for item in items]
    outcome.counts.undecided += await publish_records(work, outcome.changed, context, clocks)
    await work.save(outcome.changed)
    if ended:
        await work.end_accounts(ended, clocks)
    await record_plans(work, outcome.new_plans, publish=context.publish)
    await work.park(outcome.parked)
    await work.audit_descriptions(outcome.described)
    new_receipts = await work.acknowledge(outcome.receipts)
    counts = outcome.counts
    counts.events, counts.duplicates = len(incoming), len(incoming) - new_receipts
    counts.parked, counts.plans = len(outcome.parked), len(outcome.new_plans)
    return counts


class _Batch(NamedTuple):
    work: UnitOfWork
    context: EvaluationContext
    clocks: Clocks
    outcome: BatchOutcome


async def _process(batch: _Batch, account: Account, items: Sequence[IncomingEvent]) -> None:
    """Add to the outcome what becomes of the account, which is as it was loaded when anything goes wrong with it."""
    outcome = batch.outcome
    try:
        await _evaluate(batch, account, items)
    except Exception as problem:  # noqa: BLE001 - one unreadable account must not stop the others
        account.reset()
        mark_undecided(account, problem, batch.context, batch.clocks)
        outcome.changed.append(account)
        outcome.counts.undecided += account.undecided is not None
        outcome.parked.extend(Parked(item, reason_of(problem)) for item in items)


async def _evaluate(batch: _Batch, account: Account, items: Sequence[IncomingEvent]) -> None:
    """Raises what goes wrong, before anything is added to the outcome."""
    outcome, context = batch.outcome, batch.context
    applied = await _apply_all(batch, account, items)
    new_plan: NewPlan | None = None
    state = ReceiptState.UNCHANGED
    if applied.unaffected is not None:
        _keep_plan(account, applied, context)
        outcome.changed.append(account)
    elif (
        applied.changed
        or account.restated
        or account.decided_under != context.generation
        or account.undecided is not None
    ):
        state = ReceiptState.FOLDED
        causes = [item.event for item in applied.items]
        new_plan = replan_account(account, applied.account_state, context, batch.clocks, causes)
        account.take_state(applied.account_state, context)
        outcome.changed.append(account)
        outcome.counts.undecided += account.undecided is not None
    version = None
    if new_plan is not None:
        outcome.new_plans.append(new_plan)
        version = account.version
    outcome.parked.extend(applied.parked)
    outcome.described.extend(applied.described)
    outcome.receipts += [
        _receipt(item, state, version, applied.let_go.get(item.identity)) for item in applied.items
    ]


def _keep_plan(account: Account, applied: "_Applied", context: EvaluationContext) -> None:
    """The state changes, the plan stays; it is evaluated again when time alone may change it."""
    if applied.unaffected is not None and applied.unaffected.changes_at is not None:
        changes_at = moment(applied.unaffected.changes_at)
        account.next_evaluation_at = min(changes_at, account.next_evaluation_at or changes_at)
    if COLUMN_FIELDS.isdisjoint(applied.fields):
        account.state = encode(*applied.account_state)
    else:
        account.take_state(applied.account_state, context)


def _announced(by_account: Mapping[str, Sequence[IncomingEvent]]) -> set[str]:
    """Accounts of which only Drumbeat's own services say something: that does not bring back an erased one."""
    return {
        account_id
        for account_id, items in by_account.items()
        if all(item.event.provenance.source.startswith(OWN_SOURCES) for item in items)
    }


def _receipt(
    item: IncomingEvent,
    state: ReceiptState = ReceiptState.FOLDED,
    version: int | None = None,
    let_go: tuple[str, ...] | None = None,
) -> Receipt:
    reason = None if let_go is None else "; ".join(f"the account keeps {bound_text(kind)}" for kind in let_go)
    return Receipt(item.identity, item.content, state, item.event.account_id, version, reason)


class _Applied(NamedTuple):
    """`changed`: some event was new; `unaffected`: it was, and cannot have changed the plan in force, by this basis.

    `fields`: the parts of the facts that changed. `let_go`: the identity of an event -> the kinds of entries of which a
    bound let one go. `described`: events that changed a description.
    """

    account_state: AccountState
    items: Sequence[IncomingEvent]
    parked: Sequence[Parked]
    changed: bool
    unaffected: Basis | None
    fields: AbstractSet[str]
    let_go: Mapping[bytes, tuple[str, ...]]
    described: Sequence[ChangedDescription]


async def _apply_all(batch: _Batch, account: Account, items: Sequence[IncomingEvent]) -> _Applied:
    """An event that raised may have left half of its changes behind: the stored state is decoded again without it."""
    parked: list[Parked] = []
    account_state = decode(account.account_id, account.state)
    is_current = account.is_current(batch.context, batch.clocks)
    while True:
        detection = _detection(batch, account_state, items) if is_current else None
        changed, fields = False, set[str]()
        let_go: dict[bytes, tuple[str, ...]] = {}
        described: list[ChangedDescription] = []
        for item in items:
            await batch.work.pause_if_long()
            try:
                result = _apply_described(account, account_state, item, batch.outcome.counts, described)
                changed |= result.changed
                fields.update(result.fields)
                if result.let_go:
                    let_go[item.identity] = result.let_go
            except Exception as problem:  # noqa: BLE001 - whatever goes wrong with an event, it alone is parked
                parked.append(Parked(item, reason_of(problem)))
                items = [other for other in items if other is not item]
                account_state = decode(account.account_id, account.state)
                break
        else:
            unaffected = detection.unchanged(account_state) if changed and detection is not None else None
            return _Applied(account_state, items, parked, changed, unaffected, fields, let_go, described)


def _detection(batch: _Batch, account_state: AccountState, items: Sequence[IncomingEvent]) -> ChangeDetection:
    context = batch.context
    events = [item.event for item in items]
    return ChangeDetection(context.policy, context.portfolio, batch.clocks.service, account_state, events)


def _apply_described(
    account: Account,
    account_state: AccountState,
    item: IncomingEvent,
    counts: BatchCounts,
    described: list[ChangedDescription],
) -> ApplyResult:
    """Apply an event, and note what it changed of a description."""
    event = item.event
    if event.type not in DESCRIBING:
        return _apply(account, account_state, event, counts)
    before = described_values(account_state.facts, event)
    result = _apply(account, account_state, event, counts)
    if names := changed_names(before, described_values(account_state.facts, event)):
        described.append(ChangedDescription(item, names))
    return result


def _apply(
    account: Account, account_state: AccountState, event: FactEvent, counts: BatchCounts
) -> ApplyResult:
    """Apply an event, count a conflict and what was let go, and note whether the directory record may change."""
    result = apply_event(account_state, event)
    counts.conflicts += result.conflict is not None
    if not LINK_FIELDS.isdisjoint(result.fields):
        account.links_changed = True
    counts.let_go += len(result.let_go)
    if result.changed and not account.directory_changed:
        account.directory_changed = not DIRECTORY_FIELDS.isdisjoint(result.fields)
    return result
