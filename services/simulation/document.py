"""The result of a simulation as JSON: whole numbers and texts in one order, so that equal ones give equal bytes."""

from datetime import date

from schemas.times import format_instant
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
            _person(colleague, totals) for colleague in sorted(totals.people, key=lambda each: each.csm_id)
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


def _person(colleague: Colleague, totals: Totals) -> dict[str, object]:
    weeks = sorted({week for csm_id, week in totals.minutes if csm_id == colleague.csm_id})
    return {
        "csm_id": colleague.csm_id,
        "pool": colleague.pool,
        "weekly_minutes": colleague.weekly_minutes,
        "weeks": [
            {
                "week": week,
                "planned_minutes": totals.minutes[colleague.csm_id, week],
                "available_minutes": available_minutes(colleague, date.fromisoformat(week)),
                "touches": totals.meetings[colleague.csm_id, week],
            }
            for week in weeks
        ],
    }


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
    """People missing: of each person the most in any week, added up."""
    worst: dict[str, int] = {}
    for each in conflicts:
        worst[each.csm_id] = max(worst.get(each.csm_id, 0), each.headcount - 100)
    total = sum(worst.values())
    return f"{total // 100}.{total % 100:02d}"


def _schedule(touches: list[ScheduledTouch]) -> list[dict[str, object]]:
    return [
        {**touch._asdict(), "due_at": format_instant(touch.due_at)}
        for touch in sorted(touches, key=lambda touch: (touch.account_id, touch.due_at, touch.id))
    ]
