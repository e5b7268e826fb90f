"""Write and send what contacts at the customer get: content, facts and links of one message each."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from schemas.touchpoints import TouchpointData
from services.cadence.content.parse import ContentFile
from services.notifier.application.claim_results import finished
from services.notifier.application.mail_ports import Mail, Mailbox
from services.notifier.application.message_facts import (
    FactsSource,
    FactsWanted,
    MessageFacts,
    gather_facts,
)
from services.notifier.application.ports import ClaimResult, InAppMessage, MessageClaim, Now
from services.notifier.application.write_customer_mail import (
    CustomerMessage,
    CustomerWriter,
    Draft,
    NoContent,
    Reader,
    content_of,
    missing_content,
    write_customer_message,
)
from services.notifier.domain.decision import Reason
from services.notifier.domain.delivery import Recipient, State
from services.notifier.domain.event import Event, News
from services.notifier.domain.hand_off import HandOffAudience, find_hand_off_audience
from services.notifier.domain.situation import Directory, Situation

FACTS_AGAIN: Final = timedelta(seconds=30)
"""Real time until facts that were not available are asked for again."""
_SHORTEST_WAIT: Final = timedelta(days=1)
_NOTICE_WAIT: Final = timedelta(days=3)
PROGRAM_AGAIN: Final = timedelta(seconds=10)
"""Real time until a program that another delivery presents at this moment is looked for again."""
IN_ANOTHER: Final = "another message presents the program to the contact at this moment"
POSTED: Final = "posted in the app"


@dataclass(frozen=True, slots=True)
class CustomerSending:
    """How customers' messages are written: the writer, and who has the facts."""

    writer: CustomerWriter
    facts: FactsSource


def reader_of(claim: MessageClaim, directory: Directory, situation: Situation) -> Reader:
    """The contact with the account and the person who leads it; a reminder names whoever leads the touchpoint."""
    account, event = situation.account, claim.event
    of_touchpoint = event.content.owner.csm_id if event.news is News.REMINDER else None
    leads = of_touchpoint or (account.csm_id if account else None)
    contact = situation.contact(claim.delivery.recipient.id)
    return Reader(account, contact, directory.csms.get(leads or ""))


@dataclass(slots=True)
class CustomerBatch:
    """What the messages of one batch are written from. `facts`: by delivery id.

    `situations` by delivery id. `presented`: the programs that messages of this batch present, by contact, so that two of
    one batch are not the same.
    """

    directory: Directory
    situations: Mapping[str, Situation]
    facts: Mapping[str, MessageFacts]
    now: Now
    sending: CustomerSending
    presented: defaultdict[str, set[str]] = field(default_factory=lambda: defaultdict[str, set[str]](set))


async def gather_batch(
    claims: Sequence[MessageClaim],
    directory: Directory,
    situations: Mapping[str, Situation],
    now: Now,
    sending: CustomerSending,
) -> CustomerBatch:
    """Ask for the facts of these messages to contacts once; those without content need none."""
    wanted: dict[str, FactsWanted] = {}
    for claim in claims:
        situation = situations[claim.delivery.id]
        if claim.event.is_handed_off(situation.handling.hand_off):
            wanted |= _wanted_by_platform(claim, directory, situation, now)
            continue
        if claim.delivery.recipient.id is None:
            continue
        reader = reader_of(claim, directory, situation)
        content = content_of(claim.event, reader, directory.contents)
        if content is not None and reader.contact is not None:
            wanted[claim.delivery.id] = FactsWanted(claim.event, content)
    facts = await gather_facts(list(wanted.values()), sending.facts)
    return CustomerBatch(directory, situations, dict(zip(wanted, facts, strict=True)), now, sending)


def _wanted_by_platform(
    claim: MessageClaim, directory: Directory, situation: Situation, now: Now
) -> dict[str, FactsWanted]:
    """What the content in each language of a message reads that is handed off, by delivery and language."""
    audience = find_hand_off_audience(claim.event, situation, now.service)
    readers = handed_off_readers(audience, directory, situation)
    contents = [content_of(claim.event, reader, directory.contents) for _, reader in readers]
    return {
        f"{claim.delivery.id}:{content.language}": FactsWanted(claim.event, content)
        for content in contents
        if content is not None
    }


