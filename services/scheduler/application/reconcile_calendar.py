"""Reconcile calendars with plans, a whole batch of accounts at a time.

A stale plan is ignored; a plan that moves nothing does not load the calendar; an outcome that came before its
touchpoint is applied as soon as the touchpoint exists.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from schemas.plans import PlanAdjusted
from schemas.standing import TouchpointContent
from schemas.times import EARLIEST
from services.calendar.assignment import NO_LEADS
from services.calendar.customer_days import CustomerPlace
from services.calendar.holiday_changes import name_holidays
from services.calendar.person_hours import DEFAULT_HOURS
from services.calendar.plan import PlanCommand
from services.calendar.reconciliation import erase
from services.calendar.reconciliation.context import (
    AccountHours,
    CalendarChange,
    ChangeKind,
    ReconcileContext,
    Reconciliation,
    StoredCalendar,
    find_account_hours,
)
from services.calendar.reconciliation.spec import hash_spec
from services.calendar.recurrence import Series, horizon_of
from services.calendar.rezoning import RuleChange, reconcile_after
from services.calendar.touchpoint import (
    Closure,
    Origin,
    RecordedOutcome,
    Status,
    Touchpoint,
    settle,
)
from services.scheduler.application.assign_owners import find_account_leads, name_plan_owners
from services.scheduler.application.ports import (
    CalendarAccount,
    CalendarRepository,
    CalendarUpdate,
    TouchpointUpdate,
)

MIN_EXTEND_INTERVAL = timedelta(hours=1)
"""An account's horizon is extended no more often, whatever the intervals of its rhythms."""


@dataclass(frozen=True, slots=True)
class ReconcileResult:
    """How many calendars were reconciled, and of how many changes a time to avoid was the cause.

    `left_out`: occurrences that it left no room; `stretched`: moves that make too long a gap.
    """

    calendars: int = 0
    left_out: int = 0
    stretched: int = 0

    def counts(self, kind: str) -> dict[str, int]:
        """By kind of the metric; `kind` is why the calendars were reconciled."""
        return {kind: self.calendars, "left_out": self.left_out, "stretched": self.stretched}


@dataclass(frozen=True, slots=True)
class _Target:
    """A plan to reconcile a calendar with; what was due by `decided_at` has come due."""

    command: PlanCommand
    account: CalendarAccount
    plan: PlanAdjusted
    hours: AccountHours
    spec_hash: bytes
    decided_at: datetime


async def accept_plans(
    commands: Sequence[PlanCommand], calendars: CalendarRepository, now: datetime
) -> ReconcileResult:
    """Bring the calendars of these accounts to their newest plans; those of erased accounts are deleted."""
    newest = await _find_newest(commands, calendars)
    merged = {ended: plan.account_id for plan in _plans(newest.values()) for ended in plan.merged_from}
    if merged:
        await calendars.lock({*newest, *merged})
        await calendars.merge(merged, now)
    accounts = await calendars.lock(newest.keys())
    erased = [command for command in newest.values() if command.plan is None]
    fresh = [command for command in newest.values() if command.version > accounts[command.account_id].version]
    targets = await _load_targets(fresh, accounts, calendars, now)
    same = [target for target in targets if target.spec_hash == accounts[target.plan.account_id].spec_hash]
    changed = [target for target in targets if target.spec_hash != accounts[target.plan.account_id].spec_hash]
    await calendars.save_contents([target.command for target in same])
    return await _reconcile_all(changed, erased, calendars, now)


async def _find_newest(
    commands: Sequence[PlanCommand], calendars: CalendarRepository
) -> dict[str, PlanCommand]:
    """By account the newest command, without the plans that the calendar follows already: they lock and write nothing."""
    account_ids = {command.account_id for command in commands}
    ended, versions = await calendars.find_ended(account_ids), await calendars.find_versions(account_ids)
    newest: dict[str, PlanCommand] = {}
    for command in commands:
        if command.account_id in ended and command.plan is not None:
            continue  # its last plans, which arrive after the plan of the account that it was merged into
        before = newest.get(command.account_id)
        if before is None or command.plan is None or command.version >= before.version:
            newest[command.account_id] = command
    return {
        account_id: command
        for account_id, command in newest.items()
        if command.plan is None or command.plan.merged_from or command.version > versions.get(account_id, -1)
    }


