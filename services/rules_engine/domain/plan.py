"""The plan: what should happen with an account, whole, and why. The highest rung: it reads everything below.

`decide` is pure. Equal policy, facts, issued, book and now give an equal plan, to the byte.
"""

from dataclasses import dataclass
from datetime import datetime

from services.rules_engine.domain.book import Book
from services.rules_engine.domain.facts import Facts
from services.rules_engine.domain.issued import Issued


@dataclass(frozen=True, slots=True)
class Evidence:
    """A value that a rule read, and the fact it rests on."""

    name: str
    value: str | int | float | bool | list[str] | None
    source: str
    id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Reason:
    rule: str
    policy: str
    facts: tuple[Evidence, ...]
    text: str


@dataclass(frozen=True, slots=True)
class RhythmItem:
    """A touchpoint that comes again every so many days."""

    touchpoint_type: str
    every_days: int
    channel: str
    owner: str
    csm_id: str | None
    purpose: str
    topic: str | None
    minutes: int
    urgency: str
    audience: tuple[str, ...]
    last_touch_at: datetime | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class OneOffItem:
    """A touchpoint that happens once, inside its window."""

    id: str
    touchpoint_type: str
    window_from: datetime
    window_to: datetime
    deadline: datetime | None
    channel: str
    owner: str
    csm_id: str | None
    purpose: str
    topic: str | None
    minutes: int
    audience: tuple[str, ...]
    spacing_days: int | None
    cause: tuple[str, str] | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class Plan:
    rhythms: tuple[RhythmItem, ...]
    touchpoints: tuple[OneOffItem, ...]


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A wish that was not granted, and what stopped it."""

    touchpoint_type: str
    rule: str
    reason: str


@dataclass(frozen=True, slots=True)
class PlanChange:
    """kind: rhythm_added, rhythm_changed, rhythm_removed, touchpoint_added, touchpoint_changed, touchpoint_removed."""

    kind: str
    touchpoint_type: str
    text: str


@dataclass(frozen=True, slots=True)
class Decision:
    """`key` (16 bytes) is equal exactly when the plan's effect is equal; evidence and wording are not part of it."""

    plan: Plan
    key: bytes
    segment: str
    stage: str
    color: str | None
    fired: int
    next_evaluation_at: datetime | None
    suppressed: tuple[Suppressed, ...]


def decide(policy: object, facts: Facts, issued: Issued, book: Book, now: datetime) -> Decision:
    """The whole plan of an account at `now`."""
    raise NotImplementedError


def plan_document(plan: Plan) -> dict[str, object]:
    """`{rhythms, touchpoints}` in the shapes of the wire, JSON-ready (times as RFC 3339 text)."""
    raise NotImplementedError


def plan_bytes(plan: Plan) -> bytes:
    """The canonical JSON of `plan_document`: without version and decided_at, equal for equal plans."""
    raise NotImplementedError


def plan_from_bytes(data: bytes) -> Plan:
    """The plan that `plan_bytes` wrote."""
    raise NotImplementedError


def changes(old: Plan | None, new: Plan) -> list[PlanChange]:
    """What is different, in words a CSM reads."""
    raise NotImplementedError
