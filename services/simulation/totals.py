"""What a simulation counts: sums that add up over groups of accounts in any order."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from schemas.standing import TouchpointContent
from services.calendar.open_hours import OpenHours, to_wall
from services.calendar.person_hours import DEFAULT_HOURS
from services.calendar.touchpoint import PEOPLE, Touchpoint
from services.simulation.book import Colleague


class Wanted(NamedTuple):
    """What is asked: over how many days, with how many more people, and which of equal choices (`seed`).

    `keep_schedule`: the result also lists every touchpoint of every account.
    """

    days: int = 365
    hire: int = 0
    seed: int = 0
    keep_schedule: bool = False


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

    `unowned`: minutes by (pool, Monday) of what nobody leads. `work`: how much was computed, by kind. `left`: people who
    have left and whose accounts are to be shared out.
    """

    touches: Counter[tuple[str, str]] = field(default_factory=Counter)
    minutes: Counter[tuple[str, str]] = field(default_factory=Counter)
    meetings: Counter[tuple[str, str]] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    unowned: Counter[tuple[str, str]] = field(default_factory=Counter)
    work: Counter[str] = field(default_factory=Counter)
    accounts: int = 0
    undecided: list[str] = field(default_factory=list[str])
    left: list[str] = field(default_factory=list[str])
    conflicts: list[FoundConflict] = field(default_factory=list[FoundConflict])
    people: list[Colleague] = field(default_factory=list[Colleague])
    schedule: list[ScheduledTouch] = field(default_factory=list[ScheduledTouch])

    def add(self, other: "Totals") -> None:
        """Add those of another group."""
        for name in ("touches", "minutes", "meetings", "messages", "unowned", "work"):
            getattr(self, name).update(getattr(other, name))
        self.accounts += other.accounts
        for name in ("undecided", "left", "conflicts", "people", "schedule"):
            getattr(self, name).extend(getattr(other, name))

    def count_due(
        self,
        touchpoint: Touchpoint,
        colleague: Colleague | None,
        pool: str | None,
    ) -> None:
        """Count one that came due; a person's week is that of their zone."""
        day = touchpoint.due_at.date().isoformat()
        self.touches[touchpoint.type, day[: len("2026-03")]] += 1
        if touchpoint.owner not in PEOPLE:
            self.messages[day] += 1
        elif colleague is None:
            self.unowned[pool or "", monday_of(touchpoint.due_at, DEFAULT_HOURS)] += touchpoint.minutes
        else:
            week = monday_of(touchpoint.due_at, colleague.hours)
            self.minutes[colleague.csm_id, week] += touchpoint.minutes
            self.meetings[colleague.csm_id, week] += 1

    def keep(self, touchpoint: Touchpoint, content: TouchpointContent) -> None:
        """Keep one that came due for the schedule of its account."""
        self.schedule.append(
            ScheduledTouch(
                touchpoint.due_at,
                touchpoint.id,
                touchpoint.account_id,
                touchpoint.type,
                touchpoint.owner,
                touchpoint.csm_id,
                content.channel,
                touchpoint.minutes,
                touchpoint.shift,
            )
        )


def monday_of(moment: datetime, hours: OpenHours) -> str:
    day = to_wall(moment, hours.zone).date()
    return (day - timedelta(days=day.weekday())).isoformat()