def _plans(commands: Iterable[PlanCommand]) -> list[PlanAdjusted]:
    return [command.plan for command in commands if command.plan is not None]


async def extend_horizons(calendars: CalendarRepository, now: datetime) -> ReconcileResult:
    """Reconcile again some accounts whose horizon needs more occurrences, or whose hours have changed."""
    commands = await calendars.claim_to_extend(now)
    accounts = await calendars.lock({command.account_id for command in commands})
    targets = await _load_targets(commands, accounts, calendars, now)
    return await _reconcile_all([replace(target, decided_at=now) for target in targets], (), calendars, now)


def place_of(account: CalendarAccount) -> CustomerPlace:
    """Where the account is."""
    return CustomerPlace(account.timezone, account.zones, account.country, account.region)


async def _load_targets(
    commands: Sequence[PlanCommand],
    accounts: Mapping[str, CalendarAccount],
    calendars: CalendarRepository,
    now: datetime,
) -> list[_Target]:
    planned = [(command, command.plan) for command in commands if command.plan is not None]
    owners = {name: account.owners for name, account in accounts.items()}
    planned = await name_plan_owners(planned, owners, calendars.assignments, now)
    items = [item for _, plan in planned for item in (*plan.rhythms, *plan.touchpoints)]
    by_csm = await calendars.load_hours({item.csm_id for item in items if item.csm_id})
    holidays = await calendars.load_holidays()
    targets: list[_Target] = []
    for command, plan in planned:
        await calendars.pause_if_long()
        account = accounts[plan.account_id]
        hours = find_account_hours(place_of(account), holidays, DEFAULT_HOURS, by_csm)
        targets.append(_Target(command, account, plan, hours, hash_spec(plan, hours), plan.decided_at))
    return targets


async def _load_rules(targets: Iterable[_Target], calendars: CalendarRepository) -> RuleChange | None:
    is_needed = any(target.account.rules_changed for target in targets)
    return await calendars.load_rule_change() if is_needed else None


async def _reconcile_all(
    targets: Sequence[_Target], erased: Sequence[PlanCommand], calendars: CalendarRepository, now: datetime
) -> ReconcileResult:
    if not targets and not erased:
        return ReconcileResult()
    account_ids = [
        *(target.plan.account_id for target in targets),
        *(command.account_id for command in erased),
    ]
    one_off_ids = [item.id for target in targets for item in target.plan.touchpoints]
    stored = await calendars.load_calendars(account_ids, one_off_ids, now)
    owners = [target.account.owners for target in targets]
    rules = await _load_rules(targets, calendars)
    leads = await find_account_leads(owners, stored, calendars.assignments, now)
    updates: list[CalendarUpdate] = []
    stretched = 0
    for target in targets:
        await calendars.pause_if_long()
        calendar = stored[target.plan.account_id]
        own = leads.get(target.plan.account_id, NO_LEADS)
        context = ReconcileContext(target.plan, calendar, target.hours, target.decided_at, now, own)
        result = _reconcile(context, target.account, rules)
        stretched += result.stretched
        extend_at = find_extend_at(result.series, target.hours, now + MIN_EXTEND_INTERVAL)
        changes = list(_touchpoint_updates(result, calendar))
        series = [rhythm for rhythm in result.series if rhythm != calendar.series.get(rhythm.type)]
        updates.append(CalendarUpdate(target.command, target.spec_hash, changes, series, extend_at))
    for command in erased:
        result = erase(stored[command.account_id])
        changes = list(_touchpoint_updates(result, stored[command.account_id]))
        updates.append(CalendarUpdate(command, None, changes, result.series, None))
    changes = [change for update in updates for change in update.touchpoints]
    new = [change.touchpoint.id for change in changes if change.event_kind == "scheduled"]
    outcomes = await calendars.take_early_outcomes(new)
    if outcomes:
        updates = [_settle_early(update, outcomes) for update in updates]
    await calendars.save_calendars(updates, now)
    await calendars.erase([command.account_id for command in erased], now)
    left_out = sum(_is_left_out(change.touchpoint) for change in changes)
    return ReconcileResult(len(updates), left_out, stretched)


