"""What a simulation begins with: the accounts and people of a book, the rules, and the days."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from functools import lru_cache
from typing import Final, NamedTuple

from schemas.directory import CsmRecord, HolidayRecord
from schemas.plans import PlanAdjusted
from schemas.vocabulary import CsmRole
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio
from services.calendar.assignment import AccountOwners, Line, Person
from services.calendar.customer_days import CustomerPlace
from services.calendar.open_hours import OpenHours, open_days, open_minutes
from services.calendar.person_book import DEFAULT_WEEKLY_MINUTES
from services.calendar.person_hours import (
    DEFAULT_HOURS,
    PersonDays,
    days_of_record,
    hours_of_record,
    minutes_a_day,
)
from services.calendar.recurrence import Series
from services.calendar.touchpoint import Touchpoint

DAY: Final = timedelta(days=1)
EXACT_DAYS: Final = 31
"""So many days of a simulation of the deployment are exactly those that come if nothing else happens."""
LEVEL_DAYS: Final = 28
"""Levelling costs more than all else, and what is new stands on its target day until then."""
NO_CONTACTS: Final[Mapping[str, datetime]] = {}
NO_LEADS: Final[Mapping[Line, str]] = {}
"""No mapping proxies: they cannot be sent to another process."""
NO_DAYS: Final = PersonDays()
NO_PLACE: Final = CustomerPlace()


class Colleague(NamedTuple):
    """Somebody who leads touchpoints. `is_described`: in the directory; `is_levelled`: their book was levelled.

    `hours` are those of every week, with busy time, until `close` takes the days away that `days` names.
    """

    csm_id: str
    hours: OpenHours = DEFAULT_HOURS
    weekly_minutes: int = DEFAULT_WEEKLY_MINUTES
    pool: str | None = None
    role: CsmRole | None = None
    is_described: bool = False
    is_levelled: bool = False
    days: PersonDays = NO_DAYS

    def close(self, added: Sequence[HolidayRecord]) -> "Colleague":
        """With the hours that count. `added`: public holidays of the policy."""
        return self._replace(hours=self.days.close(self.hours, added)) if self.is_described else self

    @property
    def person(self) -> Person:
        return Person(self.csm_id, self.pool, self.role)


class StandingCalendar(NamedTuple):
    """The calendar of an account as the scheduler stores it: `plan` is the one that it follows, `spec` its `hash_spec`.

    `touchpoints`: those that are open, of rhythms also withdrawn ones to come, all escalations of the calendar itself;
    `last_due_at` by touchpoint type.
    """

    plan: PlanAdjusted | None = None
    touchpoints: tuple[Touchpoint, ...] = ()
    series: tuple[Series, ...] = ()
    last_due_at: Mapping[str, datetime] = NO_CONTACTS
    assigned: Mapping[Line, str] = NO_LEADS
    spec: bytes | None = None


EMPTY_CALENDAR: Final = StandingCalendar()


class BookAccount(NamedTuple):
    """An account: its state as bytes, who owns it, where it is, and its calendar.

    `decided`: the key of the plan in force and when it is to be evaluated next; None: it is evaluated at once.
    """

    account_id: str
    state: bytes
    owners: AccountOwners
    place: CustomerPlace = NO_PLACE
    calendar: StandingCalendar = EMPTY_CALENDAR
    decided: tuple[bytes, datetime | None] | None = None


class Rules(NamedTuple):
    policy: Policy
    portfolio: Portfolio


class Period(NamedTuple):
    """The days from `now` on, looked at every `step`: what falls between two looks happens at the second.

    `follows_live`: for `exact_days` the horizon of people's rhythms is extended, accounts are reconciled and books
    levelled as the scheduler does; else what comes due only after the period is left out, as it changes nothing within it
    but the last weeks.
    """

    now: datetime
    days: int = 365
    step: timedelta = DAY
    follows_live: bool = False
    exact_days: int = EXACT_DAYS

    @property
    def end(self) -> datetime:
        return self.now + self.days * DAY

    @property
    def last(self) -> int:
        """The number of the last look; the first, 0, is now."""
        return -(-self.days * DAY // self.step)

    def is_exact(self, moment: datetime) -> bool:
        """Whether nothing is left out at that moment that the scheduler would do."""
        return self.follows_live and moment - self.now <= self.exact_days * DAY

    def is_levelled_at(self, number: int) -> bool:
        """Whether books are levelled at that look: as live in the first month of a live book, then every four weeks."""
        if self.is_exact(self.now + number * self.step):
            return True
        return number in (0, self.last) or (number * self.step) // DAY % LEVEL_DAYS == 0

    def is_measured_at(self, number: int) -> bool:
        """Whether conflicts are looked for at that look: at the beginning and every four weeks."""
        return not (number * self.step) % (LEVEL_DAYS * DAY)

    def moment(self, number: int) -> datetime:
        return min(self.now + number * self.step, self.end)

    def number_of(self, moment: datetime) -> int:
        """The number of the first look that is not before that moment."""
        return max(-((self.now - moment) // self.step), 0)


def colleague_of(record: CsmRecord) -> Colleague:
    """A person as the directory describes them."""
    minutes = DEFAULT_WEEKLY_MINUTES if record.weekly_minutes is None else record.weekly_minutes
    return Colleague(
        record.csm_id, hours_of_record(record)[0], minutes, record.pool, record.role, is_described=True,
        days=days_of_record(record),
    )  # fmt: skip


def available_minutes(colleague: Colleague, first: date, last: date) -> int:
    """What the person's working days of a week, or of these days of it, hold. No day holds more than is free in it."""
    return _sum_minutes(
        colleague.hours, minutes_a_day(colleague.hours, colleague.weekly_minutes), first, last
    )


@lru_cache(maxsize=8192)
def _sum_minutes(hours: OpenHours, per_day: int, first: date, last: date) -> int:
    days = open_days(hours, first, last)
    if hours.busy is None:
        return per_day * len(days)
    return sum(min(per_day, open_minutes(day, hours)) for day in days)
