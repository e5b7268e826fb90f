"""Write what who leads an account reads of an answer that came in: for the in-app feed and for a mail at once."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from urllib.parse import urlencode

from schemas.base import SchemaModel
from schemas.directory import ContactRecord, CsmRecord
from schemas.links import account_page
from services.notifier.application.phrases import PhraseBook, Phrases
from services.notifier.application.ports import InAppMessage
from services.notifier.domain.acts import Act
from services.notifier.domain.inbound_decision import AnsweredMail, AnswerKind, AnswerNews
from services.notifier.domain.message import one_line
from services.notifier.domain.people import Account
from services.notifier.domain.working_day import zone_of

NO_TYPE: Final = "other"


class AnswerMessage(SchemaModel):
    """A mail about an answer, in the language of its reader. `reply_to`: the name and the address of who answered."""

    account_id: str
    contact_id: str
    subject: str
    paragraphs: tuple[str, ...]
    url: str
    button: str
    why: str
    language: str
    direction: str
    reply_to: tuple[str, str] | None = None

    @property
    def in_app(self) -> InAppMessage:
        return InAppMessage(self.subject, "\n".join(self.paragraphs))


@dataclass(frozen=True, slots=True)
class AnswerWriter:
    """How people of ours are written to. `action_url`: as of `OwnerSending`; `fallback_to`: where nobody leads."""

    book: PhraseBook
    action_url: Callable[[str | None, str | None, datetime], str]
    console_url: str
    fallback_to: str | None = None


@dataclass(frozen=True, slots=True)
class AnswerParties:
    """Who answered, and who reads of it (None: the mailbox of the deployment)."""

    account: Account | None
    contact: ContactRecord | None
    person: CsmRecord | None


def write_answer(
    news: AnswerNews, mail: AnsweredMail, parties: AnswerParties, writer: AnswerWriter, at: datetime
) -> AnswerMessage:
    """`at`: the real moment of writing, from which the link to act counts its days."""
    person, contact, account = parties.person, parties.contact, parties.account
    phrases = writer.book.phrases(person.language if person else None, zone_of(person))
    address = contact.email if contact else None
    name = (contact.name if contact else None) or address or phrases.text("answer", "somebody")
    account_name = (account.name if account else None) or mail.account_id
    values = {
        "name": name,
        "account": account_name,
        "type": phrases.touchpoint_type(mail.touchpoint_type or NO_TYPE),
    }
    url, button = _link(news, mail, person, writer, at)
    return AnswerMessage(
        account_id=mail.account_id,
        contact_id=mail.recipient.id or "",
        subject=one_line(phrases.text("answer", f"title_{news.kind}", **values)),
        paragraphs=(*_news(news, mail, phrases, name), *filter(str.strip, news.text.split("\n"))),
        url=url,
        button=phrases.text(*button),
        why=phrases.text("answer", "why", account=account_name),
        language=phrases.language,
        direction=phrases.direction,
        reply_to=(name, address) if address else None,
    )


def _news(news: AnswerNews, mail: AnsweredMail, phrases: Phrases, name: str) -> list[str]:
    planned = phrases.moment(mail.starts_at) if mail.starts_at else ""
    lines = [phrases.text("owner", "planned", moment=planned)] if planned else []
    if news.kind is AnswerKind.PROPOSED:
        proposed = news.proposed_at
        moment = phrases.moment(proposed) if proposed else phrases.text("answer", "in_calendar")
        return [*lines, phrases.text("answer", "proposed", moment=moment), phrases.text("answer", "stays")]
    if news.kind is AnswerKind.REPLIED:
        return [phrases.text("answer", "wrote" if news.text else "wrote_nothing", name=name)]
    return [*lines, phrases.text("answer", "stays")]


def _link(
    news: AnswerNews, mail: AnsweredMail, person: CsmRecord | None, writer: AnswerWriter, at: datetime
) -> tuple[str, tuple[str, str]]:
    """Where the reader goes on, and the words of that link."""
    if mail.touchpoint_id is None or news.kind is AnswerKind.REPLIED:
        return writer.console_url + account_page(mail.account_id), ("owner", "open_account")
    url = writer.action_url(mail.touchpoint_id, person.csm_id if person else None, at)
    if news.kind is not AnswerKind.PROPOSED or news.proposed_at is None:
        return url, ("answer", "act")
    local = news.proposed_at.astimezone(zone_of(person)).strftime("%Y-%m-%dT%H:%M")
    return f"{url}?{urlencode({'do': Act.MOVE, 'to': local})}", ("answer", "move")