def _reconcile(
    context: ReconcileContext, account: CalendarAccount, rules: RuleChange | None
) -> Reconciliation:
    result = reconcile_after(context, rules if account.rules_changed else None)
    holidays = account.holidays_changed
    return result if holidays is None else name_holidays(result, context.stored, holidays)


def _is_left_out(touchpoint: Touchpoint) -> bool:
    cancellation = touchpoint.cancellation
    is_suppressed = cancellation is not None and cancellation.closure is Closure.SUPPRESSED
    return is_suppressed and touchpoint.origin is Origin.RHYTHM


def _settle_early(update: CalendarUpdate, outcomes: Mapping[str, RecordedOutcome]) -> CalendarUpdate:
    """Settle the new touchpoints whose outcome came before them."""
    touchpoints = [
        replace(change, touchpoint=settle(change.touchpoint, outcomes[change.touchpoint.id]))
        if change.touchpoint.id in outcomes
        else change
        for change in update.touchpoints
    ]
    return replace(update, touchpoints=touchpoints)


def _touchpoint_updates(reconciled: Reconciliation, calendar: StoredCalendar) -> Iterator[TouchpointUpdate]:
    """Only what changed; a cancelled occurrence leaves with the content its rhythm had until now."""
    contents = {series.type: series.content for series in reconciled.series}
    before = {touchpoint.id: touchpoint for touchpoint in calendar.touchpoints}
    for change in reconciled.changes:
        if change.kind is ChangeKind.KEEP:
            continue
        touchpoint = change.touchpoint
        series = calendar.series.get(touchpoint.type)
        former = None if series is None else series.content
        current = contents.get(touchpoint.type, former)
        if change.kind is ChangeKind.CANCEL and former is not None:
            current = former
        content = touchpoint.content or current
        if content is not None:
            yield describe_update(change, content, before.get(touchpoint.id))


def describe_update(
    change: CalendarChange, content: TouchpointContent, before: Touchpoint | None
) -> TouchpointUpdate:
    """What is stored and announced of a change; `before`: the touchpoint as it is stored."""
    touchpoint = change.touchpoint
    note = None if touchpoint.cancellation is None else touchpoint.cancellation.note
    match change.kind:
        case ChangeKind.CREATE:
            kind = "scheduled" if touchpoint.cancellation is None else "cancelled"
            return TouchpointUpdate(touchpoint, content, kind, note or touchpoint.shift)
        case ChangeKind.MOVE:
            if before is None or before.status is Status.CANCELLED:
                return TouchpointUpdate(touchpoint, content, "scheduled", change.reason)
            former = None if before.holder == touchpoint.holder else before.holder
            return TouchpointUpdate(
                touchpoint, content, "moved", change.reason, before.due_at, "plan", former
            )
        case ChangeKind.CANCEL:
            return TouchpointUpdate(touchpoint, content, "cancelled", note, changed_by="plan")
        case ChangeKind.REFRESH | ChangeKind.KEEP:
            return TouchpointUpdate(touchpoint, content, None)


def find_extend_at(
    series: Iterable[Series], hours: AccountHours, earliest: datetime = EARLIEST
) -> datetime | None:
    """When the horizon of one of these rhythms reaches its next occurrence, at the earliest at that moment."""
    moments: list[datetime] = []
    for rhythm in series:
        if rhythm.active:
            following = next(rhythm.slots(*hours.opening_of(rhythm), rhythm.until))
            moments.append(following.nominal - horizon_of(rhythm.owner))
    return max(min(moments), earliest) if moments else None
