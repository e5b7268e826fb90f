"""Stamps and plain values: how the memory holds moments, days and whose word something is.

Inside, a stamp is a tuple and a moment an integer of microseconds: this is folded tens of thousands of times a second.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import cast

Plain = str | int | float | bool | list[str] | None
Mark = tuple[int, str, str, str]
"""A stamp as the memory holds it: (microseconds since 1970, source, id, content hash)."""
Fields = dict[str, Plain]
Entry = tuple[Mark, Fields]
Held = dict[Mark, Fields]
"""Fields by the stamp that owns them; a field stands under one stamp only."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
EPOCH_ORDINAL = EPOCH.toordinal()
SECOND = 1_000_000
DAY = 86_400 * SECOND

DAYS = frozenset({"starts_on", "renews_on"})
INSTANTS = frozenset({"signed_at", "at", "until", "period_start", "period_end", "to"})


@dataclass(frozen=True, slots=True, order=True)
class Stamp:
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


def mark_of(stamp: Stamp) -> Mark:
    # Sixteen characters tell two contents of one identity apart; the rest would only be carried about.
    return micros(stamp.time), stamp.source, stamp.id, stamp.hash[:16]


def stamp_of(mark: Mark) -> Stamp:
    return Stamp(moment(mark[0]), mark[1], mark[2], mark[3])


def plain(value: object) -> Plain:
    """A value as it is remembered: moments as microseconds, days as days since 1970, the rest as it is."""
    match value:
        case datetime():
            return micros(value)
        case date():
            return value.toordinal() - EPOCH_ORDINAL
        case None | str() | bool() | int() | float():
            return value
        case _:
            return [str(each) for each in cast("Sequence[object]", value)]


def readable(name: str, value: Plain) -> object:
    """A remembered value as it was said."""
    if isinstance(value, int) and name in DAYS:
        return date.fromordinal(value + EPOCH_ORDINAL)
    if isinstance(value, int) and name in INSTANTS:
        return moment(value)
    return value
