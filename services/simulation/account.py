"""One account in a simulation: its state, its plan and its calendar, changed by the functions that are live as well."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from schemas.plans import PlanAdjusted
from schemas.standing import TouchpointContent
from services.cadence.account.codec import decode
from services.calendar.assignment import AccountOwners, Leads
from services.calendar.customer_days import find_customer_days
from services.calendar.plan import content_of
from services.calendar.reconciliation import reconcile
from services.calendar.reconciliation.context import (
    AccountHours,
    CalendarChange,
    ChangeKind,
    ReconcileContext,
    Reconciliation,
    StoredCalendar,
)
from services.calendar.reconciliation.spec import hash_spec
from services.calendar.recurrence import Series
from services.calendar.sharing import may_be_shared
from services.calendar.touchpoint import PEOPLE, Origin, Status, Touchpoint, release
from services.simulation.book import BookAccount, Period, Rules
from services.simulation.calendar import LAST, AccountCalendar
from services.simulation.decisions import AccountDecisions
from services.simulation.extending import UpcomingSlots
from services.simulation.invitations import Invitations
from services.simulation.plan_change import PlanChange, list_one_offs, merge, select_stored
from services.simulation.rhythms import belongs_to_rhythms, describe_rhythms, is_regular

CAME_DUE: Final = frozenset({Status.DUE, Status.OVERDUE})
KEPT: Final = timedelta(days=45)
"""How long people's occurrences that came due stay: others fold into them, and gaps begin at the last one."""


