"""The work of one person: what is planned, what gave way, the rhythms whose phase is open, and when accounts are free."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from schemas.plans import Avoid
from schemas.standing import TouchpointContent
from schemas.times import QuietHours
from schemas.vocabulary import Channel, Topic
from services.calendar.avoid import Availability
from services.calendar.contact_hours import contact_hours
from services.calendar.customer_days import CustomerDays
from services.calendar.levelling import HORIZON_WEEKS
from services.calendar.open_hours import OpenHours, meeting_hours
from services.calendar.touchpoint import Origin
from services.calendar.windows import BUSY, LATE, TIME_OFF

DEFAULT_WEEKLY_MINUTES: Final = 2400
HORIZON_DAYS: Final = HORIZON_WEEKS * 7
SETTLED_DAYS: Final = 2
"""Today and tomorrow: nobody plans their day anew because of a colleague's account."""
PRIORITIES: Final[Mapping[str, int]] = {"escalation": 3, "floor": 2}
ONE_OFF_PRIORITY: Final = 1


def find_priority(priority: int | None, precedence: str | None, origin: str) -> int:
    """How firmly a touchpoint stands among others: as the policy says, else by the precedence of its rule."""
    if priority is not None:
        return priority
    return PRIORITIES.get(precedence or "", 0 if origin == Origin.RHYTHM else ONE_OFF_PRIORITY)


class AccountDays(NamedTuple):
    """The days of a customer, as far as they are known, and its quiet hours."""

    customer: CustomerDays | None
    quiet: QuietHours


class TouchWork(NamedTuple):
    """What touchpoints of one account and type are: `minutes`, the longest of them."""

    topic: Topic | None
    channel: Channel | None
    minutes: int


def find_work(content: TouchpointContent | None, minutes: int) -> TouchWork:
    """Of a touchpoint; without content it is work that no customer sees."""
    topic, channel = (None, None) if content is None else (content.topic, content.channel)
    return TouchWork(topic, channel, minutes)


def find_availability(
    periods: Sequence[Avoid], work: TouchWork, hours: OpenHours, account: AccountDays
) -> Availability | None:
    """When a touchpoint is available for its person, where that is not in all of their hours.

    The days of the customer do not count for internal work, and busy time counts for appointments only.
    """
    own = contact_hours(hours, work.topic, work.channel, work.minutes)
    opening = own if work.topic is None else meeting_hours(own, account.customer, account.quiet)
    return Availability(periods, hours.zone, opening) if periods or opening != hours else None


class PlannedTouch(NamedTuple):
    """A planned touchpoint of the person. `is_new`: it was planned since the book was levelled last. `is_shifted`: a
    season moved it out of its place. `is_never_skipped`: it is protected whatever its priority. `is_by_calendar`: an
    escalation of the calendar itself. `has_yielded`: it gave way, and may come back. `owed_within`: its person can do it
    only after its time, which is this. `is_invited`: people have its date, so it moves only if it cannot stand.
    `may_be_shared`: a colleague of the pool may lead it when the weeks of its person are full.
    """

    id: str
    account_id: str
    type: str
    due_at: datetime
    target_at: datetime
    earliest_at: datetime | None
    latest_at: datetime | None
    soft_days: int
    minutes: int
    priority: int
    is_new: bool
    is_shifted: bool = False
    is_never_skipped: bool = False
    is_by_calendar: bool = False
    has_yielded: bool = False
    owed_within: tuple[datetime, datetime] | None = None
    is_invited: bool = False
    may_be_shared: bool = False

    @property
    def window(self) -> tuple[datetime, datetime]:
        """The hard window; where it stands if it has none.

        The window of an occurrence is as long after its target as before it. It is stretched to where the occurrence had
        to be put; only what a season moved may stay there.
        """
        if self.owed_within is not None:
            return self.owed_within
        if self.earliest_at is None or self.latest_at is None:
            return self.due_at, self.due_at
        width = min(self.target_at - self.earliest_at, self.latest_at - self.target_at)
        if self.is_shifted or not width:
            return self.earliest_at, self.latest_at
        return self.target_at - width, self.target_at + width


def find_owed_within(
    shift: str | None, window: tuple[datetime, datetime], now: datetime
) -> tuple[datetime, datetime] | None:
    """The time that is left of a one-off which its person can only do late because of time off or busy time; else None.

    What is late because of a weekend or a public holiday is late for colleagues as well. `shift`: None also where
    a person chose its date or its owner.
    """
    start, end = max(window[0], now), window[1]
    is_late = shift is not None and shift.startswith(LATE)
    is_away = is_late and (TIME_OFF in (shift or "") or BUSY in (shift or ""))
    return (start, end) if is_away and start < end else None


class NewRhythm(NamedTuple):
    """A rhythm whose first moment is to be chosen between two; its provisional `anchor` has the time of day."""

    account_id: str
    type: str
    every_days: int
    minutes: int
    anchor: datetime
    phase: tuple[datetime, datetime]


class PersonBook(NamedTuple):
    """The person's hours and minutes a week, their planned touchpoints, and when each account is available.

    `yielded`: what gave way and may still come back.
    """

    csm_id: str
    hours: OpenHours
    weekly_minutes: int
    touches: tuple[PlannedTouch, ...]
    rhythms: tuple[NewRhythm, ...]
    accounts: Mapping[str, Availability]
    """By account and type, as `availability_key` joins them; others are available in the person's hours."""
    yielded: tuple[PlannedTouch, ...] = ()


class LevelledTouch(NamedTuple):
    """A touchpoint that moves, and why."""

    id: str
    due_at: datetime
    reason: str


def availability_key(account_id: str, touchpoint_type: str) -> str:
    return f"{account_id}\x00{touchpoint_type}"
