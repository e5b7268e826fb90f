"""Talks: the calls and meetings with customers that count as contacts, as the events of touchpoints tell of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.touchpoints import TouchpointData
from schemas.vocabulary import SPOKEN, ReportedOutcome
from services.notifier.domain.event import CANCELLED, Event

TOOK_PLACE: Final = frozenset[ReportedOutcome]({"completed", "attended"})
LOST: Final = frozenset[ReportedOutcome]({"missed", "declined", "cancelled"})


@dataclass(frozen=True, slots=True)
class Talk:
    """A call or a meeting at this moment of service time. `audience`: roles of whom it is with; empty: all."""

    touchpoint_id: str
    account_id: str
    touchpoint_type: str
    channel: str
    audience: tuple[str, ...]
    at: datetime
    sequence: int
    is_cancelled: bool


@dataclass(frozen=True, slots=True)
class Settlement:
    """What became of a touchpoint. `at`: when it took place, or when that was reported."""

    touchpoint_id: str
    outcome: ReportedOutcome
    at: datetime

    @property
    def took_place(self) -> bool:
        """Whether it took place."""
        return self.outcome in TOOK_PLACE

    @property
    def is_over(self) -> bool:
        """Whether it is no contact any more: it was missed, declined or cancelled. A new time comes with an event."""
        return self.outcome in LOST


def latest_talks(events: Iterable[Event]) -> list[Talk]:
    """The talks that these events tell of, each by its latest event, in order of their ids."""
    talks: dict[str, Talk] = {}
    for event in events:
        talk = _talk_of(event)
        known = talks.get(talk.touchpoint_id) if talk else None
        if talk is not None and (known is None or known.sequence <= talk.sequence):
            talks[talk.touchpoint_id] = talk
    return [talks[touchpoint_id] for touchpoint_id in sorted(talks)]


def _talk_of(event: Event) -> Talk | None:
    """None for a message, a notice and internal work."""
    content = event.content
    if not isinstance(content, TouchpointData) or content.channel not in SPOKEN or content.topic is None:
        return None
    return Talk(
        content.touchpoint_id,
        content.account_id,
        content.touchpoint_type,
        content.channel,
        content.audience,
        content.due_at,
        content.sequence,
        event.type == CANCELLED,
    )