class SimulatedAccount:
    """`calendar`: what is open, withdrawn or closed, by id; of Drumbeat's occurrences that came due only `last_due_at`.

    `is_stale`: other things than the plan have changed since it was reconciled, and may change what it finds.
    """

    def __init__(self, book: BookAccount, rules: Rules, period: Period) -> None:
        self.account_id = book.account_id
        self.owners: AccountOwners = book.owners
        self.place = book.place
        self.customer = find_customer_days(book.place, rules.policy.content.holidays)
        self.decisions = AccountDecisions(decode(book.account_id, book.state), rules, period, book.decided)
        self.calendar = AccountCalendar(book.calendar.touchpoints)
        self.series: dict[str, Series] = {each.type: each for each in book.calendar.series}
        self.last_due_at = dict(book.calendar.last_due_at)
        self.invited = Invitations(rules.policy)
        self._catalogue = rules.policy.catalogue
        self.plan: PlanAdjusted | None = book.calendar.plan
        self._period = period
        self.is_stale = False
        self._spec: bytes | None = book.calendar.spec
        self._followed: PlanAdjusted | None = None
        self._rhythms: object = None
        self._protected: tuple[PlanAdjusted | None, frozenset[str]] | None = None
        self._regular: dict[str, bool] = {}
        self._upcoming = UpcomingSlots(book.account_id, period)
        self._extend_from: datetime | None = None

    def evaluate(self, now: datetime) -> PlanChange | None:
        """What is to be followed of a new plan, which is the plan from now on; None: nothing."""
        change = self.decisions.evaluate(self.plan, now)
        if change is None:
            return None
        self.plan = change.plan if self.plan is None else merge(self.plan, change)
        if change.gone is None:
            return change
        planned = (self.calendar.get(each) for each in change.gone)
        gone = [each.id for each in planned if each is not None and each.status is Status.PLANNED]
        if not (gone or change.types or change.plan.touchpoints):
            return None
        return change._replace(gone=gone).with_rhythms_of(self.plan)

    def take_due(self, moment: datetime) -> list[tuple[Touchpoint, TouchpointContent]]:
        """What came due up to that moment, in order of time; the plan has to be evaluated when one may change it."""
        if self.calendar.first_due_at > moment:
            return []
        due = [each for each in self.calendar.planned if each.due_at <= moment]
        due.sort(key=lambda each: (each.due_at, each.id))
        taken: list[tuple[Touchpoint, TouchpointContent]] = []
        stays: dict[str, str] = {}
        for touchpoint in due:
            content = self.content_of(touchpoint)
            is_regular = touchpoint.origin is Origin.RHYTHM
            if is_regular and touchpoint.is_led_by_person:
                stays[touchpoint.type] = touchpoint.id
            if is_regular and not touchpoint.is_led_by_person:
                del self.calendar[touchpoint.id]
            else:
                self.calendar[touchpoint.id] = release(touchpoint, moment)
            if touchpoint.origin is not Origin.CALENDAR:
                latest = self.last_due_at.get(touchpoint.type)
                self.last_due_at[touchpoint.type] = max(touchpoint.due_at, latest or touchpoint.due_at)
                self.decisions.report_due(touchpoint, content, moment)
            if content is not None:
                taken.append((touchpoint, content))
        if stays:
            self.is_stale = self.is_stale or bool(self._never_skipped)
            self._forget_released(stays, moment)
        return taken

    def _forget_released(self, stays: Mapping[str, str], moment: datetime) -> None:
        """Forget people's occurrences that came due long before that moment. `stays`: by type the latest."""
        former = [
            each.id
            for each in self.calendar.values()
            if each.status in CAME_DUE
            and each.due_at < moment - KEPT
            and each.origin is Origin.RHYTHM
            and stays.get(each.type, each.id) != each.id
        ]
        for touchpoint_id in former:
            del self.calendar[touchpoint_id]

    @property
    def _never_skipped(self) -> frozenset[str]:
        """The types between whose touchpoints a gap may be too long, as far as the scheduler is followed."""
        plan = self.plan if self._period.follows_live else None
        rhythms = () if plan is None else plan.rhythms
        return frozenset(rhythm.touchpoint_type for rhythm in rhythms if rhythm.never_skip)

    @property
    def never_skipped(self) -> frozenset[str]:
        """The types that the plan protects."""
        if self._protected is None or self._protected[0] is not self.plan:
            items = () if self.plan is None else (*self.plan.rhythms, *self.plan.touchpoints)
            self._protected = self.plan, frozenset(item.touchpoint_type for item in items if item.never_skip)
        return self._protected[1]

    def change_by_levelling(self, touchpoint: Touchpoint) -> None:
        """Take what the leveller made of a touchpoint: a gap may be too long now."""
        self.calendar[touchpoint.id] = touchpoint
        self.is_stale = self.is_stale or bool(self._never_skipped)

    def may_be_shared(self, touchpoint: Touchpoint) -> bool:
        """Whether a colleague may lead it when the weeks of its person are full."""
        kind = self._catalogue.get(touchpoint.type)
        return may_be_shared(touchpoint.owner, share=None if kind is None else kind.share)

    def content_of(self, touchpoint: Touchpoint) -> TouchpointContent | None:
        series = self.series.get(touchpoint.type)
        return touchpoint.content or (None if series is None else series.content)

    def follow(
        self, change: PlanChange, hours: AccountHours, leads: Callable[[], Leads], now: datetime
    ) -> list[CalendarChange]:
        """Bring the calendar to a change of its plan, with its people named; what changed."""
        if change.gone is not None:
            return self._change_part(change, hours, leads(), now)
        if self._period.is_exact(now) and self._moves_nothing(change.plan, hours):
            self._read_contents(change.plan)
            return []
        return self.reconcile(change.plan, hours, leads(), now)

    def _change_part(
        self, change: PlanChange, hours: AccountHours, leads: Leads, now: datetime
    ) -> list[CalendarChange]:
        """Bring to the plan only what is new, changed or gone."""
        self._spec = self._followed = self._rhythms = None
        self._regular.clear()
        stored = select_stored(self.account_id, self.calendar, self.series, self.last_due_at, change)
        return self._apply(reconcile(ReconcileContext(change.plan, stored, hours, now, now, leads)), now)

    def _moves_nothing(self, plan: PlanAdjusted, hours: AccountHours) -> bool:
        """Whether `hash_spec` is that of the plan before; it is not asked where they have other one-offs."""
        before, self._followed = self._followed, plan
        if before is not None and list_one_offs(before) != list_one_offs(plan):
            self._spec = None
            return False
        known = hash_spec(before, hours) if self._spec is None and before is not None else self._spec
        self._spec = hash_spec(plan, hours)
        return self._spec == known

    def _read_contents(self, plan: PlanAdjusted) -> None:
        self._regular.clear()
        self._extend_from = None
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
        context = ReconcileContext(plan, stored, hours, now, now, leads)
        if now == self._period.now and not self._period.follows_live:
            context = replace(context, awaits_phases=True)
        return self._apply(reconcile(context), now)

    def _apply(self, result: Reconciliation, now: datetime) -> list[CalendarChange]:
        changes = [change for change in result.changes if change.kind is not ChangeKind.KEEP]
        for change in changes:
            self.calendar[change.touchpoint.id] = change.touchpoint
        for change in changes:
            if change.touchpoint.cancellation is not None:
                self.decisions.report_cancelled(change.touchpoint, now)
        self.series = {**self.series, **{each.type: each for each in result.series}}
        self._extend_from = None
        self.calendar.forget_closed(now)
        return changes

    def extend(self, moment: datetime, hours: AccountHours) -> list[Touchpoint]:
        """The occurrences that the horizon needs at that moment, of rhythms that go on as they are."""
        made: list[Touchpoint] = []
        if moment < self._find_extend_from(hours):
            return made
        for rhythm in () if self.plan is None else self.plan.rhythms:
            series = self.series.get(rhythm.touchpoint_type)
            if series is None or not series.active or not self._upcoming.needs_more(series, hours, moment):
                continue
            if self.goes_on(series, hours):
                further, self.series[series.type] = self._upcoming.extend(series, rhythm, hours, moment)
                made += further
        for each in made:
            self.calendar[each.id] = each
        self._extend_from = None
        return made

    def _find_extend_from(self, hours: AccountHours) -> datetime:
        """Before it no rhythm needs its next occurrences."""
        if self._extend_from is None:
            needed = (self._upcoming.extends_at(each, hours) for each in self.series.values() if each.active)
            self._extend_from = min(needed, default=LAST)
        return self._extend_from

    def goes_on(self, series: Series, hours: AccountHours) -> bool:
        """Whether further occurrences follow from the series alone, with nothing to avoid and nothing that moved."""
        if self.plan is None or series.until is None or series.left_out or self.is_stale:
            return False
        if series.type not in self._regular:
            self._regular[series.type] = is_regular(series, self.plan, hours)
        return self._regular[series.type]

    def list_unbegun(self) -> Iterator[Series]:
        """The rhythms of people whose first moment is to be chosen."""
        for _, series in sorted(self.series.items()):
            if series.active and series.phase is not None and series.csm_id is not None:
                yield series

    def choose_anchor(self, touchpoint_type: str, anchor: datetime) -> None:
        """Begin a rhythm whose phase was chosen; its occurrences follow when the calendar is reconciled."""
        series, self._rhythms, self._extend_from = self.series[touchpoint_type], None, None
        self.series[touchpoint_type] = replace(series, anchor=anchor, until=None, phase=None)

    def next_moments(self, hours: AccountHours) -> Iterator[datetime]:
        """When it may have to be looked at again."""
        yield from self.decisions.next_moments(self.calendar)
        watched = self.decisions.watched | self._never_skipped
        for touchpoint in self.calendar.planned:
            if touchpoint.type in watched or self._is_watched_alone(touchpoint):
                yield touchpoint.due_at
        yield from (extend_at for extend_at, _ in self.next_extensions(hours))

    def _is_watched_alone(self, touchpoint: Touchpoint) -> bool:
        """Whether it is looked at whatever its type is."""
        return touchpoint.origin is not Origin.RHYTHM and self._period.is_exact(touchpoint.due_at)

    def next_extensions(self, hours: AccountHours, until: datetime = LAST) -> Iterator[tuple[datetime, str]]:
        """When which rhythms need their next occurrences, up to a moment, where it is not enough to look later."""
        if until < self._find_extend_from(hours):
            return
        for series in self.series.values():
            is_begun = series.active and (series.until is not None or series.phase is None)
            extend_at = self._upcoming.extends_at(series, hours) if is_begun else LAST
            if extend_at < LAST and extend_at <= until and not self._is_lazy(series, hours):
                yield extend_at, series.type

    def _is_lazy(self, series: Series, hours: AccountHours) -> bool:
        """Whether its occurrences are made when somebody looks."""
        if self._period.follows_live and series.owner in PEOPLE:
            return False
        return series.type not in self.decisions.sensitive and self.goes_on(series, hours)
