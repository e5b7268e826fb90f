"""What reconciling one account reads, and the changes it returns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple, Self

from schemas.directory import HolidayRecord
from schemas.plans import Avoid, OneOffItem, PlanAdjusted, RhythmItem
from schemas.standing import TouchpointContent
from schemas.times import QuietHours
from schemas.vocabulary import Channel, Owner, Topic
from schemas.zones import TimeZone
from services.calendar.assignment import NO_LEADS, Leads
from services.calendar.avoid import PAUSE, Availability, covers, periods_for
from services.calendar.contact_hours import contact_hours
from services.calendar.customer_days import CustomerDays, CustomerPlace, find_customer_days, season_zones
from services.calendar.open_hours import OpenHours, meeting_hours, message_hours, working_hours
from services.calendar.recurrence import Series
from services.calendar.touchpoint import (
    PEOPLE,
    Cancellation,
    Closure,
    Status,
    Touchpoint,
    cancel,
)


class Work(NamedTuple):
    """What decides in which hours a touchpoint may be due."""

    owner: Owner
    csm_id: str | None
    topic: Topic | None
    channel: Channel
    minutes: int


@dataclass(frozen=True, slots=True)
class AccountHours:
    """The hours that count for an account: its zone, the described hours of CSMs, and those of all others.

    `also_in`: further zones of its country, where only that is known: no message goes while one has quiet hours.
    `customer`: its days, for what people do; None: not known.
    """

    zone: TimeZone
    default: OpenHours
    by_csm: Mapping[str, OpenHours]
    also_in: tuple[TimeZone, ...] = ()
    customer: CustomerDays | None = None

    def of_csm(self, csm_id: str | None) -> OpenHours:
        return self.by_csm.get(csm_id or "", self.default)

    def opening(self, work: Work, quiet: QuietHours) -> tuple[TimeZone, OpenHours | None]:
        """The zone to step in, and the open hours; None for work that no customer sees, at any hour."""
        if work.owner in PEOPLE:
            hours = contact_hours(self.of_csm(work.csm_id), work.topic, work.channel, work.minutes)
            return hours.zone, None if work.topic is None else meeting_hours(hours, self.customer, quiet)
        is_internal = work.topic is None or work.channel == "in_app"
        return self.zone, None if is_internal else message_hours(self.zone, quiet, self.also_in)

    def season_zones(self, owner: Owner, csm_id: str | None) -> tuple[TimeZone, ...]:
        """Whose days the days of a season are, for what such an owner leads."""
        lead = self.of_csm(csm_id).zone if owner in PEOPLE else self.zone
        return season_zones(self.customer, lead)

    def opening_of(self, series: Series) -> tuple[TimeZone, OpenHours | None]:
        content = series.content
        work = Work(series.owner, series.csm_id, content.topic, content.channel, series.minutes)
        return self.regular_opening(self.opening(work, content.quiet_hours), series.owner, series.csm_id)

    def regular_opening(
        self, found: tuple[TimeZone, OpenHours | None], owner: Owner, csm_id: str | None
    ) -> tuple[TimeZone, OpenHours | None]:
        """Of a rhythm: what people do regularly is due while they work, also what no customer sees."""
        zone, hours = found
        return zone, working_hours(self.of_csm(csm_id)) if hours is None and owner in PEOPLE else hours


def find_account_hours(
    place: CustomerPlace, added: Sequence[HolidayRecord], default: OpenHours, by_csm: Mapping[str, OpenHours]
) -> AccountHours:
    """The hours of an account by what the directory says of where it is. `added`: public holidays of the policy."""
    zone, *others = place.clocks
    return AccountHours(zone, default, by_csm, tuple(others), find_customer_days(place, added))


@dataclass(frozen=True, slots=True)
class StoredCalendar:
    """The stored calendar of an account: open touchpoints, those the plan names, series, the last due by type."""

    touchpoints: Sequence[Touchpoint]
    series: Mapping[str, Series]
    last_due_at: Mapping[str, datetime]


class ChangeKind(StrEnum):
    """`REFRESH`: something that no reader acts upon was brought up to date (its reason, its wording)."""

    CREATE = "create"
    MOVE = "move"
    CANCEL = "cancel"
    KEEP = "keep"
    REFRESH = "refresh"


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """A touchpoint as it is to be stored, and why."""

    kind: ChangeKind
    touchpoint: Touchpoint
    reason: str

    @classmethod
    def keep(cls, touchpoint: Touchpoint, reason: str) -> Self:
        return cls(ChangeKind.KEEP, touchpoint, reason)

    @classmethod
    def create(cls, touchpoint: Touchpoint, reason: str) -> Self:
        return cls(ChangeKind.CREATE, touchpoint, reason)

    @classmethod
    def refuse(cls, touchpoint: Touchpoint, cancellation: Cancellation) -> Self:
        """Record a new touchpoint as cancelled."""
        refused = cancel(touchpoint, cancellation)._replace(sequence=1)
        return cls(ChangeKind.CREATE, refused, cancellation.text)

    @classmethod
    def cancel(cls, touchpoint: Touchpoint, closure: Closure, reason: str) -> Self:
        return cls(ChangeKind.CANCEL, cancel(touchpoint, Cancellation(closure, reason)), reason)

    @classmethod
    def between(cls, stored: Touchpoint, target: Touchpoint, reason: str) -> Self:
        """From a stored touchpoint to the target; only what readers see grows its sequence."""
        if stored == target:
            return cls.keep(stored, reason)
        if _visible(stored) == _visible(target):
            return cls(ChangeKind.REFRESH, target, reason)
        return cls(ChangeKind.MOVE, target._replace(sequence=stored.sequence + 1), reason)


_visible = attrgetter("due_at", "start_at", "end_at", "deadline", "owner", "csm_id")


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """`stretched`: how many of the changes leave a longer gap than there should be."""

    changes: tuple[CalendarChange, ...]
    series: tuple[Series, ...]
    stretched: int = 0


class Host(NamedTuple):
    """What takes in others whose target is near its own, `on`. `is_on`: the day on which it is; None: it is held."""

    type: str
    on: date
    is_on: date | None


@dataclass(frozen=True, slots=True)
class ReconcileContext:
    """`decided_at`: until when the plan counts as decided; what was due by then has come due.

    `leads`: who gets what is open and has nobody. `hosts`: what takes in occurrences of the rhythm that is reconciled.
    `awaits_phases`: a rhythm whose first moment is to be chosen has no occurrences until it is.
    """

    plan: PlanAdjusted
    stored: StoredCalendar
    hours: AccountHours
    decided_at: datetime
    now: datetime
    leads: Leads = NO_LEADS
    hosts: Sequence[Host] = ()
    awaits_phases: bool = False

    def has_come_due(self, touchpoint: Touchpoint) -> bool:
        if touchpoint.status is not Status.PLANNED:
            return True
        return touchpoint.due_at <= min(self.now, self.decided_at) and not self._must_wait(touchpoint)

    def periods(self, touchpoint_type: str, work: Work) -> tuple[Avoid, ...]:
        """The times to avoid for that type."""
        if not self.plan.avoid:
            return ()
        zones = self.hours.season_zones(work.owner, work.csm_id)
        return periods_for(self.plan.avoid, touchpoint_type, work.topic, zones)

    def availability(self, item: RhythmItem | OneOffItem) -> Availability:
        work = Work(item.owner, item.csm_id, item.topic, item.channel, item.minutes)
        found = self.hours.opening(work, self.plan.quiet_hours)
        is_rhythm = isinstance(item, RhythmItem)
        zone, opening = self.hours.regular_opening(found, item.owner, item.csm_id) if is_rhythm else found
        return Availability(self.periods(item.touchpoint_type, work), zone, opening)

    def availability_of(self, touchpoint: Touchpoint) -> Availability | None:
        """Of a one-off, whether or not the plan names it."""
        content = touchpoint.content
        if content is None:
            return None
        work = _work_of(touchpoint, content)
        zone, opening = self.hours.opening(work, self.plan.quiet_hours)
        return Availability(self.periods(touchpoint.type, work), zone, opening)

    def withdraw(self, touchpoint: Touchpoint) -> CalendarChange:
        """Cancel what the plan no longer contains, unless it has come due."""
        if self.has_come_due(touchpoint):
            return CalendarChange.keep(touchpoint, "it has come due")
        reason = f"version {self.plan.version} of the plan no longer contains it"
        return CalendarChange.cancel(touchpoint, Closure.WITHDRAWN, reason)

    def _must_wait(self, touchpoint: Touchpoint) -> bool:
        """Whether its release would fall into a time to avoid; a pause also holds back what is late."""
        if not self.plan.avoid:
            return False
        series = self.stored.series.get(touchpoint.type)
        content = touchpoint.content or (None if series is None else series.content)
        return content is not None and any(
            covers(period, touchpoint.due_at) or (period.name == PAUSE and covers(period, self.now))
            for period in self.periods(touchpoint.type, _work_of(touchpoint, content))
        )


def _work_of(touchpoint: Touchpoint, content: TouchpointContent) -> Work:
    return Work(touchpoint.owner, touchpoint.csm_id, content.topic, content.channel, touchpoint.minutes)
