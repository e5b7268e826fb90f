"""Make, list and revoke the addresses of calendar feeds, and read the feed at one.

Whoever has the address reads the calendar, so it has a secret token of 256 bits and can be revoked.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Final, NamedTuple, Protocol

from schemas.zones import ZONE_RELEASE
from services.calendar.icalendar_events import WRITER, CalendarEntry, write_calendar
from services.scheduler.domain.feed import FeedCalendar, Publisher, make_entries, name_feed

REFRESH: Final = timedelta(hours=1)


class UnknownOwner(Exception):
    """Neither the calendar nor the directory knows the account or person, or they were erased."""


class TooManyFeeds(Exception):
    """The account or person has as many feeds as one may have."""


class FeedOwner(NamedTuple):
    """Whose calendar a feed shows: exactly one of the two."""

    account_id: str | None = None
    csm_id: str | None = None

    @property
    def text(self) -> str:
        return f"CSM {self.csm_id}" if self.account_id is None else f"account {self.account_id}"


class Feed(NamedTuple):
    """An address, without its token. `made_at`: the real time."""

    id: str
    owner: FeedOwner
    made_at: datetime


class FeedRepository(Protocol):
    """Each call is one transaction."""

    async def make(self, feed_id: str, token_sha256: bytes, wanted: FeedOwner) -> Feed:
        """Store an address; of an account that was merged into another, for that one.

        Raises UnknownOwner and TooManyFeeds.
        """
        ...

    async def revoke(self, token_sha256: bytes, feed_id: str) -> bool:
        """Delete the address with that token or that id; whether there was one."""
        ...

    async def list_feeds(self, owner: FeedOwner) -> Sequence[Feed]:
        """The oldest first."""
        ...

    async def read(self, token_sha256: bytes, now: datetime) -> FeedCalendar | None:
        """The calendar from 30 days before `now` to a year after it; None: nobody has that token."""
        ...


class FeedFile(NamedTuple):
    """A feed before it is written. Equal ones are equal bytes, in one release of the writer and of the zones."""

    entries: tuple[CalendarEntry, ...]
    name: str
    source: str

    @property
    def tag(self) -> str:
        """Another one when the bytes are others. It costs a fraction of writing, and most reads find nothing new."""
        return sha256(repr((WRITER, ZONE_RELEASE, self)).encode("utf-8", "replace")).hexdigest()[:32]

    def write(self) -> bytes:
        return write_calendar(
            self.entries, method="PUBLISH", name=self.name, source=self.source, refresh=REFRESH
        )


def make_file(calendar: FeedCalendar, publisher: Publisher, source: str, now: datetime) -> FeedFile:
    """The feed that is read at the address `source`. It depends on `now` only by what has left its window."""
    return FeedFile(make_entries(calendar, publisher, now), name_feed(calendar, publisher), source)


def digest_token(token: str) -> bytes:
    return sha256(token.encode("utf-8", "replace")).digest()
