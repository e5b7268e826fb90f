"""Receive a text message of a customer: STOP and START bind at once, everything else is an answer."""

from typing import Final, Protocol

from services.notifier.application.receive_mail import Inbound, InboundResult
from services.notifier.domain.inbound_mail import Ignored, InboundMail, Reply
from services.notifier.domain.sms_events import TextAnswer
from services.notifier.domain.sms_keywords import SmsKeyword

NOBODY_ASKED: Final = "Drumbeat sent no text message to this number"


class TextConsents(Protocol):
    """Consent to text messages by number."""

    async def has_stopped(self, number: str) -> bool: ...

    async def record(self, answer: TextAnswer, keyword: SmsKeyword) -> InboundResult:
        """Bind everyone with this number, now and later; doing it again changes nothing."""
        ...

    async def last_delivery(self, number: str) -> str | None:
        """The last text message that went to a contact with this number."""
        ...


async def receive_text(answer: TextAnswer, consents: TextConsents, inbound: Inbound) -> InboundResult:
    """What became of it."""
    keyword = answer.keyword_of(has_stopped=await consents.has_stopped(answer.number))
    if keyword is not None:
        return await consents.record(answer, keyword)
    delivery_id = await consents.last_delivery(answer.number)
    if delivery_id is None:
        return await inbound.receive(InboundMail(answer.id, Ignored(NOBODY_ASKED)))
    return await inbound.receive(InboundMail(answer.id, Reply(answer.number, [delivery_id], answer.text)))
