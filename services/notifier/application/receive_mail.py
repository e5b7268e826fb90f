"""Receive what came in about a mail of ours, once: a fact, news for people of ours, or a reason why neither."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Protocol
from uuid import UUID

from schemas.ids import derived_id
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.inbound_decision import AnsweredMail, InboundDecision, decide_inbound
from services.notifier.domain.inbound_mail import (
    CalendarAnswer,
    Ignored,
    InboundMail,
    MailContent,
    Reply,
    kind_of,
)
from services.notifier.domain.mail_reports import Bounce, Complaint
from services.notifier.domain.provider_events import MOST_ID, EngagementReport, ProviderReport

NOT_MEASURED: Final[Mapping[str, str]] = {
    "opened": "opens are not measured: DRUMBEAT_TRACKING__OPENS is off, or all mail is redirected",
    "clicked": "clicks are not measured: DRUMBEAT_TRACKING__CLICKS is off, or all mail is redirected",
}
OBJECTS: Final = "the contact objects to being measured"


@dataclass(frozen=True, slots=True)
class InboundResult:
    """What became of it. `reason`: why it does not count; `delivery_id`: of the mail that it is about, if found."""

    kind: str
    counted: bool
    delivery_id: str | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Received:
    """What is to be stored. `id`: the same whenever the same comes in. `at`: when it happened (real time); None: now."""

    id: str
    result: InboundResult
    mail: AnsweredMail | None
    decision: InboundDecision
    provider_id: str | None = None
    at: datetime | None = None


class InboundWork(Protocol):
    """One transaction in which something is received."""

    async def begin(self, id_: str) -> InboundResult | None:
        """What became of the same before, if it counted; nobody else receives it until the transaction ends."""
        ...

    async def find_mail(self, delivery_ids: Sequence[str]) -> AnsweredMail | None:
        """The first of these deliveries that is a mail which was sent, or is being sent."""
        ...

    async def find_delivery(self, provider_ids: Sequence[str]) -> str | None:
        """The delivery that a provider reported under one of these ids."""
        ...

    async def find_invitation(self, touchpoint_id: str, addresses: Collection[bytes]) -> AnsweredMail | None:
        """The newest invitation to this touchpoint that went to one of these addresses, else the newest to others."""
        ...

    async def objects_to_measuring(self, contact_id: str) -> bool:
        """Whether nothing is to be measured of the contact."""
        ...

    async def record(self, received: Received) -> None:
        """Store it with the facts and the news that come of it."""
        ...


class Inbound(Protocol):
    """Receives one mail in a transaction of its own."""

    async def receive(self, mail: InboundMail) -> InboundResult: ...


async def receive_mail(
    mail: InboundMail, *, work: InboundWork, addresses: AddressKey, measured: Collection[str] = ()
) -> InboundResult:
    """Doing it again changes nothing, unless it did not count before. `measured`: the engagements that are."""
    id_ = derived_id("inbound", kind_of(mail.content), mail.id)
    before = await work.begin(id_)
    if before is not None:
        return before
    hashes = {one for address in _addresses_in(mail.content) for one in addresses.hashes_of(address)}
    answered = await _find(mail.content, work, hashes)
    decision = decide_inbound(mail.content, answered, hashes)
    delivery_id = answered.delivery_id if answered else None
    result = InboundResult(kind_of(mail.content), decision.counts, delivery_id, decision.reason)
    received = Received(id_, result, answered, decision, mail.provider_id)
    if isinstance(mail.content, EngagementReport):
        return await _receive_engagement(received, mail.content, work, measured)
    await work.record(received)
    return result


async def _receive_engagement(
    received: Received, report: EngagementReport, work: InboundWork, measured: Collection[str]
) -> InboundResult:
    """Of a mail counts one engagement of a kind by a person, whoever reports it, and one by a machine before that."""
    mail = received.mail
    if mail is not None and received.decision.counts:
        refusal = NOT_MEASURED.get(report.kind) if report.kind not in measured else None
        if refusal is None and await work.objects_to_measuring(mail.recipient.id or ""):
            refusal = OBJECTS
        if refusal is None:
            return await _receive_measured(received, report, mail, work)
        # Nothing is kept about the mail.
        result = InboundResult(report.kind, counted=False, reason=refusal)
        received = replace(
            received, result=result, mail=None, decision=InboundDecision(reason=refusal), provider_id=None
        )
    await work.record(received)
    return received.result


async def _receive_measured(
    received: Received, report: EngagementReport, mail: AnsweredMail, work: InboundWork
) -> InboundResult:
    id_ = engagement_id(mail.delivery_id, report.kind, is_automatic=False)
    before = await work.begin(id_)
    if before is None and report.is_automatic:
        id_ = engagement_id(mail.delivery_id, report.kind, is_automatic=True)
        before = await work.begin(id_)
    if before is not None:
        return before
    await work.record(replace(received, id=id_, at=report.at))
    return received.result


def engagement_id(delivery_id: str, kind: str, *, is_automatic: bool) -> str:
    """Under which an engagement with the mail of a delivery counts once."""
    return derived_id("inbound", kind, delivery_id, "machine" if is_automatic else "person")


async def _find(content: MailContent, work: InboundWork, hashes: Collection[bytes]) -> AnsweredMail | None:
    match content:
        case CalendarAnswer():
            return await work.find_invitation(content.reply.uid, hashes)
        case Reply() | Bounce() | Complaint() | ProviderReport() | EngagementReport():
            return await _find_mail(content.message_ids, work)
        case Ignored():
            return None


async def _find_mail(message_ids: Sequence[str], work: InboundWork) -> AnsweredMail | None:
    """By our own Message-ID, else by that of the provider that sent the mail."""
    ids = delivery_ids(message_ids)
    found = await work.find_mail(ids) if ids else None
    if found is not None or not message_ids:
        return found
    delivery_id = await work.find_delivery([one.partition("@")[0][:MOST_ID] for one in message_ids])
    return await work.find_mail([delivery_id]) if delivery_id is not None else None


def _addresses_in(content: MailContent) -> Sequence[str]:
    match content:
        case Reply() | CalendarAnswer():
            return [content.sender] if content.sender else []
        case Bounce() | ProviderReport() | EngagementReport():
            return content.addresses
        case Complaint() | Ignored():
            return []


def delivery_ids(message_ids: Sequence[str]) -> list[str]:
    """The deliveries that Message-IDs of ours name, `id@domain`, in their order."""
    return [text for one in message_ids if (text := _uuid(one.partition("@")[0])) is not None]


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text)) if len(text) == 36 else None
    except ValueError:
        return None
