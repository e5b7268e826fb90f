"""When the occurrences of a rhythm are.

A series is an anchor and an interval, or a recurrence rule. Its nominal moments are whole intervals of *local wall time*
from the anchor, or the days of the rule at the wall time of the anchor, each moved into open hours; nothing drifts,
whatever was extended, when, or how often.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from itertools import pairwise, takewhile

from schemas.plans import RhythmItem
from schemas.recurrence_dates import iterate_dates, read_rule
from schemas.recurrence_rule import RecurrenceRule
from schemas.standing import StandingFormer, TouchpointContent
from schemas.vocabulary import Owner
from schemas.zones import UTC_ZONE, TimeZone
from services.calendar.open_hours import DAY, OpenHours, from_wall, next_open, next_usual, to_wall, usual_of
from services.calendar.patterns import Moment, first_moment, is_moment, iterate_moments
from services.calendar.touchpoint import PEOPLE
from services.calendar.windows import SHORTEST_INTERVAL_DAYS

PERSON_HORIZON = timedelta(days=365)
DIGITAL_HORIZON = timedelta(days=30)
MOST_SKIPPED = 400
MOST_FORMER = 4
"""Intervals that a rhythm may go back to: the usual one, and that of each health color."""
INSTANT = timedelta(microseconds=1)


class FormerMoments(StandingFormer):
    """The nominal moments that a rhythm had until `left_at`; the next ones come later than `after`."""

    def fit(self, rhythm: "RhythmItem | Series") -> bool:
        """Whether they are moments of a rhythm with this interval, rule and horizon."""
        same_horizon = (self.owner in PEOPLE) == (rhythm.owner in PEOPLE)
        return same_horizon and (self.every_days, self.rrule) == (rhythm.every_days, rhythm.rrule)


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
    rrule: str | None = None

    def is_by_clock_of(self, zone: TimeZone) -> bool:
        """Whether its moments were made in that zone; always, where they are no days of the calendar."""
        if self.rrule is None or self.until is None:
            return True
        return any(is_moment(moment, self.anchor, zone) for moment in (self.until, self.until + INSTANT))

    def slots(self, zone: TimeZone, opening: OpenHours | None, after: datetime | None) -> Iterator["Slot"]:
        """Its slots later than `after`, in order, without end."""
        return iterate_slots(self.anchor, self.every_days, zone, opening, after=after, rrule=self.rrule)

    def leave(self, planned_starts: Iterable[datetime], now: datetime) -> tuple[FormerMoments, ...]:
        """Its former moments once it is stopped or has another interval.

        `planned_starts` are the nominal moments of what is still planned.
        """
        if not self.active:
            return self.former
        first = min((*planned_starts, *self.left_out), default=None)
        after = (self.until or now) if first is None else first - INSTANT
        left = self.moments_from(after, now)
        others = [moments for moments in self.former if not moments.fit(self)]
        return (left, *others)[:MOST_FORMER]

    def moments_from(self, after: datetime, now: datetime) -> FormerMoments:
        """Its moments later than `after`, to go on with."""
        return FormerMoments.of_valid(
            every_days=self.every_days, rrule=self.rrule, owner=self.owner, anchor=self.anchor, after=after,
            left_at=now,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class Slot:
    """The place of an occurrence; `deadline` is the nominal moment of the next slot.

    `shift`: why it is not due at the time that open hours give it; None: it is. `closed`: why that is on another day.
    `stretched`: the gap beside it is too long.
    """

    nominal: datetime
    due_at: datetime
    deadline: datetime
    shift: str | None = None
    stretched: bool = False
    closed: str | None = None

    @property
    def reason(self) -> str | None:
        """Why it is not due on its own day."""
        return self.shift or self.closed

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
    zone: TimeZone = UTC_ZONE,
) -> datetime:
    """The first nominal moment: now when urgent, else within one interval; an interval after a contact."""
    interval = timedelta(days=rhythm.every_days)
    is_urgent = rhythm.urgency == "soon"
    if rhythm.rrule is not None:
        spread = 0.0 if is_urgent else start_fraction(account_id, rhythm.touchpoint_type)
        return _choose_by_rule(read_rule(rhythm.rrule), interval, spread, last_contact, now, (zone, opening))
    first = now if is_urgent else now + interval * start_fraction(account_id, rhythm.touchpoint_type)
    if last_contact is not None:
        first = max(first, last_contact + interval)
    return next_usual(first, opening)


def has_fixed_days(rhythm: RhythmItem) -> bool:
    """Whether its rule names days of the week or of the month, which it keeps."""
    return rhythm.rrule is not None and read_rule(rhythm.rrule).has_day


def find_phase(
    rhythm: RhythmItem, last_contact: datetime | None, now: datetime
) -> tuple[datetime, datetime] | None:
    """Between which moments a new rhythm of a person may begin; None where its first moment is fixed.

    Without a contact within one interval from now, after a contact a fifth of an interval around the next moment.
    """
    if rhythm.owner not in PEOPLE or rhythm.csm_id is None or rhythm.urgency == "soon":
        return None
    interval = timedelta(days=rhythm.every_days)
    if rhythm.every_days < SHORTEST_INTERVAL_DAYS or has_fixed_days(rhythm):
        return None
    if last_contact is None or last_contact + interval * 6 / 5 <= now:
        return now, now + interval
    return max(now, last_contact + interval * 4 / 5), last_contact + interval * 6 / 5


def _choose_by_rule(
    rule: RecurrenceRule,
    interval: timedelta,
    fraction: float,
    last_contact: datetime | None,
    now: datetime,
    hours: tuple[TimeZone, OpenHours | None],
) -> datetime:
    """A rule without a day is spread over its interval, and goes on from the day of the last contact.

    One on fixed days begins on the first of them, no nearer than half an interval to the last contact; where it leaves
    out periods, accounts are spread over these.
    """
    zone, opening = hours
    first = now + interval * fraction
    if not rule.has_day:
        if last_contact is not None:
            first = max(first, _one_period_after(rule, last_contact, zone))
        return next_usual(first, opening)
    earliest = now + interval * fraction * (rule.interval - 1) / rule.interval
    if last_contact is not None:
        earliest = max(earliest, last_contact + interval / 2)
    return first_moment(replace(rule, interval=1), to_wall(first, zone).time(), earliest, zone, opening)


def _one_period_after(rule: RecurrenceRule, moment: datetime, zone: TimeZone) -> datetime:
    """The same day of the next week, month or year of the rule, at the same wall time."""
    wall = to_wall(moment, zone)
    following = next(iterate_dates(rule, wall.date(), wall.date() + DAY))
    return from_wall(datetime.combine(following, wall.time()), zone)


def iterate_slots(
    anchor: datetime,
    every_days: int,
    zone: TimeZone,
    opening: OpenHours | None,
    *,
    after: datetime | None,
    rrule: str | None = None,
) -> Iterator[Slot]:
    """The slots of a series in order, without end; only those whose nominal moment is later than `after`.

    A moment that open hours would push against the next one is left out: a daily rhythm rests at weekends. So is one on a
    day that its zone skipped, if the next day has one of its own. They are those of a usual week; placing moves what
    falls on public holidays and into time off.
    """
    moments = (
        _iterate_by_days(anchor, every_days, zone, opening, after)
        if rrule is None
        else iterate_moments(read_rule(rrule), anchor, zone, opening, after)
    )
    for moment, following in pairwise(moments):
        if after is None or moment.nominal > after:
            yield Slot(moment.nominal, moment.due_at, following.nominal, closed=moment.closed)


def _iterate_by_days(
    anchor: datetime, every_days: int, zone: TimeZone, opening: OpenHours | None, after: datetime | None
) -> Iterator[Moment]:
    """Every so many days, from shortly before `after`."""
    wall = to_wall(anchor, zone)
    index = 0
    if after is not None and after >= anchor:
        index = max((after - anchor).days // every_days - 1, 0)
    interval = timedelta(days=every_days)
    usual = None if opening is None else usual_of(opening)
    skipped = 0
    nominal = anchor if index == 0 else from_wall(wall + interval * index, zone)
    while True:
        index += 1
        following = from_wall(wall + interval * index, zone)
        due_at = next_open(nominal, usual)
        is_no_day = following <= nominal  # the zone skipped it: its wall time is that of the next one
        is_crowded = is_no_day or (due_at > nominal and due_at + interval / 2 > following)
        if not is_crowded or skipped >= MOST_SKIPPED:
            yield Moment(nominal, due_at)
            skipped = 0
        else:
            skipped += 1
        nominal = following


def slots_until(slots: Iterator[Slot], limit: datetime) -> list[Slot]:
    """The first slots, with a nominal moment up to `limit`."""
    return list(takewhile(lambda slot: slot.nominal <= limit, slots))
