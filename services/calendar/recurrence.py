"""When the occurrences of a rhythm are.

A series is an anchor and an interval. Its nominal moments are whole intervals of *local wall time* from the
anchor, each moved into open hours; nothing drifts, whatever was extended, when, or how often.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import takewhile

from schemas.base import SchemaModel
from schemas.plans import RhythmItem
from schemas.times import Instant
from schemas.vocabulary import Owner
from schemas.zones import TimeZone
from services.calendar.open_hours import OpenHours, from_wall, next_usual, to_wall
from services.calendar.touchpoint import PEOPLE, TouchpointContent
from services.calendar.windows import SHORTEST_INTERVAL_DAYS

PERSON_HORIZON = timedelta(days=365)
DIGITAL_HORIZON = timedelta(days=30)
MOST_SKIPPED = 400
MOST_FORMER = 4
"""Intervals that a rhythm may go back to: the usual one, and that of each health color."""
INSTANT = timedelta(microseconds=1)


class FormerMoments(SchemaModel):
    """The nominal moments that a rhythm had until `left_at`; the next ones come later than `after`."""

    every_days: int
    owner: Owner
    anchor: Instant
    after: Instant
    left_at: Instant

    def fit(self, rhythm: "RhythmItem | Series") -> bool:
        """Whether they are moments of a rhythm with this interval and horizon."""
        same_horizon = (self.owner in PEOPLE) == (rhythm.owner in PEOPLE)
        return same_horizon and self.every_days == rhythm.every_days


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A rhythm as the calendar stores it: `until` is the nominal moment of the last occurrence made.

    `left_out` are the nominal moments ahead without an occurrence because of times to avoid; `former` are those it
    had with other intervals, newest first. `phase`: its anchor is provisional, and the first moment is to be chosen
    between these two so that the weeks of its owner are level. With `until` None the anchor is new, and all that can
    still move follows it.
    """

    type: str
    every_days: int
    anchor: datetime
    until: datetime | None
    last_number: int
    active: bool
    content: TouchpointContent
    owner: Owner
    csm_id: str | None
    minutes: int
    left_out: tuple[datetime, ...] = ()
    former: tuple[FormerMoments, ...] = ()
    phase: tuple[datetime, datetime] | None = None

    def slots(self, zone: TimeZone, opening: OpenHours | None, after: datetime | None) -> Iterator["Slot"]:
        """Its slots later than `after`, in order, without end."""
        return iterate_slots(self.anchor, self.every_days, zone, opening, after=after)

    def leave(self, planned_starts: Iterable[datetime], now: datetime) -> tuple[FormerMoments, ...]:
        """Its former moments once it is stopped or has another interval.

        `planned_starts` are the nominal moments of what is still planned.
        """
        if not self.active:
            return self.former
        first = min((*planned_starts, *self.left_out), default=None)
        after = (self.until or now) if first is None else first - INSTANT
        left = FormerMoments(
            every_days=self.every_days, owner=self.owner, anchor=self.anchor, after=after, left_at=now
        )
        others = [moments for moments in self.former if not moments.fit(self)]
        return (left, *others)[:MOST_FORMER]


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of an occurrence; `deadline` is the nominal moment of the next slot.

    `shift`: why it is not due at its nominal time; None: it is. `stretched`: the gap beside it is too long.
    """

    nominal: datetime
    due_at: datetime
    deadline: datetime
    shift: str | None = None
    stretched: bool = False

    @property
    def owed_by(self) -> datetime | None:
        """The deadline; None for a slot that was moved beyond it."""
        return None if self.shift is not None and self.deadline <= self.due_at else self.deadline


def horizon_of(owner: Owner) -> timedelta:
    return PERSON_HORIZON if owner in PEOPLE else DIGITAL_HORIZON


def start_fraction(account_id: str, touchpoint_type: str) -> float:
    """The part in (0, 1] of its first interval after which an account's rhythm starts: spread by a hash."""
    digest = blake2b(f"{account_id}\x00{touchpoint_type}".encode(), digest_size=8).digest()
    return (int.from_bytes(digest) + 1) / 2**64


def choose_anchor(
    rhythm: RhythmItem,
    account_id: str,
    last_contact: datetime | None,
    now: datetime,
    opening: OpenHours | None,
) -> datetime:
    """The first nominal moment: now when urgent, else within one interval; an interval after a contact."""
    interval = timedelta(days=rhythm.every_days)
    is_urgent = rhythm.urgency == "soon"
    first = now if is_urgent else now + interval * start_fraction(account_id, rhythm.touchpoint_type)
    if last_contact is not None:
        first = max(first, last_contact + interval)
    return next_usual(first, opening)


def find_phase(
    rhythm: RhythmItem, last_contact: datetime | None, now: datetime
) -> tuple[datetime, datetime] | None:
    """Between which moments a new rhythm of a person may begin; None where its first moment is fixed.

    Without a contact within one interval from now, after a contact a fifth of an interval around the next moment.
    """
    if rhythm.owner not in PEOPLE or rhythm.csm_id is None or rhythm.urgency == "soon":
        return None
    interval = timedelta(days=rhythm.every_days)
    if rhythm.every_days < SHORTEST_INTERVAL_DAYS:
        return None
    if last_contact is None or last_contact + interval * 6 / 5 <= now:
        return now, now + interval
    return max(now, last_contact + interval * 4 / 5), last_contact + interval * 6 / 5


def iterate_slots(
    anchor: datetime, every_days: int, zone: TimeZone, opening: OpenHours | None, *, after: datetime | None
) -> Iterator[Slot]:
    """The slots of a series in order, without end; only those whose nominal moment is later than `after`.

    A moment that open hours would push against the next one is left out: a daily rhythm rests at weekends. They are
    those of a usual week; placing moves what falls on public holidays and into time off.
    """
    wall = to_wall(anchor, zone)
    index = 0
    if after is not None and after >= anchor:
        index = max((after - anchor).days // every_days - 1, 0)
    interval = timedelta(days=every_days)
    pending: tuple[datetime, datetime] | None = None
    skipped = 0
    nominal = anchor if index == 0 else from_wall(wall + interval * index, zone)
    while True:
        index += 1
        following = from_wall(wall + interval * index, zone)
        due_at = next_usual(nominal, opening)
        is_crowded = due_at > nominal and due_at + interval / 2 > following
        if not is_crowded or skipped >= MOST_SKIPPED:
            if pending is not None and (after is None or pending[0] > after):
                yield Slot(*pending, nominal)
            pending = (nominal, due_at)
            skipped = 0
        else:
            skipped += 1
        nominal = following


def slots_until(slots: Iterator[Slot], limit: datetime) -> list[Slot]:
    """The first slots, with a nominal moment up to `limit`."""
    return list(takewhile(lambda slot: slot.nominal <= limit, slots))
