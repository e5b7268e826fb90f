"""The shapes of a plan: values that travel, and the reasons that travel with them."""

from dataclasses import dataclass
from datetime import datetime

from services.rules_engine.domain.facts import Plain


@dataclass(frozen=True, slots=True)
class Evidence:
    """A value that a rule read, and the fact it rests on."""

    name: str
    value: Plain
    source: str
    id: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Reason:
    """`policy` is the policy's hash; `text` a sentence for the CSM."""

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
    audience: tuple[str, ...]
    urgency: str
    last_touch_at: datetime | None
    reason: Reason


@dataclass(frozen=True, slots=True)
class OneOffItem:
    """A touchpoint that happens once, inside its window. `cause`: (source, id) of the fact it springs from."""

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
    """Rhythms by type, at most one each; one-offs by window and id."""

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
    """`kind`: rhythm_added, _changed, _removed; touchpoint_added, _changed, _removed."""

    kind: str
    touchpoint_type: str
    text: str
