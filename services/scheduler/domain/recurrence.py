"""Recurrence: where the occurrences of a rhythm stand.

A series is an anchor and an interval. Its nominal moments are whole intervals of *local wall time* from
the anchor, each shifted into open hours; nothing drifts, whatever was extended, when, or how often.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import takewhile
from json import dumps
from zoneinfo import ZoneInfo

from services.scheduler.domain.calendar import Hours, from_wall, next_open, to_wall
from services.scheduler.domain.touchpoint import HUMAN, Face, Owner

HUMAN_HORIZON = timedelta(days=365)
DIGITAL_HORIZON = timedelta(days=30)
LONGEST = 36_500
PATIENCE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """A rhythm as the plan wants it."""

    type: str
    every_days: int
    owner: Owner
    csm_id: str | None
    minutes: int
    face: Face
    urgent: bool
    last_touch_at: datetime | None
    never_skip: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A rhythm as the calendar keeps it: `until` is the nominal moment of the last occurrence made.

    `left_out` are the nominal moments ahead at which nothing stands because of what is to be avoided.
    """

    type: str
    every_days: int
    anchor: datetime
    until: datetime | None
    last_number: int
    active: bool
    face: Face
    owner: Owner
    csm_id: str | None
    minutes: int
    left_out: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True)
class Slot:
    """`deadline` is the nominal moment of the next slot."""

    nominal: datetime
    due_at: datetime
    deadline: datetime

    @property
    def shift(self) -> str | None:
        """Why it is not due where it belongs; None: it is."""
        return None

    @property
    def owed_by(self) -> datetime | None:
        """The deadline; None for a slot that was moved beyond it."""
        return self.deadline


@dataclass(frozen=True, slots=True)
class Moved(Slot):
    """A slot that is due elsewhere, and why; `stretched`: the gap beside it is longer than it should be."""

    why: str
    stretched: bool = False

    @property
    def shift(self) -> str | None:
        return self.why

    @property
    def owed_by(self) -> datetime | None:
        return None if self.deadline <= self.due_at else self.deadline


def horizon(owner: Owner) -> timedelta:
    return HUMAN_HORIZON if owner in HUMAN else DIGITAL_HORIZON


def derived(*parts: str) -> str:
    """The id of a cause: the same parts give the same UUID text in every service."""
    digest = blake2b(dumps(parts, separators=(",", ":")).encode(), digest_size=16).hexdigest()
    return f"{digest[:8]}-{digest[8:12]}-{digest[12:16]}-{digest[16:20]}-{digest[20:]}"


def fraction(account_id: str, touchpoint_type: str) -> float:
    """Where in (0, 1] of its first interval an account's rhythm starts: spread, but never by chance."""
    digest = blake2b(f"{account_id}\x00{touchpoint_type}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) + 1) / 2**64


def anchor(
    rhythm: Rhythm, account_id: str, last_contact: datetime | None, now: datetime, opening: Hours | None
) -> datetime:
    """The first nominal moment: soon when urgent, else spread over one interval; never crowding a contact."""
    interval = timedelta(days=every(rhythm))
    first = now if rhythm.urgent else now + interval * fraction(account_id, rhythm.type)
    if last_contact is not None:
        first = max(first, last_contact + interval)
    return next_open(first, opening)


def every(rhythm: Rhythm) -> int:
    return min(max(rhythm.every_days, 1), LONGEST)


def slots(
    start: datetime, every_days: int, info: ZoneInfo, opening: Hours | None, *, after: datetime | None
) -> Iterator[Slot]:
    """Slots of a series in order, without end; only those whose nominal moment is later than `after`.

    A moment that open hours would push against the next one is left out: a daily rhythm rests at weekends.
    """
    wall = to_wall(start, info)
    index = 0
    if after is not None and after >= start:
        index = max((after - start).days // every_days - 1, 0)
    interval = timedelta(days=every_days)
    open_slot: tuple[datetime, datetime] | None = None
    skipped = 0
    nominal = start if index == 0 else from_wall(wall + interval * index, info)
    while True:
        index += 1
        following = from_wall(wall + interval * index, info)
        due_at = next_open(nominal, opening)
        crowded = due_at > nominal and due_at + interval / 2 > following
        if not crowded or skipped >= PATIENCE:
            if open_slot is not None and (after is None or open_slot[0] > after):
                yield Slot(*open_slot, nominal)
            open_slot = (nominal, due_at)
            skipped = 0
        else:
            skipped += 1
        nominal = following


def slots_until(
    start: datetime,
    every_days: int,
    info: ZoneInfo,
    opening: Hours | None,
    *,
    after: datetime | None,
    limit: datetime,
) -> list[Slot]:
    return list(
        takewhile(lambda slot: slot.nominal <= limit, slots(start, every_days, info, opening, after=after))
    )
