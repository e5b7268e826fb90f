"""Outcomes of touchpoints and messages, reported by people and tools outside and by the notifier."""

from typing import ClassVar, Final, Literal, Self

from pydantic import ConfigDict, model_validator

from schemas.base import Id, Name, SchemaModel, Text, TrimmedId, TrimmedLongText, TrimmedName, WebAddress
from schemas.times import Instant
from schemas.vocabulary import Bounce, Channel, DeliveryCause, DeliveryState, Engagement, ReportedOutcome

TOUCHPOINT_SETTLED: Final = "drumbeat.touchpoint.settled.v1"
MESSAGE_ENGAGED: Final = "drumbeat.message.engaged.v1"
DELIVERY_FINISHED: Final = "drumbeat.delivery.finished.v1"


class TouchpointSettled(SchemaModel):
    """A touchpoint took place or did not. Without a touchpoint id it is contact of that type outside the plan."""

    touchpoint_id: TrimmedId | None = None
    touchpoint_type: TrimmedName
    outcome: ReportedOutcome
    """reopened: what was reported before does not count."""
    at: Instant | None = None
    to: Instant | None = None
    """The new time of a rescheduled touchpoint."""
    notes: TrimmedLongText | None = None


class MessageEngaged(SchemaModel):
    """A recipient or their mail server reacted to a message from Drumbeat, which its delivery or its Message-ID names."""

    model_config: ClassVar[ConfigDict] = ConfigDict(
        json_schema_extra={
            "anyOf": [
                {"required": ["delivery_id"], "properties": {"delivery_id": {"type": "string"}}},
                {"required": ["message_id"], "properties": {"message_id": {"type": "string"}}},
            ]
        }
    )

    delivery_id: TrimmedId | None = None
    message_id: TrimmedId | None = None
    touchpoint_id: TrimmedId | None = None
    touchpoint_type: TrimmedName | None = None
    """Of the touchpoint to which an invitation was answered."""
    kind: Engagement
    bounce: Bounce | None = None
    """How the mail bounced. hard, or absent: the address takes no mail; soft: for the moment."""
    url: WebAddress | None = None
    """What was clicked."""
    text: TrimmedLongText | None = None
    """What was replied."""
    declined_by_all: bool | None = None
    """With `declined`: whether everybody of the customer who is invited has declined; absent: as far as is known."""
    automatic: bool | None = None
    """Of opened and clicked. true: a machine did it, for instance the image proxy of a mail provider or a scanner of
    links; whether a person did is not known then."""

    @model_validator(mode="after")
    def _names_a_message(self) -> Self:
        if self.delivery_id is None and self.message_id is None:
            raise ValueError("delivery_id or message_id is required; name the message")
        return self


class Recipient(SchemaModel):
    """The recipient of a delivery: a person of ours, a contact, a webhook subscription, or the fallback mailbox."""

    kind: Literal["csm", "contact", "subscription", "mailbox"]
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
    cause: DeliveryCause | None = None
    """Of what was not sent: the kind of reason. `quiet_hours`: they lasted past the deadline; `no_recipient`: nobody of
    the audience is known and present, or the work has no owner; `on_hold`: customer messages, or all mail, are held;
    `no_content`: there is nothing to say; `approval`: nobody approved it, or somebody decided against it;
    `handed_off`: an automation platform writes to the customer instead, and reports the outcome."""
    at: Instant
