"""The shapes of a plan: values that travel, and the reasons that travel with them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from services.cadence.account import Plain

Cause = Literal[
    "precedence",
    "preference",
    "cooldown",
    "cap",
    "limit",
    "asked_first",
    "pause",
    "blackout",
    "over",
    "fallback",
]
"""What stopped a rule that holds. `over`: what it asks for has come due or ended already."""


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
    never_skip: bool = False


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
    never_skip: bool = False


@dataclass(frozen=True, slots=True)
class Avoid:
    """A time in which nothing of these types (none named: all that a customer hears of) is to be held.

    `end` itself is outside it; None: until further notice.
    """

    name: str
    start: datetime
    end: datetime | None
    touchpoint_types: tuple[str, ...]
    text: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Rhythms by type, at most one each; one-offs by window and id; what to avoid by time and name."""

    rhythms: tuple[RhythmItem, ...]
    touchpoints: tuple[OneOffItem, ...]
    avoid: tuple[Avoid, ...] = ()


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A wish that was not granted, what stopped it, until when if known, and which rule, limit or season did it."""

    touchpoint_type: str
    rule: str
    reason: str
    cause: Cause
    until: datetime | None = None
    by: str = ""


@dataclass(frozen=True, slots=True)
class PlanChange:
    """`kind`: rhythm_added, _changed, _removed; touchpoint_added, _changed, _removed."""

    kind: str
    touchpoint_type: str
    text: str
