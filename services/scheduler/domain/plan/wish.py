"""What the plan of one account wishes, what the calendar holds, and the changes between the two."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from zoneinfo import ZoneInfo

from services.scheduler.domain.avoid import PAUSE, Avoid, concerning
from services.scheduler.domain.calendar import Hours, mail_hours
from services.scheduler.domain.recurrence import Rhythm, Series
from services.scheduler.domain.touchpoint import (
    HUMAN,
    Closure,
    Face,
    Owner,
    Status,
    Touchpoint,
    Verdict,
    cancelled,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOff:
    """A touchpoint the plan wants once, somewhere in [start, end], at the latest by its deadline."""

    id: str
    type: str
    start: datetime
    end: datetime
    deadline: datetime | None
    owner: Owner
    csm_id: str | None
    minutes: int
    face: Face
    spacing_days: int | None
    never_skip: bool = False

    @property
    def latest(self) -> datetime:
        return self.end if self.deadline is None else self.deadline


@dataclass(frozen=True, slots=True)
class Plan:
    account_id: str
    version: int
    decided_at: datetime
    rhythms: tuple[Rhythm, ...]
    one_offs: tuple[OneOff, ...]
    avoid: tuple[Avoid, ...] = ()


@dataclass(frozen=True, slots=True)
class Context:
    """Whose hours count: the account's zone, the described hours of CSMs, and the rest's."""

    zone: ZoneInfo
    default: Hours
    by_csm: Mapping[str, Hours]

    def opening(self, owner: Owner, csm_id: str | None, face: Face) -> tuple[ZoneInfo, Hours | None]:
        """The zone to step in, and the open hours; work no customer sees may stand at any hour."""
        if owner in HUMAN:
            hours = self.by_csm.get(csm_id or "", self.default)
            return hours.zone, None if face.topic is None else hours
        internal = face.topic is None or face.channel == "in_app"
        return self.zone, None if internal else mail_hours(self.zone)


@dataclass(frozen=True, slots=True)
class Held:
    """What the calendar holds: open touchpoints, those the plan names, series and the last due by type."""

    touchpoints: Sequence[Touchpoint]
    series: Mapping[str, Series]
    last_due: Mapping[str, datetime]


@dataclass(frozen=True, slots=True)
class Create:
    touchpoint: Touchpoint
    why: str


@dataclass(frozen=True, slots=True)
class Move:
    touchpoint: Touchpoint
    why: str


@dataclass(frozen=True, slots=True)
class Cancel:
    touchpoint: Touchpoint
    why: str


@dataclass(frozen=True, slots=True)
class Keep:
    """`refreshed`: something no reader acts upon was brought up to date (its reason, its wording)."""

    touchpoint: Touchpoint
    why: str
    refreshed: bool = False


Change = Create | Move | Cancel | Keep


@dataclass(frozen=True, slots=True)
class Convergence:
    """`stretched`: how many of the changes leave a longer gap than there should be."""

    changes: tuple[Change, ...]
    series: tuple[Series, ...]
    stretched: int = 0


@dataclass(frozen=True, slots=True)
class Turn:
    plan: Plan
    held: Held
    context: Context
    now: datetime

    def come_due(self, touchpoint: Touchpoint) -> bool:
        if touchpoint.status is not Status.PLANNED:
            return True
        asked = min(self.now, self.plan.decided_at)
        return touchpoint.due_at <= asked and not self._kept_back(touchpoint)

    def windows(self, touchpoint_type: str, topic: str | None) -> tuple[Avoid, ...]:
        """What is to be avoided for that type."""
        return concerning(self.plan.avoid, touchpoint_type, topic) if self.plan.avoid else ()

    def _kept_back(self, touchpoint: Touchpoint) -> bool:
        """Whether it would still be released into a time to avoid; a pause holds what is late as well."""
        if not self.plan.avoid:
            return False
        series = self.held.series.get(touchpoint.type)
        face = touchpoint.face or (None if series is None else series.face)
        return face is not None and any(
            each.covers(touchpoint.due_at) or (each.name == PAUSE and each.covers(self.now))
            for each in self.windows(touchpoint.type, face.topic)
        )


def towards(held: Touchpoint, wished: Touchpoint, why: str) -> Change:
    if held == wished:
        return Keep(held, why)
    if _visible(held) == _visible(wished):
        return Keep(wished, why, refreshed=True)
    return Move(replace(wished, sequence=held.sequence + 1), why)


def _visible(touchpoint: Touchpoint) -> tuple[object, ...]:
    return (
        touchpoint.due_at,
        touchpoint.start,
        touchpoint.end,
        touchpoint.deadline,
        touchpoint.owner,
        touchpoint.csm_id,
    )


def withdraw(touchpoint: Touchpoint, turn: Turn) -> Change:
    if turn.come_due(touchpoint):
        return Keep(touchpoint, "it has come due")
    return withdrawn(touchpoint, f"the plan of version {turn.plan.version} no longer asks for it")


def withdrawn(touchpoint: Touchpoint, why: str) -> Cancel:
    return Cancel(cancelled(touchpoint, Verdict(Closure.WITHDRAWN, why)), why)
