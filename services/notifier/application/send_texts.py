"""Send short texts to contacts: a text message or one in Slack, written from the same content as the mail."""

from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import Final

from services.notifier.application.claim_results import attempted, finished
from services.notifier.application.hand_over_mail import StopMail, hand_over
from services.notifier.application.mail_ports import BeginningMail, Handover
from services.notifier.application.ports import ClaimResult, MessageClaim, NewDelivery, Now
from services.notifier.application.send_to_customers import CustomerBatch
from services.notifier.application.sending import Sending
from services.notifier.application.text_ports import TextMessage
from services.notifier.application.write_customer_mail import CustomerMessage, Reader
from services.notifier.domain.contact_channel import MAIL, SMS, address_on
from services.notifier.domain.decision import Reason
from services.notifier.domain.delivery import AttemptOutcome, Response, State
from services.notifier.domain.message import one_line, sentence_case
from services.notifier.domain.sms_text import MOST_SEGMENTS, write_sms

NOT_REPEATED: Final = "it is not sent again, so that nobody gets a text message twice"
TOO_LONG: Final = f"it does not fit into {MOST_SEGMENTS} segments of a text message"
MOST_SLACK: Final = 3_000
"""Characters of a text in Slack before it is cut; Slack advises 4,000 at the most."""


def write_text(
    claim: MessageClaim, message: CustomerMessage, reader: Reader, sending: Sending, now: Now
) -> TextMessage | ClaimResult:
    """The text of a claim, or the result of one that is not sent."""
    channel = claim.delivery.channel
    if channel == SMS and claim.ambiguous:
        return ClaimResult(claim, finished(claim, State.FAILED, NOT_REPEATED))
    to = address_on(reader.contact, channel) if reader.contact else None
    text = _sms(message, reader, sending) if channel == SMS else _slack(message, reader, sending)
    if text is None or to is None:
        detail = TOO_LONG if to else str(Reason.NO_NUMBER if channel == SMS else Reason.NO_SLACK_ID)
        refused = Response(AttemptOutcome.REFUSED, detail, is_permanent=True)
        return _with_mail(attempted(claim, refused, now), now)
    return TextMessage(claim.delivery.id, to, text)


def _sms(message: CustomerMessage, reader: Reader, sending: Sending) -> str | None:
    """Who writes and what about, the first paragraph as far as it fits, the page of the contact, and how to end it."""
    writer = sending.customers.writer
    phrases = writer.book.phrases(message.language, reader.zone)
    title, paragraph = (
        one_line(message.message.subject),
        sentence_case(one_line(_first_paragraph(message.body), 1_000)),
    )
    ending = [message.page_url, *([phrases.text("sms", "stop")] if sending.texts.takes_answers else [])]
    opening = f"{writer.organization}: {title}"
    if opening[-1] not in ".!?:" and paragraph:
        opening += "."
    return write_sms(opening, paragraph, "\n".join(filter(None, ending)))


def _first_paragraph(body: str) -> str:
    """The first that says something: a greeting is a line of its own that ends with a comma."""
    paragraphs = [part.strip() for part in body.split("\n\n") if part.strip()]
    substantial = [part for part in paragraphs if not (part.endswith((",", ":")) and "\n" not in part)]
    return next(iter(substantial), "")


def _slack(message: CustomerMessage, reader: Reader, sending: Sending) -> str:
    """The whole message, and the page of the contact."""
    writer = sending.customers.writer
    phrases = writer.book.phrases(message.language, reader.zone)
    body = message.body.strip()
    if len(body) > MOST_SLACK:
        body = body[:MOST_SLACK].rsplit(maxsplit=1)[0] + " …"
    link = f"{phrases.text('mail', 'page')}: {message.page_url}" if message.page_url else ""
    title = one_line(message.message.subject)
    return "\n\n".join(filter(None, (f"{writer.organization}: {title}", body, link)))


async def send_text(
    claim: MessageClaim,
    text: TextMessage,
    program_id: str | None,
    batch: CustomerBatch,
    sending: Sending,
    stop: StopMail,
) -> Sequence[ClaimResult]:
    """Hand the text to the gateway of its channel; the results that are not recorded yet."""
    sender = sending.texts.senders[claim.delivery.channel]
    situation, now = batch.situations[claim.delivery.id], batch.now
    contacts = situation.account.contacts if situation.account else ()
    contact = situation.contact(claim.delivery.recipient.id)
    beginning = BeginningMail(
        [claim], [one.contact_id for one in contacts], contact.email if contact else None
    )

    def results_of(response: Response) -> Sequence[ClaimResult]:
        result = attempted(claim, response, now, address=text.to)
        return [_with_mail(replace(result, program_id=program_id), now)]

    def send(handover: Handover) -> Awaitable[Response]:
        return sender.send(text, at=now.real, handover=handover)

    return await hand_over(send, beginning, sending.recorder, results_of=results_of, stop=stop)


def _with_mail(result: ClaimResult, now: Now) -> ClaimResult:
    """What ended without having reached the recipient goes by mail; what may have reached them does not."""
    claim, attempt = result.claim, result.attempt
    in_doubt = claim.ambiguous or (attempt is not None and attempt.outcome is AttemptOutcome.AMBIGUOUS)
    if result.delivery.state is not State.FAILED or in_doubt:
        return result
    mail = NewDelivery(claim.event, MAIL, claim.delivery.recipient, next_at=now.real)
    return replace(result, additions=(mail,))
