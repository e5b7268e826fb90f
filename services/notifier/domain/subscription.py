"""A webhook subscription: which events an endpoint wants, and the keys that sign them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal

from schemas.subscriptions import SUBSCRIPTION_EVENTS
from schemas.touchpoints import TOUCHPOINT_EVENTS, TouchpointData
from services.notifier.domain.event import Event, Notice

FilterField = Literal["account_id", "touchpoint_type", "owner", "csm_id", "channel", "status"]
TYPES = frozenset(TOUCHPOINT_EVENTS)
"""Those that a subscription or a reader of the stream gets who names none."""
NAMED_TYPES = frozenset(SUBSCRIPTION_EVENTS)
"""Those for who operates Drumbeat: only whoever names them gets them."""
ROTATION_GRACE = timedelta(hours=24)

Filter = Mapping[FilterField, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Subscription:
    """Empty `types`: all about touchpoints. Each field in `filter` must have one of its values; empty: no condition.

    `contact`: the mail address that is told when the endpoint keeps failing. Not `is_active`: it is disabled. `name`: the
    platform that it is. `content`: it gets the messages of every platform.
    """

    id: str
    url: str
    types: frozenset[str] = frozenset()
    filter: Filter = field(default_factory=dict[FilterField, Sequence[str]])
    contact: str | None = None
    is_active: bool = True
    name: str | None = None
    content: bool = False

    def takes(self, platform: str, event: Event) -> bool:
        """Whether it gets the message about this event that is handed off to this platform."""
        return self.is_active and (self.content or self.name == platform) and self.wants(event)

    def wants(self, event: Event) -> bool:
        if isinstance(event.content, Notice) or (self.types and event.type not in self.types):
            return False
        touchpoint = event.content
        return all(_field_value(touchpoint, name) in values for name, values in self.filter.items())


def _field_value(touchpoint: TouchpointData, name: FilterField) -> str | None:
    match name:
        case "owner":
            return touchpoint.owner.kind
        case "csm_id":
            return touchpoint.owner.csm_id
        case _:
            return str(getattr(touchpoint, name))


@dataclass(frozen=True, slots=True)
class Secrets:
    """The signing keys of an endpoint, sealed; after a rotation the previous one still signs for a while."""

    current: bytes
    previous: bytes | None = None
    previous_until: datetime | None = None

    def valid_at(self, at: datetime) -> tuple[bytes, ...]:
        """The keys that sign at this real moment, newest first."""
        if self.previous is None or self.previous_until is None or at >= self.previous_until:
            return (self.current,)
        return (self.current, self.previous)

    def rotated(self, new: bytes, at: datetime) -> "Secrets":
        return Secrets(current=new, previous=self.current, previous_until=at + ROTATION_GRACE)
