"""Outcomes of touchpoints and messages, reported by people and tools outside and by the notifier."""

from typing import Final, Literal

from schemas.base import Id, LongText, Name, SchemaModel, Text
from schemas.times import Instant
from schemas.vocabulary import Channel, DeliveryState, Engagement, Outcome

TOUCHPOINT_SETTLED: Final = "drumbeat.touchpoint.settled.v1"
MESSAGE_ENGAGED: Final = "drumbeat.message.engaged.v1"
DELIVERY_FINISHED: Final = "drumbeat.delivery.finished.v1"


class TouchpointSettled(SchemaModel):
    """A touchpoint took place or did not. Without a touchpoint id it is contact of that type outside the plan."""

    touchpoint_id: Id | None = None
    touchpoint_type: Name
    outcome: Outcome
    at: Instant | None = None
    to: Instant | None = None
    """The new time of a rescheduled touchpoint."""
    notes: LongText | None = None


class MessageEngaged(SchemaModel):
    """A recipient or their mail server reacted to a message from Drumbeat."""

    delivery_id: Id
    touchpoint_id: Id | None = None
    kind: Engagement
    bounce: Literal["hard", "soft"] | None = None
    """How the mail bounced. hard, or absent: the address takes no mail; soft: for the moment."""


class Recipient(SchemaModel):
    """The recipient of a delivery: a CSM, a contact or a webhook subscription."""

    kind: Literal["csm", "contact", "subscription"]
    id: Id


class DeliveryFinished(SchemaModel):
    """A delivery of the notifier reached its final state."""

    delivery_id: Id
    touchpoint_id: Id | None = None
    touchpoint_type: Name | None = None
    channel: Channel
    recipient: Recipient
    state: DeliveryState
    reason: Text | None = None
    at: Instant
