"""One account in a simulation: its state, its plan and its calendar, changed by the functions that are live as well."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from schemas.plans import PlanAdjusted, RhythmItem
from services.cadence.account.codec import decode
from services.cadence.evaluation import evaluate_account
from services.calendar.assignment import AccountOwners, Leads
from services.calendar.reconciliation import reconcile
from services.calendar.reconciliation.context import (
    AccountHours,
    CalendarChange,
    ChangeKind,
    ReconcileContext,
    StoredCalendar,
)
from services.calendar.reconciliation.rhythms import make_occurrence
from services.calendar.recurrence import Series, horizon_of
from services.calendar.touchpoint import PEOPLE, Origin, Status, Touchpoint, TouchpointContent, release
from services.simulation.book import BookAccount, Period, Rules
from services.simulation.issuing import find_counted, find_sensitive, report_cancelled, report_due

LAST: Final = datetime.max.replace(tzinfo=UTC)


class SimulatedAccount:
    """`calendar`: what is open, withdrawn or closed, by id; occurrences that came due are only `last_due_at`.

    `sensitive`: the types whose occurrences may change the plan when they come due. `evaluate_at`: None: never again.
    """

    def __init__(self, book: BookAccount, rules: Rules, period: Period) -> None:
        self.account_id = book.account_id
        self.owners: AccountOwners = book.owners
        self.zones = book.zones
        self.state = decode(book.account_id, book.state)
        self.calendar = {each.id: each for each in book.calendar.touchpoints}
        self.series: dict[str, Series] = {each.type: each for each in book.calendar.series}
        self.last_due_at = dict(book.calendar.last_due_at)
        self.plan: PlanAdjusted | None = book.calendar.plan
        self._rules, self._period = rules, period
        self._counted = find_counted(rules.policy)
        self.key: bytes | None = None
        self.evaluate_at: datetime | None = period.now
        self.sensitive = self._counted
        self.has_failed = False
        self._spec: object = None
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
            if touchpoint.origin is Origin.RHYTHM:
                del self.calendar[touchpoint.id]
            else:
                self.calendar[touchpoint.id] = released
            latest = self.last_due_at.get(touchpoint.type)
            self.last_due_at[touchpoint.type] = max(touchpoint.due_at, latest or touchpoint.due_at)
            self._report(released, content, moment)
            if content is not None:
                taken.append((released, content))
        return taken

    def content_of(self, touchpoint: Touchpoint) -> TouchpointContent | None:
        series = self.series.get(touchpoint.type)
        return touchpoint.content or (None if series is None else series.content)

    def _report(self, released: Touchpoint, content: TouchpointContent | None, moment: datetime) -> None:
        is_single = released.origin is Origin.ONE_OFF
        if content is None or not (is_single or released.type in self._counted):
            return
        if report_due(self.state, released, content) and (is_single or released.type in self.sensitive):
            self.evaluate_at = moment

    def reconcile(
        self, plan: PlanAdjusted, hours: AccountHours, leads: Leads, moments: tuple[datetime, datetime]
    ) -> list[CalendarChange]:
        """Bring the calendar to the plan, with its people named; what changed. `moments`: decided at, and now.

        Rhythms that the plan leaves as they are need nothing: then only its one-offs are compared.
        """
        now, spec = moments[1], _spec_of(plan)
        touchpoints, series = tuple(self.calendar.values()), self.series
        if spec == self._spec and not any(self.next_extensions(hours, now)):
            plan = plan.model_copy(update={"rhythms": ()})
            touchpoints = tuple(each for each in touchpoints if each.origin is not Origin.RHYTHM)
            series = {}
        self._spec = spec
        stored = StoredCalendar(touchpoints, series, self.last_due_at)
        result = reconcile(ReconcileContext(plan, stored, hours, *moments, leads))
        changes = [change for change in result.changes if change.kind is not ChangeKind.KEEP]
        for change in changes:
            self.calendar[change.touchpoint.id] = change.touchpoint
        for change in changes:
            if change.touchpoint.cancellation is not None:
                self._report_cancelled(change.touchpoint, now)
        self.series = {**self.series, **{each.type: each for each in result.series}}
        self._forget_closed(now)
        return changes

    def _report_cancelled(self, cancelled: Touchpoint, now: datetime) -> None:
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
        ]
        for touchpoint_id in closed:
            del self.calendar[touchpoint_id]

    def extend(self, moment: datetime, hours: AccountHours) -> list[Touchpoint]:
        """The occurrences that the horizon needs at that moment, of rhythms that go on as they are."""
        if self.plan is None:
            return []
        made: list[Touchpoint] = []
        for rhythm in self.plan.rhythms:
            series = self.series.get(rhythm.touchpoint_type)
            if series is not None and series.active and self.goes_on(series):
                made += self._extend_series(series, rhythm, hours, moment)
        return made

    def goes_on(self, series: Series) -> bool:
        """Whether further occurrences follow from the series alone, with nothing to avoid and nothing that moved."""
        if self.plan is None or series.until is None or series.left_out:
            return False
        topic = series.content.topic
        return not any(
            series.type in period.touchpoint_types if period.touchpoint_types else topic is not None
            for period in self.plan.avoid
        )

    def _extend_series(
        self, series: Series, rhythm: RhythmItem, hours: AccountHours, moment: datetime
    ) -> Iterator[Touchpoint]:
        limit = self.limit_of(series, moment)
        number, until = series.last_number, series.until
        if until is None or until >= limit:
            return
        named = (
            rhythm if rhythm.csm_id == series.csm_id else rhythm.model_copy(update={"csm_id": series.csm_id})
        )
        for slot in series.slots(*hours.opening_of(series), until):
            if slot.nominal > limit:
                break
            number, until = number + 1, slot.nominal
            occurrence = make_occurrence(self.account_id, named, slot, number)
            self.calendar[occurrence.id] = occurrence
            yield occurrence
        if number != series.last_number:
            self.series[series.type] = replace(series, until=until, last_number=number)

    def choose_anchor(self, touchpoint_type: str, anchor: datetime) -> None:
        """Begin a rhythm whose phase was chosen; its occurrences follow when the calendar is reconciled."""
        series, self._spec = self.series[touchpoint_type], None
        self.series[touchpoint_type] = replace(series, anchor=anchor, until=None, phase=None)

    def limit_of(self, series: Series, moment: datetime) -> datetime:
        """Up to which nominal moment its occurrences have to exist."""
        limit = moment + horizon_of(series.owner)
        return limit if self._period.follows_live else min(limit, self._period.end)

    def planned(self) -> Iterator[Touchpoint]:
        return (each for each in self.calendar.values() if each.status is Status.PLANNED)

    def next_moments(self, hours: AccountHours) -> Iterator[datetime]:
        """When it may have to be looked at again."""
        if self.evaluate_at is not None:
            yield self.evaluate_at
        for touchpoint in self.planned():
            if touchpoint.origin is not Origin.RHYTHM or touchpoint.type in self.sensitive:
                yield touchpoint.due_at
        yield from self.next_extensions(hours)

    def next_extensions(self, hours: AccountHours, until: datetime = LAST) -> Iterator[datetime]:
        """When rhythms need their next occurrences, up to a moment, of those for which it is not enough to look later."""
        for series in self.series.values():
            yield from (at for at in self._next_extension(series, hours) if at <= until)

    def _next_extension(self, series: Series, hours: AccountHours) -> Iterator[datetime]:
        """When a rhythm needs its next occurrence, unless it is made when somebody looks."""
        is_lazy = self.goes_on(series) and series.type not in self.sensitive
        if not series.active or (is_lazy and not (self._period.follows_live and series.owner in PEOPLE)):
            return
        following = next(series.slots(*hours.opening_of(series), series.until))
        if self._period.follows_live or following.nominal <= self._period.end:
            yield following.nominal - horizon_of(series.owner)


def _spec_of(plan: PlanAdjusted) -> object:
    """What decides when the occurrences of rhythms are."""
    rhythms = [
        (
            rhythm.touchpoint_type, rhythm.every_days, rhythm.owner, rhythm.csm_id, rhythm.minutes, rhythm.topic,
            rhythm.channel, rhythm.never_skip, rhythm.precedence,
        )
        for rhythm in plan.rhythms
    ]  # fmt: skip
    return rhythms, plan.avoid, plan.quiet_hours
