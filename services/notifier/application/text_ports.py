"""What the use cases that send short texts need from outside: the gateways, by channel."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from services.notifier.application.mail_ports import Handover
from services.notifier.domain.delivery import Response
from services.notifier.domain.situation import NOT_SET_UP


@dataclass(frozen=True, slots=True)
class TextMessage:
    """A text to one recipient. `to`: a number in E.164, or an id of Slack."""

    delivery_id: str
    to: str
    text: str


class TextSender(Protocol):
    async def send(self, message: TextMessage, *, at: datetime, handover: Handover | None = None) -> Response:
        """Make one attempt at this real moment; what did not begin is unreached. Never raises for the other side."""
        ...


@dataclass(frozen=True, slots=True)
class TextSending:
    """The gateways by channel, and the channels that are closed with what to set. `takes_answers`: STOP reaches us."""

    senders: Mapping[str, TextSender] = field(default_factory=dict[str, TextSender])
    closed: Mapping[str, str] = field(default_factory=lambda: NOT_SET_UP)
    takes_answers: bool = True
