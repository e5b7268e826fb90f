"""One account in a simulation: its state, its plan and its calendar, changed by the functions that are live as well."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from schemas.plans import PlanAdjusted
from schemas.standing import TouchpointContent
from services.cadence.account.codec import decode
from services.cadence.evaluation import evaluate_account
from services.calendar.assignment import AccountOwners, Leads
from services.calendar.customer_days import find_customer_days
from services.calendar.plan import content_of
from services.calendar.reconciliation import reconcile
from services.calendar.reconciliation.context import (
    AccountHours,
    CalendarChange,
    ChangeKind,
    ReconcileContext,
    StoredCalendar,
)
from services.calendar.reconciliation.spec import hash_spec
from services.calendar.recurrence import Series
from services.calendar.touchpoint import (
    PEOPLE,
    Origin,
    Status,
    Touchpoint,
    release,
)
from services.calendar.touchpoint_windows import may_return
from services.simulation.book import BookAccount, Period, Rules
from services.simulation.extending import LAST, UpcomingSlots
from services.simulation.invitations import Invitations
from services.simulation.issuing import find_counted, find_sensitive, report_cancelled, report_due
from services.simulation.rhythms import belongs_to_rhythms, describe_rhythms, is_regular

CAME_DUE: Final = frozenset({Status.DUE, Status.OVERDUE})
KEPT: Final = timedelta(days=45)
"""How long people's occurrences that came due stay: others fold into them, and gaps begin at the last one."""


