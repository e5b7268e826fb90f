"""Stamps and plain values: how the memory holds moments, days and whose word something is.

Inside, a stamp is one text and a moment an integer of microseconds: they are folded tens of thousands of times a second,
and stored and read again without being converted.
"""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple, cast

Plain = str | int | float | bool | list[str] | None
Stamp = str
"""A stamp as the memory holds it: microseconds since 1970 in 18 digits, source, id, content hash, with a unit
separator between them. It sorts as stamps do: the digits are of one width, and the separator, which no source and no id
may hold, is less than whatever they do hold."""
Fields = dict[str, Plain]
StampedFields = dict[Stamp, Fields]
"""Fields by the stamp that owns them; a field stands under one stamp only."""
Entries = dict[Stamp, Fields]
"""Dated entries by their stamp, oldest first."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = EPOCH.toordinal()
SECOND = 1_000_000
DAY = 86_400 * SECOND
_DIGITS = 18

DAYS = frozenset({"starts_on", "renews_on"})
INSTANTS = frozenset({"signed_at", "at", "until", "period_start", "period_end", "to"})


class Provenance(NamedTuple):
    """When a fact happened and whose it is; the greater stamp wins."""

    time: datetime
    source: str
    id: str
    hash: str


def micros(moment: datetime) -> int:
    """Microseconds since 1970 of an aware moment."""
    since = moment - EPOCH
    return (since.days * 86_400 + since.seconds) * SECOND + since.microseconds


def moment(value: int) -> datetime:
    """The aware UTC moment of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=value)


def day_text(day: int) -> str:
    """YYYY-MM-DD of days since 1970."""
    return date.fromordinal(day + EPOCH_ORDINAL).isoformat()


def stamp_of(provenance: Provenance) -> Stamp:
    # Sixteen characters tell two contents of one identity apart; the rest would only be carried about.
    return (
        f"{micros(provenance.time):018d}\x1f{provenance.source}\x1f{provenance.id}\x1f{provenance.hash[:16]}"
    )


def when(stamp: Stamp) -> int:
    """The moment of a mark, in microseconds since 1970."""
    return int(stamp[:_DIGITS])


def earliest(at: int) -> Stamp:
    """What no mark of that moment or later comes before: to compare marks without reading their digits."""
    return f"{max(at, 0):018d}"


def who(stamp: Stamp) -> tuple[str, str]:
    """(source, id) of a mark."""
    _, source, event_id, _ = stamp.split("\x1f")
    return source, event_id


def identity(stamp: Stamp) -> str:
    """The middle of a mark, separators included: it is found in exactly the marks of the same (source, id)."""
    return stamp[_DIGITS : stamp.rindex("\x1f") + 1]


@lru_cache(maxsize=16_384)
def provenance_of(stamp: Stamp) -> Provenance:
    at, source, event_id, content = stamp.split("\x1f")
    return Provenance(moment(int(at)), source, event_id, content)


def plain(value: object) -> Plain:
    """A value as it is remembered: moments as microseconds, days as days since 1970, the rest as it is."""
    match value:
        case None | str() | bool() | int() | float():
            return value
        case datetime():
            return micros(value)
        case date():
            return value.toordinal() - EPOCH_ORDINAL
        case _:
            return [str(each) for each in cast("Sequence[object]", value)]


def readable(name: str, value: Plain) -> object:
    """A remembered value as it was said."""
    if isinstance(value, int) and name in DAYS:
        return date.fromordinal(value + EPOCH_ORDINAL)
    if isinstance(value, int) and name in INSTANTS:
        return moment(value)
    return value
