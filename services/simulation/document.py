"""The result of a simulation as JSON: whole numbers and texts in one order, so that equal ones give equal bytes."""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction
from math import ceil

from schemas.times import format_instant
from services.calendar.headcount import find_worst_week
from services.calendar.open_hours import to_wall
from services.simulation.book import Colleague, Period, available_minutes
from services.simulation.totals import FoundConflict, ScheduledTouch, Totals, Wanted


def make_document(totals: Totals, policy_hash: str, period: Period, wanted: Wanted) -> dict[str, object]:
    """The result as JSON: whole numbers and texts, in one order, so that equal simulations give equal bytes."""
    months = sorted({month for _, month in totals.touches})
    kinds = sorted({kind for kind, _ in totals.touches})
    document: dict[str, object] = {
        "at": format_instant(period.now),
        "days": period.days,
        "hire": wanted.hire,
        "seed": wanted.seed,
        "policy": policy_hash,
        "accounts": totals.accounts,
        "undecided": sorted(totals.undecided),
        "months": months,
        "touches": {kind: [totals.touches[kind, month] for month in months] for kind in kinds},
        "messages": dict(sorted(totals.messages.items())),
        "people": [
            _person(colleague, totals, period)
            for colleague in sorted(totals.people, key=lambda each: each.csm_id)
        ],
        "unowned": [
            {"pool": pool or None, "week": week, "planned_minutes": minutes}
            for (pool, week), minutes in sorted(totals.unowned.items())
        ],
        "conflicts": [_conflict(each) for each in sorted(totals.conflicts)],
        "headcount_gap": _headcount_gap(totals.conflicts),
        "notes": _notes(totals),
        "work": dict(sorted(totals.work.items())),
    }
    if wanted.keep_schedule:
        document["schedule"] = _schedule(totals.schedule)
    return document


def _notes(totals: Totals) -> list[str]:
    """What the simulation leaves as it is although it would change."""
    left = ", ".join(sorted(totals.left))
    return [f"accounts of people who have left are not shared out here: {left}"] if left else []


def _person(colleague: Colleague, totals: Totals, period: Period) -> dict[str, object]:
    begin, end = _days_of(period, colleague)
    return {
        "csm_id": colleague.csm_id,
        "pool": colleague.pool,
        "weekly_minutes": colleague.weekly_minutes,
        "weeks": [
            {
                "week": first.isoformat(),
                "planned_minutes": totals.minutes[colleague.csm_id, first.isoformat()],
                "available_minutes": available_minutes(colleague, max(first, begin), min(last, end)),
                "touches": totals.meetings[colleague.csm_id, first.isoformat()],
            }
            for first, last in _weeks_between(begin, end)
        ],
    }


def _days_of(period: Period, colleague: Colleague) -> tuple[date, date]:
    """The first and the last day of the period, where the person is."""
    zone = colleague.hours.zone
    return to_wall(period.now, zone).date(), to_wall(period.end - timedelta(microseconds=1), zone).date()


def _weeks_between(begin: date, end: date) -> Iterator[tuple[date, date]]:
    """The Monday and the Sunday of every week with one of these days, also where nothing is planned."""
    monday = begin - timedelta(days=begin.weekday())
    while monday <= end:
        yield monday, monday + timedelta(days=6)
        monday += timedelta(weeks=1)


def _conflict(found: FoundConflict) -> dict[str, object]:
    return {
        "csm_id": found.csm_id,
        "weeks": [found.first_week, found.last_week],
        "needed_minutes": found.needed_minutes,
        "available_minutes": found.available_minutes,
        "missing_minutes": found.needed_minutes - found.available_minutes,
        "headcount": f"{found.headcount // 100}.{found.headcount % 100:02d}",
        "touchpoint_ids": list(found.touchpoint_ids),
        "groups": [
            {"touchpoint_type": kind, "account_id": account_id, "touches": touches, "minutes": minutes}
            for kind, account_id, touches, minutes in found.groups
        ],
    }


def _headcount_gap(conflicts: list[FoundConflict]) -> str:
    """People missing in the week in which most are."""
    people, _ = find_worst_week(
        (
            each.csm_id,
            [
                first.isoformat()
                for first, _ in _weeks_between(
                    date.fromisoformat(each.first_week), date.fromisoformat(each.last_week)
                )
            ],
            Fraction(each.headcount, 100),
        )
        for each in conflicts
    )
    total = ceil(people * 100)
    return f"{total // 100}.{total % 100:02d}"


def _schedule(touches: list[ScheduledTouch]) -> list[dict[str, object]]:
    return [
        {**touch._asdict(), "due_at": format_instant(touch.due_at)}
        for touch in sorted(touches, key=lambda touch: (touch.account_id, touch.due_at, touch.id))
    ]