class SimulatedAccount:
    """`calendar`: what is open, withdrawn or closed, by id; of Drumbeat's occurrences that came due only `last_due_at`.

    `is_stale`: other things than the plan have changed since it was reconciled, and may change what it finds.
    `sensitive`: the types whose occurrences may change the plan when they come due. `evaluate_at`: None: never again.
    """

    def __init__(self, book: BookAccount, rules: Rules, period: Period) -> None:
        self.account_id = book.account_id
        self.owners: AccountOwners = book.owners
        self.place = book.place
        self.customer = find_customer_days(book.place, rules.policy.content.holidays)
        self.state = decode(book.account_id, book.state)
        self.calendar = {each.id: each for each in book.calendar.touchpoints}
        self.series: dict[str, Series] = {each.type: each for each in book.calendar.series}
        self.last_due_at = dict(book.calendar.last_due_at)
        self.invited = Invitations(rules.policy)
        self.plan: PlanAdjusted | None = book.calendar.plan
        self._rules, self._period = rules, period
        self._counted = find_counted(rules.policy)
        self.key: bytes | None = None
        self.evaluate_at: datetime | None = period.now
        self.sensitive = self._counted
        self.has_failed = False
        self.is_stale = False
        self._spec: bytes | None = book.calendar.spec
        self._followed: PlanAdjusted | None = None
        self._rhythms: object = None
        self._regular: dict[str, bool] = {}
        self._upcoming = UpcomingSlots(book.account_id, period)
        if book.decided is not None:
            self.key, self.evaluate_at = book.decided

    def evaluate(self, now: datetime) -> bool:
        """Whether there is a new plan. An account that cannot be evaluated keeps its plan."""
        policy, portfolio = self._rules
        try:
            decision = evaluate_account(policy, self.state.facts, self.state.issued, portfolio, now)
            plan = decision.plan if decision.key != self.key else None
        except Exception:  # noqa: BLE001 - a policy that fails on one account must not hide what it does to the others
            self.has_failed, self.evaluate_at = True, None
            return False
        self.evaluate_at = decision.next_evaluation_at
        self.sensitive = find_sensitive(policy, decision)
        if plan is None:
            return False
        self.key = decision.key
        self.plan = PlanAdjusted.of_valid(
            **vars(plan),
            account_id=self.account_id,
            version=1 if self.plan is None else self.plan.version + 1,
            policy=policy.hash,
            decided_at=now,
        )
        return True

    def take_due(self, moment: datetime) -> list[tuple[Touchpoint, TouchpointContent]]:
        """What came due up to that moment, in order of time; the plan has to be evaluated when one may change it."""
        due = [
            each for each in self.calendar.values() if each.status is Status.PLANNED and each.due_at <= moment
        ]
        due.sort(key=lambda each: (each.due_at, each.id))
        taken: list[tuple[Touchpoint, TouchpointContent]] = []
        for touchpoint in due:
            content = self.content_of(touchpoint)
            released = release(touchpoint, moment)
            self._keep_released(released, moment)
            if touchpoint.origin is not Origin.CALENDAR:
                latest = self.last_due_at.get(touchpoint.type)
                self.last_due_at[touchpoint.type] = max(touchpoint.due_at, latest or touchpoint.due_at)
                self._report(released, content, moment)
            if content is not None:
                taken.append((released, content))
        return taken

    def _keep_released(self, released: Touchpoint, moment: datetime) -> None:
        if released.origin is not Origin.RHYTHM or released.is_led_by_person:
            self.calendar[released.id] = released
        else:
            del self.calendar[released.id]
        if released.origin is not Origin.RHYTHM or not released.is_led_by_person:
            return
        self.is_stale = self.is_stale or bool(self._never_skipped)
        for each in list(self.calendar.values()):
            is_former = each.type == released.type and each.origin is Origin.RHYTHM
            if (
                is_former
                and each.status in CAME_DUE
                and each.due_at < moment - KEPT
                and each.id != released.id
            ):
                del self.calendar[each.id]

    @property
    def _never_skipped(self) -> frozenset[str]:
        """The types between whose touchpoints a gap may be too long, as far as the scheduler is followed."""
        plan = self.plan if self._period.follows_live else None
        rhythms = () if plan is None else plan.rhythms
        return frozenset(rhythm.touchpoint_type for rhythm in rhythms if rhythm.never_skip)

    def change_by_levelling(self, touchpoint: Touchpoint) -> None:
        """Take what the leveller made of a touchpoint: a gap may be too long now."""
        self.calendar[touchpoint.id] = touchpoint
        self.is_stale = self.is_stale or bool(self._never_skipped)

    def content_of(self, touchpoint: Touchpoint) -> TouchpointContent | None:
        series = self.series.get(touchpoint.type)
        return touchpoint.content or (None if series is None else series.content)

    def _report(self, released: Touchpoint, content: TouchpointContent | None, moment: datetime) -> None:
        is_single = released.origin is Origin.ONE_OFF
        if content is None or not (is_single or released.type in self._counted):
            return
        if report_due(self.state, released, content) and (is_single or released.type in self.sensitive):
            self.evaluate_at = moment

    def follow(
        self, plan: PlanAdjusted, hours: AccountHours, leads: Callable[[], Leads], now: datetime
    ) -> list[CalendarChange]:
        """Bring the calendar to a new plan, with its people named; what changed. One that moves nothing is only read."""
        if self._moves_nothing(plan, hours):
            self._read_contents(plan)
            return []
        return self.reconcile(plan, hours, leads(), now)

    def _moves_nothing(self, plan: PlanAdjusted, hours: AccountHours) -> bool:
        """Whether `hash_spec` is that of the plan before; it is not asked where they have other one-offs."""
        before, self._followed = self._followed, plan
        if before is not None and _ids_of(before) != _ids_of(plan):
            self._spec = None
            return False
        known = hash_spec(before, hours) if self._spec is None and before is not None else self._spec
        self._spec = hash_spec(plan, hours)
        return self._spec == known

    def _read_contents(self, plan: PlanAdjusted) -> None:
        self._regular.clear()
        for rhythm in plan.rhythms:
            series = self.series.get(rhythm.touchpoint_type)
            if series is not None:
                self.series[series.type] = replace(series, content=content_of(rhythm, plan))

    def reconcile(
        self, plan: PlanAdjusted, hours: AccountHours, leads: Leads, now: datetime
    ) -> list[CalendarChange]:
        """Bring the calendar to the plan, with its people named; what changed.

        Where the scheduler is not followed exactly, rhythms that the plan leaves as they are need nothing: then only its
        one-offs are compared.
        """
        rhythms = describe_rhythms(plan)
        touchpoints, series = tuple(self.calendar.values()), self.series
        is_same = rhythms == self._rhythms and not self._period.is_exact(now)
        if is_same and not any(self.next_extensions(hours, now)):
            plan = plan.model_copy(update={"rhythms": ()})
            touchpoints = tuple(each for each in touchpoints if not belongs_to_rhythms(each))
            series = {}
        self._rhythms, self.is_stale = rhythms, False
        self._regular.clear()
        stored = StoredCalendar(touchpoints, series, self.last_due_at)
        result = reconcile(ReconcileContext(plan, stored, hours, now, now, leads))
        changes = [change for change in result.changes if change.kind is not ChangeKind.KEEP]
        for change in changes:
            self.calendar[change.touchpoint.id] = change.touchpoint
        for change in changes:
            if change.touchpoint.cancellation is not None:
                self.report_cancelled_one_off(change.touchpoint, now)
        self.series = {**self.series, **{each.type: each for each in result.series}}
        self._forget_closed(now)
        return changes

    def report_cancelled_one_off(self, cancelled: Touchpoint, now: datetime) -> None:
        """Tell the rules of a one-off that was cancelled; others do not count."""
        if cancelled.origin is Origin.ONE_OFF and report_cancelled(self.state, cancelled, now):
            self.evaluate_at = now

    def _forget_closed(self, now: datetime) -> None:
        """Occurrences that were cancelled, but for withdrawn ones to come, which may be planned again."""
        closed = [
            each.id
            for each in self.calendar.values()
            if each.origin is Origin.RHYTHM
            and each.status is Status.CANCELLED
            and not (each.is_withdrawn and each.due_at > now)
            and not may_return(each, now)
        ]
        for touchpoint_id in closed:
            del self.calendar[touchpoint_id]

    def extend(self, moment: datetime, hours: AccountHours) -> list[Touchpoint]:
        """The occurrences that the horizon needs at that moment, of rhythms that go on as they are."""
        made: list[Touchpoint] = []
        for rhythm in () if self.plan is None else self.plan.rhythms:
            series = self.series.get(rhythm.touchpoint_type)
            if series is None or not series.active or not self._upcoming.needs_more(series, hours, moment):
                continue
            if self.goes_on(series, hours):
                further, self.series[series.type] = self._upcoming.extend(series, rhythm, hours, moment)
                made += further
        self.calendar.update((each.id, each) for each in made)
        return made

    def goes_on(self, series: Series, hours: AccountHours) -> bool:
        """Whether further occurrences follow from the series alone, with nothing to avoid and nothing that moved."""
        if self.plan is None or series.until is None or series.left_out or self.is_stale:
            return False
        if series.type not in self._regular:
            self._regular[series.type] = is_regular(series, self.plan, hours)
        return self._regular[series.type]

    def choose_anchor(self, touchpoint_type: str, anchor: datetime) -> None:
        """Begin a rhythm whose phase was chosen; its occurrences follow when the calendar is reconciled."""
        series, self._rhythms = self.series[touchpoint_type], None
        self.series[touchpoint_type] = replace(series, anchor=anchor, until=None, phase=None)

    def planned(self) -> Iterator[Touchpoint]:
        return (each for each in self.calendar.values() if each.status is Status.PLANNED)

    def next_moments(self, hours: AccountHours) -> Iterator[datetime]:
        """When it may have to be looked at again."""
        if self.evaluate_at is not None:
            yield self.evaluate_at
        watched = self.sensitive | self._never_skipped
        for touchpoint in self.calendar.values():
            is_watched = touchpoint.origin is not Origin.RHYTHM or touchpoint.type in watched
            if is_watched and touchpoint.status is Status.PLANNED:
                yield touchpoint.due_at
        yield from self.next_extensions(hours)

    def next_extensions(self, hours: AccountHours, until: datetime = LAST) -> Iterator[datetime]:
        """When rhythms need their next occurrences, up to a moment, of those for which it is not enough to look later."""
        for series in self.series.values():
            extend_at = self._upcoming.extends_at(series, hours) if series.active else LAST
            if extend_at < LAST and extend_at <= until and not self._is_lazy(series, hours):
                yield extend_at

    def _is_lazy(self, series: Series, hours: AccountHours) -> bool:
        """Whether its occurrences are made when somebody looks."""
        if self._period.follows_live and series.owner in PEOPLE:
            return False
        return series.type not in self.sensitive and self.goes_on(series, hours)


def _ids_of(plan: PlanAdjusted) -> list[str]:
    return [item.id for item in plan.touchpoints]