def handed_off_readers(
    audience: HandOffAudience, directory: Directory, situation: Situation
) -> Iterator[tuple[Recipient, Reader]]:
    """Those of the audience who may be written to."""
    account = situation.account
    csm = directory.csms.get((account.csm_id if account else None) or "")
    for recipient in audience.opens_at:
        yield recipient, Reader(account, situation.contact(recipient.id), csm)


def write_for_customer(
    claim: MessageClaim, reader: Reader, batch: CustomerBatch
) -> CustomerMessage | ClaimResult:
    """The message, or the result of a claim for which none is written now."""
    contact_id = claim.delivery.recipient.id or ""
    content = content_of(claim.event, reader, batch.directory.contents)
    facts = batch.facts.get(claim.delivery.id, MessageFacts())
    if content is None:
        return without_content(claim, missing_content(claim.event))
    if facts.problem is not None:
        return without_facts(claim, facts.problem, batch.now)
    written = write_customer_message(draft_for(claim, reader, content, batch), batch.sending.writer)
    if isinstance(written, NoContent):
        return without_content(claim, written)
    if written.program_id is not None:
        batch.presented[contact_id].add(written.program_id)
    return written


def draft_for(claim: MessageClaim, reader: Reader, content: ContentFile, batch: CustomerBatch) -> Draft:
    """What the message of this claim is written from."""
    contact_id = claim.delivery.recipient.id or ""
    return Draft(
        event=claim.event,
        content=content,
        reader=reader,
        facts=batch.facts.get(claim.delivery.id, MessageFacts()),
        now=batch.now.service,
        contents=batch.directory.contents,
        presented=batch.directory.programs.get(contact_id, frozenset()) | batch.presented[contact_id],
    )


def without_content(claim: MessageClaim, problem: NoContent) -> ClaimResult:
    """S173: without something to say nothing is sent."""
    text = f"{Reason.NO_CONTENT}: {problem.detail}"
    return ClaimResult(claim, finished(claim, State.EXPIRED, text))


def without_facts(claim: MessageClaim, problem: str, now: Now) -> ClaimResult:
    """Wait for the facts as long as the message is worth sending; waiting is no attempt."""
    text = f"{Reason.NO_FIGURES}: {problem}"
    if now.service >= worth_sending_until(claim.event):
        return ClaimResult(claim, finished(claim, State.EXPIRED, text))
    return ClaimResult(claim, claim.delivery.postponed(now.real + FACTS_AGAIN, text))


def wait_for_program(claim: MessageClaim, now: Now) -> ClaimResult:
    """Wait until it is known whether the contact got the program with another delivery; waiting is no attempt."""
    return ClaimResult(claim, claim.delivery.postponed(now.real + PROGRAM_AGAIN, IN_ANOTHER))


def worth_sending_until(event: Event) -> datetime:
    """Its deadline, else the end of its window, at least a day from when it came due; a notice three days.

    A reminder until its touchpoint begins.
    """
    content = event.content
    if not isinstance(content, TouchpointData):
        return event.time + _NOTICE_WAIT
    if event.news is News.REMINDER:
        return content.due_at
    return content.deadline or max(content.window.to, event.time + _SHORTEST_WAIT)


def customer_mail(claim: MessageClaim, written: CustomerMessage, reader: Reader) -> Mail:
    """The mail of a claim; answers go to whoever leads the account."""
    leads = reader.csm is not None and reader.csm.email
    return Mail(
        claim.message_id,
        (reader.contact.email if reader.contact else None) or "",
        written.message,
        written.unsubscribe_url or None,
        reply_to=Mailbox(reader.csm.name or "", reader.csm.email or "") if reader.csm and leads else None,
    )


def post_to_customer(claim: MessageClaim, written: CustomerMessage) -> ClaimResult:
    """The result of a claim for the in-app feed: title and text, without the layout of a mail."""
    posted = claim.delivery.finished(State.SENT, POSTED)
    in_app = InAppMessage(written.message.subject, written.body)
    return ClaimResult(claim, posted, in_app=in_app, program_id=written.program_id)
