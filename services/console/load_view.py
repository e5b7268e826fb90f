"""The load of people's weeks, from the scheduler's capacity: percentages, what does not fit, what nobody has."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final, Literal

from services.console.json_fields import Json, items, nested, number, text, texts

FULL_PERCENT: Final = 100
BUSY_PERCENT: Final = 80
"""From this share of the available minutes on little is left for what comes up."""
Level = Literal["away", "free", "light", "busy", "full"]


@dataclass(frozen=True, slots=True)
class LoadWeek:
    """A week of a person. `percent`: of the available minutes that are planned; None: none are available.

    `remarks`: holidays and time off. `has_conflict`: its touchpoints do not fit.
    """

    week: str
    percent: int | None
    planned_minutes: int
    available_minutes: int
    touches: int
    remarks: tuple[str, ...] = ()
    has_conflict: bool = False

    @property
    def level(self) -> Level:
        if self.percent is None:
            return "full" if self.planned_minutes else "away"
        if self.has_conflict or self.percent > FULL_PERCENT:
            return "full"
        if self.percent >= BUSY_PERCENT:
            return "busy"
        return "light" if self.percent else "free"

    @property
    def figure(self) -> str:
        """`85 %`, or `away`."""
        if self.percent is None:
            return f"{self.planned_minutes} min" if self.planned_minutes else "away"
        return f"{self.percent} %"

    @property
    def description(self) -> str:
        """In words, for whoever does not see colours."""
        planned = f"{self.planned_minutes} of {self.available_minutes} minutes planned"
        conflict = ["does not fit"] if self.has_conflict else []
        return "; ".join([planned, f"{self.touches} touchpoints", *conflict, *self.remarks])


@dataclass(frozen=True, slots=True)
class LoadRow:
    """A person with their weeks, in their order."""

    csm_id: str
    weeks: tuple[LoadWeek, ...]
    doubt: str = ""


def load_rows(capacity: Json) -> list[LoadRow]:
    """By person, in the order of the answer."""
    conflicting = {
        (text(conflict, "csm_id"), week)
        for conflict in items(capacity, "conflicts")
        for week in texts(conflict, "weeks")
    }
    by_person: dict[str, list[Json]] = {}
    for week in items(capacity, "weeks"):
        by_person.setdefault(text(week, "csm_id"), []).append(week)
    return [
        LoadRow(
            csm_id,
            tuple(
                _load_week(week, has_conflict=(csm_id, text(week, "week")) in conflicting) for week in weeks
            ),
            next((text(week, "doubt") for week in weeks if text(week, "doubt")), ""),
        )
        for csm_id, weeks in by_person.items()
    ]


def find_findings(capacity: Json) -> list[str]:
    """What somebody should do something about; empty when all is well."""
    overfull = [
        f"{row.csm_id}: {week.figure} of {week.week}"
        for row in load_rows(capacity)
        for week in row.weeks
        if week.level == "full" and not week.has_conflict
    ]
    crowded = [
        f"{text(book, 'csm_id')}: {text(book, 'text')}"
        for book in items(capacity, "books")
        if text(book, "size") in ("warned", "stressed")
    ]
    return [*(text(each, "text") for each in items(capacity, "conflicts")), *overfull, *crowded]


def book_lines(capacity: Json) -> list[tuple[str, int, int, str, str]]:
    """(person, dedicated and pooled accounts, hours for each dedicated account and month, beside the usual 5 to 10)."""
    verdicts = {"less": "less than 5", "usual": "within 5 to 10", "more": "more than 10"}
    lines: list[tuple[str, int, int, str, str]] = []
    for book in items(capacity, "books"):
        hours = book.get("hours_per_account_month")
        lines.append(
            (
                text(book, "csm_id"),
                number(book, "dedicated_accounts"),
                number(book, "pooled_accounts"),
                f"{hours:g}" if isinstance(hours, int | float) else "-",
                verdicts.get(text(book, "effort"), "-"),
            )
        )
    return lines


def describe_gap(capacity: Json) -> str:
    """How many people are missing, in a sentence; empty when nobody is."""
    gap = capacity.get("headcount_gap")
    if not isinstance(gap, int | float) or gap <= 0:
        return ""
    week = text(nested(capacity, "headcount_week"), "week")
    people = "person is" if gap == 1 else "people are"
    return f"{gap:g} {people} missing" + (f" in {week}, the worst week" if week else "")


def unowned_lines(capacity: Json) -> list[tuple[str, str, int, int]]:
    """(pool, week, minutes, touchpoints) of work that nobody has."""
    return [
        (
            text(each, "pool") or "no pool",
            text(each, "week"),
            number(each, "planned_minutes"),
            number(each, "touches"),
        )
        for each in items(capacity, "unowned")
    ]


def week_names(rows: Sequence[LoadRow]) -> list[str]:
    return sorted({week.week for row in rows for week in row.weeks})


def first_day(week: str) -> date | None:
    """The Monday of an ISO week such as 2026-W14; None for any other text."""
    try:
        return date.fromisoformat(f"{week}-1")
    except ValueError:
        return None


def group_lines(conflict: Json, names: Mapping[str, str]) -> Iterable[str]:
    """`6 of kickoff, Acme, 360 minutes`."""
    for group in items(conflict, "groups"):
        account = text(group, "account_id")
        kind = text(group, "touchpoint_type").replace("_", " ")
        count = number(group, "touches")
        yield f"{count} of {kind}, {names.get(account, account)}, {number(group, 'minutes')} minutes"


_ACTIONS: Final = {
    "proposed": "will give way",
    "gave_way": "gave way",
    "escalated": "never gives way: find room",
}


def relief_lines(conflict: Json, names: Mapping[str, str]) -> Iterable[str]:
    """`Check in, Acme, 30 minutes: gave way (no room in 2026-W11: ...)`, and how many more there are."""
    shown = items(conflict, "relief")
    for each in shown:
        account, action = text(each, "account_id"), text(each, "action")
        kind = text(each, "touchpoint_type").replace("_", " ").capitalize()
        what = f"{kind}, {names.get(account, account)}, {number(each, 'minutes')} minutes"
        yield f"{what}: {_ACTIONS.get(action, action)} ({text(each, 'reason')})"
    more = number(conflict, "relief_touches") - len(shown)
    if more > 0:
        yield f"{more} more"


def _load_week(week: Json, *, has_conflict: bool) -> LoadWeek:
    planned, available = number(week, "planned_minutes"), number(week, "available_minutes")
    holidays = [
        f"public holiday {text(each, 'name')} on {text(each, 'on')}" for each in items(week, "holidays")
    ]
    time_off = [f"away on {day}" for day in texts(week, "time_off")]
    return LoadWeek(
        text(week, "week"),
        round(100 * planned / available) if available else None,
        planned,
        available,
        number(week, "touches"),
        (*holidays, *time_off),
        has_conflict,
    )
