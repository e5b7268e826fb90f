"""When somebody is busy, as their own calendar says: times only, in the order of time, without overlaps."""

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from services.calendar.stretches import Span, Stretches, join, subtract

_MINUTE: Final = 60_000_000
_CACHED: Final = 512


@dataclass(frozen=True, slots=True)
class BusyTime:
    """`packed`: starts and ends by turns, in microseconds since 1970 as little-endian numbers of 64 bits.

    Bytes, because they are compared and hashed with every look at the hours of a person.
    """

    packed: bytes

    def widen(self, minutes: int) -> Stretches:
        """The busy times, each beginning so many minutes earlier."""
        return _widen(self.packed, minutes)

    @property
    def bounds(self) -> tuple[int, ...]:
        """The starts and ends by turns, in microseconds since 1970."""
        return struct.unpack(f"<{len(self.packed) // 8}q", self.packed)


@lru_cache(maxsize=_CACHED)
def _widen(packed: bytes, minutes: int) -> Stretches:
    numbers = BusyTime(packed).bounds
    earlier = minutes * _MINUTE
    spans = zip(numbers[::2], numbers[1::2], strict=True)
    return join((start - earlier, end) for start, end in spans)


def make_busy_time(spans: Iterable[Span]) -> BusyTime | None:
    """Of spans in microseconds, in any order, which may overlap; None: of none."""
    joined = join(span for span in spans if span[0] < span[1])
    numbers = [at for span in zip(*joined, strict=True) for at in span]
    return BusyTime(struct.pack(f"<{len(numbers)}q", *numbers)) if numbers else None


def add_spans(busy: BusyTime | None, spans: Iterable[Span]) -> BusyTime | None:
    """What is busy already, and these spans in microseconds."""
    numbers = () if busy is None else busy.bounds
    return make_busy_time([*zip(numbers[::2], numbers[1::2], strict=True), *spans])


def find_changes(before: BusyTime | None, after: BusyTime | None) -> Stretches:
    """What is busy in one of them only."""
    one, other = (Stretches((), ()) if each is None else each.widen(0) for each in (before, after))
    gone, new = subtract(one, other), subtract(other, one)
    return join(span for part in (gone, new) for span in zip(*part, strict=True))
