"""What closes days of an account's year: public holidays of the customer and its CSM, time off, times to avoid."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from services.console import labels
from services.console.json_fields import Json, instant, items, nested, text

MarkKind = Literal["season", "holiday", "csm-holiday", "time-off"]
SYMBOLS: Final[dict[MarkKind, str]] = {"season": "▤", "holiday": "●", "csm-holiday": "○", "time-off": "△"}
"""Beside the colour, in the days of a month and in the legend."""
_MOMENT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class YearMark:
    """Days in a row, the first and the last included (None: until further notice).

    `name`: what is on these days; `detail`: whom it concerns, or why.
    """

    kind: MarkKind
    first: date
    last: date | None
    name: str
    detail: str = ""

    @property
    def symbol(self) -> str:
        return SYMBOLS[self.kind]

    def touches(self, first: date, last: date) -> bool:
        return self.first <= last and (self.last is None or self.last >= first)

    def days(self, year: int) -> str:
        """`6 Jan`, `9 to 13 Mar`, `15 Nov to 31 Dec`, `from 15 Nov`; with the year where it is another one."""
        if self.last is None:
            return f"from {_day(self.first, year)}"
        if self.last == self.first:
            return _day(self.first, year)
        same_month = (self.first.year, self.first.month) == (self.last.year, self.last.month)
        begin = str(self.first.day) if same_month else _day(self.first, year)
        return f"{begin} to {_day(self.last, year)}"


@dataclass(frozen=True, slots=True)
class LegendEntry:
    """A kind of mark that the year has, in words."""

    kind: MarkKind
    symbol: str
    text: str


def year_marks(closed: Json, avoid: Iterable[Json], csm: str) -> list[YearMark]:
    """In order of time. `closed`: the scheduler's closed days; `avoid`: of the plan; `csm`: the name of who leads."""
    customer, own = _holidays(closed, "customer_holidays"), _holidays(closed, "csm_holidays")
    marks = [
        *(
            YearMark("holiday", day, day, name, _whose(csm if (day, name) in own else ""))
            for day, name in customer
        ),
        *(
            YearMark("csm-holiday", day, day, name, f"public holiday of {csm}")
            for day, name in own
            if (day, name) not in customer
        ),
        *_time_off(closed, csm),
        *filter(None, map(_season, avoid)),
    ]
    return sorted(marks, key=lambda mark: (mark.first, mark.kind, mark.name))


def legend(marks: Sequence[YearMark], csm: str) -> list[LegendEntry]:
    """The kinds that are there."""
    words: dict[MarkKind, str] = {
        "holiday": "public holiday of the customer",
        "csm-holiday": f"public holiday of {csm}",
        "time-off": f"{csm} is away",
        "season": "closed season or pause",
    }
    present = {mark.kind for mark in marks}
    return [LegendEntry(kind, SYMBOLS[kind], word) for kind, word in words.items() if kind in present]


def _whose(csm: str) -> str:
    return "public holiday of the customer" + (f" and of {csm}" if csm else "")


def _day(day: date, year: int) -> str:
    return f"{day.day} {day:%b}" + ("" if day.year == year else f" {day.year}")


def _holidays(closed: Json, name: str) -> list[tuple[date, str]]:
    named = ((_date(text(each, "on")), text(each, "name")) for each in items(closed, name))
    return [(day, holiday) for day, holiday in named if day is not None]


def _time_off(closed: Json, csm: str) -> Iterable[YearMark]:
    for span in items(closed, "csm_time_off"):
        first, last = _date(text(span, "from")), _date(text(span, "to"))
        if first is not None and last is not None:
            yield YearMark("time-off", first, last, f"{csm} is away")


def _season(period: Json) -> YearMark | None:
    """Blackouts begin and end at midnight UTC, and their end is outside them."""
    begin, end = instant(period, "from"), instant(period, "to")
    if begin is None:
        return None
    last = None if end is None else max(begin, end - _MOMENT).date()
    return YearMark("season", begin.date(), last, labels.title(text(period, "name")), text(period, "text"))


def _date(value: str) -> date | None:
    try:
        return date.fromisoformat(value)
    except ValueError:
        return None


def avoid_periods(account: Json) -> list[Json]:
    """The times to avoid of an account's plan, where its document has them."""
    return items(nested(account, "plan"), "avoid")


def marks_of_day(marks: Iterable[YearMark], day: date) -> list[YearMark]:
    return [mark for mark in marks if mark.touches(day, day)]


def year_period(start: datetime, end: datetime) -> dict[str, str]:
    """The first and the last day of a year, as the scheduler's closed days are asked for."""
    return {"from": start.date().isoformat(), "to": (end.date() - timedelta(days=1)).isoformat()}
