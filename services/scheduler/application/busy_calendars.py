"""The calendars whose busy time is kept free: whose they are, how reading them went, and what is done about a failure.

An address is a secret: whoever has it reads the calendar. It is stored encrypted, and no answer, log or message has it.
"""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from services.calendar.icalendar_busy import CalendarOwner, ReadCalendar

AHEAD: Final = timedelta(days=400)
"""Busy time is read for so long from now on (service time): a little more than plans reach."""
READ_AGAIN: Final = timedelta(days=380)
"""A calendar whose busy time reaches less far is read even when it has not changed."""
BEFORE: Final = timedelta(days=1)
FIRST_RETRY: Final = timedelta(minutes=1)
LONGEST_RETRY: Final = timedelta(hours=1)


class UnknownPerson(Exception):
    """The directory describes nobody with that id."""


class CalendarUnreachable(Exception):
    """The calendar could not be fetched; the message says why, without its address."""


class BusyCalendar(NamedTuple):
    """How reading a calendar goes. All times are of the real clock.

    `read_at`: the last success. `left_out`: events that could not be read. `problem`: why the last reading failed.
    `busy_times`: how many count now.
    """

    csm_id: str
    host: str
    made_at: datetime
    next_read_at: datetime
    read_at: datetime | None
    left_out: int
    failures: int
    problem: str | None
    failing_since: datetime | None
    busy_times: int


class CalendarToRead(NamedTuple):
    """A calendar whose turn it is. `sealed`: its address as stored. `etag`, `modified`: of the version that was read;
    both None: it is to be read whatever its version.
    """

    csm_id: str
    sealed: bytes
    owner: CalendarOwner
    etag: str | None
    modified: str | None
    failures: int


class Fetched(NamedTuple):
    """What a calendar's server answered. `content`: None when it is as it was."""

    content: bytes | None
    etag: str | None = None
    modified: str | None = None


class Reading(NamedTuple):
    """A calendar that was read up to `until` (service time). `calendar`: None when it is as it was."""

    fetched: Fetched
    calendar: ReadCalendar | None
    until: datetime


class BusyCalendarRepository(Protocol):
    """The addresses; each call is one transaction."""

    async def set(self, csm_id: str, url: str, host: str) -> BusyCalendar:
        """Store the address instead of the one before; it is read at once. Raises UnknownPerson."""
        ...

    async def remove(self, csm_id: str, now: datetime) -> bool:
        """Forget the address and the busy time; whether there was one. `now`: service time."""
        ...

    async def list(self, csm_id: str | None) -> Sequence[BusyCalendar]:
        """Those of all people, or that of one, by id."""
        ...


class BusyCalendarQueue(Protocol):
    """What the reader of calendars needs, in one transaction. `real` is the real clock, `now` the service clock."""

    async def claim(self, real: datetime, now: datetime, limit: int) -> Sequence[CalendarToRead]:
        """Calendars whose time has come, which nobody else claims for a while."""
        ...

    async def next_read_at(self) -> datetime | None: ...

    async def save_reading(
        self, wanted: CalendarToRead, reading: Reading, real: datetime, now: datetime
    ) -> bool:
        """Store what was read, and have what meets new busy time moved; whether busy time changed.

        Nothing happens when the address is another one by now.
        """
        ...

    async def save_failure(self, wanted: CalendarToRead, problem: str, real: datetime, now: datetime) -> bool:
        """Store why it could not be read. What was read before counts until it is too old; whether busy time changed."""
        ...


Fetch = Callable[[CalendarToRead], Awaitable[Fetched]]
"""Raises CalendarUnreachable."""
Parse = Callable[[bytes, CalendarOwner, datetime, datetime], Awaitable[ReadCalendar]]
"""`read_calendar` off the event loop. Raises UnreadableCalendar."""


async def read_busy_calendar(wanted: CalendarToRead, fetch: Fetch, parse: Parse, now: datetime) -> Reading:
    """Fetch a calendar and read its busy time around `now` (service time).

    Raises CalendarUnreachable and UnreadableCalendar.
    """
    fetched, until = await fetch(wanted), now + AHEAD
    if fetched.content is None:
        return Reading(fetched, None, until)
    return Reading(fetched, await parse(fetched.content, wanted.owner, now - BEFORE, until), until)


def find_retry(failures: int, every: timedelta) -> timedelta:
    """How long after so many failures in a row a calendar is read again: twice as long each time, an hour at most."""
    return min(min(FIRST_RETRY, every) * 2 ** min(failures - 1, 10), LONGEST_RETRY)
