"""What a simulation counts: sums that add up over groups of accounts in any order."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.times import format_instant
from services.calendar.open_hours import OpenHours, open_days, to_wall
from services.calendar.touchpoint import PEOPLE, Touchpoint, TouchpointContent
from services.simulation.book import Colleague, Period


class ScheduledTouch(NamedTuple):
    """A touchpoint that came due, in the schedule of its account."""

    due_at: datetime
    id: str
    account_id: str
    type: str
    owner: str
    csm_id: str | None
    channel: str
    minutes: int
    shift: str | None


class FoundConflict(NamedTuple):
    """Weeks (their Mondays) of a person that do not hold what can lie nowhere else. `headcount`: in hundredths."""

    csm_id: str
    first_week: str
    last_week: str
    needed_minutes: int
    available_minutes: int
    headcount: int
    touchpoint_ids: tuple[str, ...]
    groups: tuple[tuple[str, str, int, int], ...]


@dataclass(slots=True)
class Totals:
    """`touches` by (type, month), `minutes` and `meetings` by (person, Monday of the week), `messages` by day.

    `unowned`: minutes by (pool, Monday) of what nobody leads. `work`: how much was computed, by kind.
    """

    touches: Counter[tuple[str, str]] = field(default_factory=Counter)
    minutes: Counter[tuple[str, str]] = field(default_factory=Counter)
    meetings: Counter[tuple[str, str]] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    unowned: Counter[tuple[str, str]] = field(default_factory=Counter)
    work: Counter[str] = field(default_factory=Counter)
    accounts: int = 0
    undecided: list[str] = field(default_factory=list[str])
    conflicts: list[FoundConflict] = field(default_factory=list[FoundConflict])
    people: list[Colleague] = field(default_factory=list[Colleague])
    schedule: list[ScheduledTouch] = field(default_factory=list[ScheduledTouch])

    def add(self, other: "Totals") -> None:
        """Add those of another group."""
        for name in ("touches", "minutes", "meetings", "messages", "unowned", "work"):
            getattr(self, name).update(getattr(other, name))
        self.accounts += other.accounts
        for name in ("undecided", "conflicts", "people", "schedule"):
            getattr(self, name).extend(getattr(other, name))

    def count_due(
        self, touchpoint: Touchpoint, content: TouchpointContent, colleague: Colleague | None, pool: str | None
    ) -> None:
        """Count one that came due; a person's week is that of their zone."""
        self.touches[touchpoint.type, f"{touchpoint.due_at:%Y-%m}"] += 1
        if touchpoint.owner not in PEOPLE:
            self.messages[f"{touchpoint.due_at:%Y-%m-%d}"] += 1
        elif colleague is None:
            self.unowned[pool or "", f"{touchpoint.due_at - timedelta(days=touchpoint.due_at.weekday()):%Y-%m-%d}"] += (
                touchpoint.minutes
            )
        else:
            week = monday_of(touchpoint.due_at, colleague.hours)
            self.minutes[colleague.csm_id, week] += touchpoint.minutes
            self.meetings[colleague.csm_id, week] += 1

    def keep(self, touchpoint: Touchpoint, content: TouchpointContent) -> None:
        """Keep one that came due for the schedule of its account."""
        self.schedule.append(
            ScheduledTouch(
                touchpoint.due_at, touchpoint.id, touchpoint.account_id, touchpoint.type, touchpoint.owner,
                touchpoint.csm_id, content.channel, touchpoint.minutes, touchpoint.shift,
            )  # fmt: skip
        )


def monday_of(moment: datetime, hours: OpenHours) -> str:
    day = to_wall(moment, hours.zone).date()
    return (day - timedelta(days=day.weekday())).isoformat()


def make_document(totals: Totals, policy_hash: str, period: Period, seed: int) -> dict[str, object]:
    """The result as JSON: whole numbers and texts, in one order, so that equal simulations give equal bytes."""
    months = sorted({month for _, month in totals.touches})
    kinds = sorted({kind for kind, _ in totals.touches})
    document: dict[str, object] = {
        "at": format_instant(period.now),
        "days": period.days,
        "seed": seed,
        "policy": policy_hash,
        "accounts": totals.accounts,
        "undecided": sorted(totals.undecided),
        "months": months,
        "touches": {kind: [totals.touches[kind, month] for month in months] for kind in kinds},
        "messages": dict(sorted(totals.messages.items())),
        "people": [_person(colleague, totals, period) for colleague in sorted(totals.people)],
        "unowned": [
            {"pool": pool or None, "week": week, "planned_minutes": minutes}
            for (pool, week), minutes in sorted(totals.unowned.items())
        ],
        "conflicts": [_conflict(each) for each in sorted(totals.conflicts)],
        "headcount_gap": _headcount_gap(totals.conflicts),
        "work": dict(sorted(totals.work.items())),
    }
    if totals.schedule:
        document["schedule"] = _schedule(totals.schedule)
    return document


def _person(colleague: Colleague, totals: Totals, period: Period) -> dict[str, object]:
    weeks = sorted({week for csm_id, week in totals.minutes if csm_id == colleague.csm_id})
    return {
        "csm_id": colleague.csm_id,
        "pool": colleague.pool,
        "weekly_minutes": colleague.weekly_minutes,
        "weeks": [
            {
                "week": week,
                "planned_minutes": totals.minutes[colleague.csm_id, week],
                "available_minutes": available_minutes(colleague, week),
                "touches": totals.meetings[colleague.csm_id, week],
            }
            for week in weeks
        ],
    }


def available_minutes(colleague: Colleague, week: str) -> int:
    """What the person's working days of that week hold."""
    monday = datetime.fromisoformat(week).date()
    hours = colleague.hours
    per_day = colleague.weekly_minutes // (len(hours.days) or 1)
    return per_day * len(open_days(hours, monday, monday + timedelta(days=6)))


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
