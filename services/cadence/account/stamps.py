"""Stamps, instants and plain values: how the account state stores times and where a value comes from.

A stamp is one text and an instant an integer of microseconds: tens of thousands a second are applied, stored and read
again without conversion.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, cast

Plain = str | int | float | bool | list[str] | None
"""A stored value: instants are microseconds and dates are days since 1970."""
Stamp = str
"""Microseconds since 1970 in 18 digits, source, event id and content hash, joined by the unit separator (U+001F).
Stamps sort by time, then by source, id and hash: the digits have a fixed width, and the separator sorts before every
character that a source or an id may contain."""
Fields = dict[str, Plain]
StampedFields = dict[Stamp, Fields]
"""Fields by the stamp that set them; a field is under one stamp only."""
Entries = dict[Stamp, Fields]
"""Dated entries by stamp, oldest first."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = EPOCH.toordinal()
DAY = 86_400_000_000
DIGITS = 18

DATE_FIELDS = frozenset({"starts_on", "renews_on"})
INSTANT_FIELDS = frozenset(
    {"signed_at", "answered_at", "reached_at", "at", "until", "period_start", "period_end", "to"}
)


class Provenance(NamedTuple):
    """When an event happened and where it comes from. Of two the greater wins."""

    time: datetime
    source: str
    id: str
    hash: str


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware datetime."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def moment(value: int) -> datetime:
    """The aware UTC datetime of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=value)


def day_of(day: int) -> date:
    """The date of days since 1970."""
    return date.fromordinal(day + EPOCH_ORDINAL)


def day_text(day: int) -> str:
    """YYYY-MM-DD of days since 1970."""
    return day_of(day).isoformat()


def stamp_of(provenance: Provenance) -> Stamp:
    """The stamp of a provenance, with the first 16 characters of its hash: they distinguish two contents of one id."""
    return (
        f"{micros(provenance.time):018d}\x1f{provenance.source}\x1f{provenance.id}\x1f{provenance.hash[:16]}"
    )


def when(stamp: Stamp) -> int:
    """The time of a stamp, in microseconds since 1970."""
    return int(stamp[:DIGITS])


def earliest(at: int) -> Stamp:
    """A text that sorts before every stamp of that time or later, to compare stamps without parsing them."""
    return f"{max(at, 0):018d}"


def who(stamp: Stamp) -> tuple[str, str]:
    """(source, event id) of a stamp."""
    _, source, event_id, _ = stamp.split("\x1f")
    return source, event_id


def identity(stamp: Stamp) -> str:
    """The source and id of a stamp with their separators: a substring of exactly the stamps of the same event."""
    return stamp[DIGITS : stamp.rindex("\x1f") + 1]


@lru_cache(maxsize=16_384)
def provenance_of(stamp: Stamp) -> Provenance:
    at, source, event_id, content = stamp.split("\x1f")
    return Provenance(moment(int(at)), source, event_id, content)


def plain(value: object) -> Plain:
    """A value as it is stored."""
    match value:
        case None | str() | bool() | int() | float():
            return value
        case datetime():
            return micros(value)
        case date():
            return value.toordinal() - EPOCH_ORDINAL
        case Mapping():
            members = cast("Mapping[str, object]", value)
            return [f"{_escape(name)}={member}" for name, member in sorted(members.items())]
        case _:
            return [str(element) for element in cast("Sequence[object]", value)]


def _escape(name: str) -> str:
    return name.replace("%", "%25").replace("=", "%3D")


def read_mapping(stored: Sequence[str]) -> dict[str, str]:
    """A stored mapping, as `plain` wrote it."""
    pairs = (text.partition("=") for text in stored)
    return {name.replace("%3D", "=").replace("%25", "%"): member for name, _, member in pairs}


def readable(name: str, value: Plain) -> object:
    """A stored value as it was in the event: a date or a datetime for the fields that have one."""
    if isinstance(value, int) and name in DATE_FIELDS:
        return day_of(value)
    if isinstance(value, int) and name in INSTANT_FIELDS:
        return moment(value)
    return value
