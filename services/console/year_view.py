"""An account's year at a glance: twelve months, every touchpoint as planned, and why it is not where it was meant."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.console import labels
from services.console.json_fields import Json, instant, items, nested, text
from services.console.touchpoints import Touchpoint

MONTHS = 12
_TONES = {"due": "due", "overdue": "bad", "settled": "good", "planned": "waiting"}


@dataclass(frozen=True, slots=True)
class YearEntry:
    """A touchpoint of a month. `remark`: why it moved, was left out or folded into another; empty: it is as planned."""

    touchpoint: Touchpoint
    word: str
    tone: str
    day: str
    remark: str


@dataclass(frozen=True, slots=True)
class YearMonth:
    """`closed`: times to avoid that touch the month."""

    name: str
    entries: tuple[YearEntry, ...]
    closed: tuple[str, ...]


def year_start(now: datetime) -> datetime:
    """The first day of this month."""
    return now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def year_end(now: datetime) -> datetime:
    start = year_start(now)
    return start.replace(year=start.year + 1)


def year_months(calendar: Iterable[Touchpoint], avoid: Iterable[Json], now: datetime) -> list[YearMonth]:
    """Twelve months from this one, each with its touchpoints in the order of their days."""
    start = year_start(now)
    in_order = sorted(calendar, key=lambda item: (item.due_at, item.id))
    periods = list(avoid)
    return [_month(_add_months(start, number), in_order, periods, now) for number in range(MONTHS)]


def avoid_periods(account: Json) -> list[Json]:
    """The times to avoid of an account's plan, where its document has them."""
    return items(nested(account, "plan"), "avoid")


def _add_months(start: datetime, months: int) -> datetime:
    year, month = divmod(start.month - 1 + months, 12)
    return start.replace(year=start.year + year, month=month + 1)


def _month(
    first: datetime, calendar: Iterable[Touchpoint], avoid: Iterable[Json], now: datetime
) -> YearMonth:
    beyond = _add_months(first, 1)
    entries = [_entry(item, now) for item in calendar if first <= item.due_at < beyond]
    return YearMonth(f"{first:%B %Y}", tuple(entries), tuple(_closed(avoid, first, beyond)))


def _entry(item: Touchpoint, now: datetime) -> YearEntry:
    word = item.outcome if item.status == "settled" and item.outcome else item.status
    on = item.due_at.astimezone(now.tzinfo)
    return YearEntry(item, word, _TONES.get(item.status, "quiet"), f"{on:%a} {on.day}", item.note)


def _closed(avoid: Iterable[Json], first: datetime, beyond: datetime) -> Iterable[str]:
    for period in avoid:
        begin, end = instant(period, "from"), instant(period, "to")
        if begin is not None and begin < beyond and (end is None or end > first):
            until = "" if end is None else f" until {end.day} {end:%b}"
            yield labels.joined(
                labels.title(text(period, "name")),
                f"from {begin.day} {begin:%b}{until}",
                text(period, "text"),
            )
