"""What comes of a mail that came in: a fact about the mail that it answers, news for who leads the account, or neither.

An answer counts from the address that the mail went to, and to the newest invitation.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from schemas.vocabulary import Bounce as BounceKind
from schemas.vocabulary import Engagement
from services.calendar.icalendar_answers import Answer, CalendarReply
from services.notifier.domain.addresses import clean_address
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.inbound_mail import CalendarAnswer, Ignored, MailContent, Reply
from services.notifier.domain.mail_parts import clean_text
from services.notifier.domain.mail_reports import Bounce, Complaint
from services.notifier.domain.provider_events import EngagementReport, ProviderReport
from services.notifier.domain.reply_text import MOST_CHARACTERS

UNKNOWN_MAIL: Final = "it names no mail that Drumbeat sent"
OTHER_SENDER: Final = "it does not come from the address that the mail went to"
OTHER_RECIPIENT: Final = "the report is about another address than the one that the mail went to"
NOT_INVITED: Final = "Drumbeat sent no invitation with this UID"
OTHER_ATTENDEE: Final = "it answers for another attendee than its sender"
OURS: Final = "it comes from a person of ours, not from the customer"
NO_ANSWER: Final = "it neither accepts nor declines"
_OF_CONTACTS: Final = frozenset({"unsubscribed", "opened", "clicked"})
WITHDRAWN: Final = "the invitation was withdrawn"


class AnswerKind(StrEnum):
    """What people of ours are notified of."""

    REPLIED = "replied"
    DECLINED = "declined"
    TENTATIVE = "tentative"
    PROPOSED = "proposed"


@dataclass(frozen=True, slots=True)
class AnsweredMail:
    """A mail of ours about which something came in. `address_hash` None: it went to no address that is known.

    `sequence`, `starts_at`, `organizer_id`: what the reader's calendar has; None: nothing. `is_withdrawn`: no longer.
    """

    delivery_id: str
    channel: str
    recipient: Recipient
    account_id: str
    touchpoint_id: str | None
    touchpoint_type: str | None
    address_hash: bytes | None
    sequence: int | None = None
    starts_at: datetime | None = None
    organizer_id: str | None = None
    is_withdrawn: bool = False

    @property
    def is_to_contact(self) -> bool:
        return self.recipient.kind is RecipientKind.CONTACT


@dataclass(frozen=True, slots=True)
class AnswerNews:
    """What who leads the account is notified of. `proposed_at` in UTC."""

    kind: AnswerKind
    text: str = ""
    proposed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class InvitationAnswer:
    """What a contact answers to a version (`sequence`) of an invitation."""

    answer: Answer
    sequence: int


@dataclass(frozen=True, slots=True)
class InboundDecision:
    """`engagement` None: no fact comes of it. `reason`: why it does not count. `answer`: to an invitation.

    `url`, `is_automatic`: of what is opened or clicked, the link and whether a machine did it.
    """

    engagement: Engagement | None = None
    bounce: BounceKind | None = None
    text: str = ""
    url: str | None = None
    is_automatic: bool | None = None
    news: AnswerNews | None = None
    reason: str | None = None
    answer: InvitationAnswer | None = None

    @property
    def counts(self) -> bool:
        return self.engagement is not None or self.news is not None


def decide_inbound(
    content: MailContent, mail: AnsweredMail | None, addresses: Collection[bytes]
) -> InboundDecision:
    """`addresses`: the hashes of the sender of an answer, or of the addresses that a report names."""
    if isinstance(content, Ignored):
        return InboundDecision(reason=content.reason)
    if mail is None:
        return InboundDecision(reason=NOT_INVITED if isinstance(content, CalendarAnswer) else UNKNOWN_MAIL)
    is_known = mail.address_hash in addresses
    match content:
        case Bounce() | ProviderReport() | EngagementReport():
            return _decide_report(content, mail, is_other=bool(addresses) and not is_known)
        case Complaint():
            return InboundDecision("complained") if mail.is_to_contact else _refused(OURS)
        case Reply() | CalendarAnswer():
            return _decide_answer(content, mail) if is_known else _refused(OTHER_SENDER)


def _refused(reason: str) -> InboundDecision:
    return InboundDecision(reason=reason)


def _decide_report(
    content: Bounce | ProviderReport | EngagementReport, mail: AnsweredMail, *, is_other: bool
) -> InboundDecision:
    """`is_other`: it is about another address than the one that the mail went to."""
    if is_other:
        return _refused(OTHER_RECIPIENT)
    if isinstance(content, Bounce):
        return InboundDecision("bounced", content.kind)
    if content.kind in _OF_CONTACTS and not mail.is_to_contact:
        return _refused(OURS)
    if isinstance(content, EngagementReport):
        return InboundDecision(content.kind, url=content.url, is_automatic=content.is_automatic)
    return InboundDecision(content.kind)


def _decide_answer(content: Reply | CalendarAnswer, mail: AnsweredMail) -> InboundDecision:
    if not mail.is_to_contact:
        return _refused(OURS)
    if isinstance(content, Reply):
        return InboundDecision(
            "replied", text=content.text, news=AnswerNews(AnswerKind.REPLIED, content.text)
        )
    reply = content.reply
    answer = _answer_of(reply, content.sender or "")
    if answer is None:
        return _refused(OTHER_ATTENDEE)
    if mail.is_withdrawn:
        return _refused(WITHDRAWN)
    if mail.sequence is not None and reply.sequence < mail.sequence:
        return _refused(
            f"it answers version {reply.sequence} of the invitation; version {mail.sequence} was sent since"
        )
    return _decide_calendar(reply, answer)


def _decide_calendar(reply: CalendarReply, answer: Answer) -> InboundDecision:
    text = clean_text(reply.comment)[:MOST_CHARACTERS].strip()
    if reply.is_counter:
        # Who proposes another time has neither accepted nor declined, whatever the calendar says besides.
        news = AnswerNews(AnswerKind.PROPOSED, text, reply.proposed_at)
        return InboundDecision(news=news, answer=InvitationAnswer("tentative", reply.sequence))
    answered = InvitationAnswer(answer, reply.sequence)
    match answer:
        case "accepted":
            return InboundDecision("accepted", text=text, answer=answered)
        case "declined":
            news = AnswerNews(AnswerKind.DECLINED, text)
            return InboundDecision("declined", text=text, news=news, answer=answered)
        case "tentative":
            return InboundDecision(news=AnswerNews(AnswerKind.TENTATIVE, text), answer=answered)
        case "needs-action":
            return _refused(NO_ANSWER)


def _answer_of(reply: CalendarReply, sender: str) -> Answer | None:
    """What the sender answers; None: only others do."""
    own = clean_address(sender)
    return next((one.answer for one in reply.attendees if clean_address(one.address) == own), None)
