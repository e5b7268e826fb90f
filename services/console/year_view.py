"""An account's year at a glance: twelve months, every touchpoint as planned, and why it is not where it was meant."""

from calendar import Calendar
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from services.console.touchpoints import Touchpoint
from services.console.year_marks import YearMark, marks_of_day

MONTHS = 12
_TONES = {"due": "due", "overdue": "bad", "settled": "good", "planned": "waiting"}
_WEEKS = Calendar()
"""Weeks begin on Monday, as in British English."""


@dataclass(frozen=True, slots=True)
class YearEntry:
    """A touchpoint of a month. `remark`: why it moved, was left out or folded into another; empty: it is as planned."""

    touchpoint: Touchpoint
    word: str
    tone: str
    day: str
    remark: str


@dataclass(frozen=True, slots=True)
class YearDay:
    """A day of the small calendar of a month; 0: of another month. `title`: what is on it, for a mouse."""

    number: int
    marks: tuple[YearMark, ...] = ()
    has_touchpoint: bool = False

    @property
    def title(self) -> str:
        return "; ".join(dict.fromkeys(mark.name for mark in self.marks))

    @property
    def symbols(self) -> str:
        """Of all its marks, each once: what the colour of the first says, for whoever does not see colours."""
        return "".join(dict.fromkeys(mark.symbol for mark in self.marks))

    @property
    def kinds(self) -> str:
        """The kinds of its marks, as names of classes."""
        return " ".join(dict.fromkeys(mark.kind for mark in self.marks))


@dataclass(frozen=True, slots=True)
class YearMonth:
    """`marks`: what closes days of it, with the days in words. `weeks`: from Monday."""

    name: str
    entries: tuple[YearEntry, ...]
    marks: tuple[tuple[YearMark, str], ...]
    weeks: tuple[tuple[YearDay, ...], ...]


def year_start(now: datetime) -> datetime:
    """The first day of this month."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def year_end(now: datetime) -> datetime:
    start = year_start(now)
    return start.replace(year=start.year + 1)


def year_months(calendar: Iterable[Touchpoint], marks: Sequence[YearMark], now: datetime) -> list[YearMonth]:
    """Twelve months from this one, each with its touchpoints in the order of their days."""
    start = year_start(now)
    in_order = sorted(calendar, key=lambda item: (item.due_at, item.id))
    return [_month(_add_months(start, number), in_order, marks, now) for number in range(MONTHS)]


def _add_months(start: datetime, months: int) -> datetime:
    year, month = divmod(start.month - 1 + months, 12)
    return start.replace(year=start.year + year, month=month + 1)


def _month(
    first: datetime, calendar: Iterable[Touchpoint], marks: Sequence[YearMark], now: datetime
) -> YearMonth:
    beyond = _add_months(first, 1)
    entries = tuple(_entry(item, now) for item in calendar if first <= item.due_at < beyond)
    own = [mark for mark in marks if mark.touches(first.date(), beyond.date() - timedelta(days=1))]
    taken = {entry.touchpoint.due_at.astimezone(now.tzinfo).date() for entry in entries}
    weeks = tuple(
        tuple(_day(day, own, taken) if day.month == first.month else YearDay(0) for day in week)
        for week in _WEEKS.monthdatescalendar(first.year, first.month)
    )
    return YearMonth(f"{first:%B %Y}", entries, tuple((mark, mark.days(first.year)) for mark in own), weeks)


def _day(day: date, marks: Iterable[YearMark], taken: set[date]) -> YearDay:
    return YearDay(day.day, tuple(marks_of_day(marks, day)), day in taken)


def _entry(item: Touchpoint, now: datetime) -> YearEntry:
    word = item.outcome if item.status == "settled" and item.outcome else item.status
    on = item.due_at.astimezone(now.tzinfo)
    return YearEntry(item, word, _TONES.get(item.status, "quiet"), f"{on:%a} {on.day}", item.note)
