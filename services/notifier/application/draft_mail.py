"""The mails about drafts to who is asked: please decide, and that nobody did in time. One for each touchpoint."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from html import escape
from typing import Final, Protocol

from schemas.links import draft_page
from services.notifier.application.approve_messages import NOBODY_ASKED
from services.notifier.application.decide_drafts import OpenDraft
from services.notifier.application.mail_ports import Mail, Mailer
from services.notifier.application.phrases import PhraseBook, Phrases
from services.notifier.application.service_mail import WAITS, layout_of, render_mail
from services.notifier.application.write_customer_mail import CustomerWriter
from services.notifier.domain.approval import DraftState
from services.notifier.domain.delivery import AttemptOutcome
from services.notifier.domain.message import one_line
from services.notifier.domain.owner_policy import find_approver
from services.notifier.domain.working_day import zone_of

SENDING: Final = timedelta(minutes=5)
"""Real time in which nobody else sends a mail that is being sent."""
_WORDS: Final = "draft"


@dataclass(frozen=True, slots=True)
class DraftMail:
    """A draft that a mail is due about; `attempts` counts this one."""

    draft: OpenDraft
    attempts: int


class DraftMails(Protocol):
    async def claim_mails(self, limit: int) -> tuple[Sequence[DraftMail], datetime]:
        """Drafts that a mail is due about, with this real moment; nobody else gets them for a while."""
        ...

    async def end_mails(self, mails: Sequence[DraftMail], next_at: datetime | None) -> None:
        """Nothing more is sent about these drafts as they are, or again at that real moment."""
        ...


@dataclass(frozen=True, slots=True)
class DraftMailing:
    """What the mails are written from and sent with.

    `draft_url` takes a draft, a person (None: the mailbox) and the real moment of writing. `fallback_to`: the mailbox of
    the deployment.
    """

    mails: DraftMails
    writer: CustomerWriter
    book: PhraseBook
    mailer: Mailer
    draft_url: Callable[[str, str | None, datetime], str]
    console_url: str
    fallback_to: str | None = None


@dataclass(frozen=True, slots=True)
class _Reader:
    person_id: str | None
    address: str
    phrases: Phrases


@dataclass(frozen=True, slots=True)
class DraftMailsSent:
    """`drafts`: how many the mails were about. `failed`: drafts that nobody is asked about any more, each with why."""

    drafts: int
    failed: Mapping[str, str]


async def send_draft_mails(mailing: DraftMailing, limit: int) -> DraftMailsSent:
    """Send those that are due."""
    claimed, now = await mailing.mails.claim_mails(limit)
    failed: dict[str, str] = {}
    for mails in _by_touchpoint(claimed):
        next_at, problem = await _send(mails, mailing, now)
        await mailing.mails.end_mails(mails, next_at)
        if problem is not None and next_at is None:
            failed |= dict.fromkeys((mail.draft.item.id for mail in mails), problem)
    return DraftMailsSent(len(claimed), failed)


def _by_touchpoint(mails: Iterable[DraftMail]) -> list[list[DraftMail]]:
    groups: dict[tuple[object, ...], list[DraftMail]] = {}
    for mail in mails:
        stored = mail.draft.stored
        groups.setdefault((stored.touchpoint_id, stored.sequence, mail.draft.item.state), []).append(mail)
    return list(groups.values())


async def _send(
    mails: Sequence[DraftMail], mailing: DraftMailing, now: datetime
) -> tuple[datetime | None, str | None]:
    """When it is tried again (real time; None: never), and why it was not sent, None where it was or need not be."""
    first = mails[0].draft
    if first.item.state not in (DraftState.PENDING, DraftState.EXPIRED):
        return None, None  # somebody decided before the mail went
    reader = _reader_of(first, mailing)
    if reader is None:
        return None, NOBODY_ASKED
    mail = write_draft_mail([mail.draft for mail in mails], reader, mailing, now)
    response = await mailing.mailer.send(mail, at=now)
    attempts = mails[0].attempts
    if response.outcome is AttemptOutcome.DELIVERED:
        return None, None
    if response.is_permanent or attempts > len(WAITS):
        return None, response.detail
    return now + WAITS[attempts - 1], response.detail


def _reader_of(draft: OpenDraft, mailing: DraftMailing) -> _Reader | None:
    """Who was asked; where they lead it no more, or the address is gone, who would be asked now."""
    situation = draft.directory.situation_of(draft.event, fallback_to=mailing.fallback_to)
    now_asked = find_approver(situation)
    person_id = draft.item.csm_id
    person = situation.csms.get(person_id or "")
    if (person is None or person.email is None) and now_asked is not None:
        person_id = now_asked.id
        person = situation.csms.get(person_id or "")
    if person is not None and person.email is not None:
        return _Reader(person.csm_id, person.email, mailing.book.phrases(person.language, zone_of(person)))
    if mailing.fallback_to is None:
        return None
    return _Reader(None, mailing.fallback_to, mailing.book.phrases(None))


def write_draft_mail(
    drafts: Sequence[OpenDraft], reader: "_Reader", mailing: DraftMailing, now: datetime
) -> Mail:
    """The mail about the drafts of one touchpoint, which are in the same state."""
    first, phrases = drafts[0], reader.phrases
    is_open = first.item.state is DraftState.PENDING
    account = first.directory.situation_of(first.event).account
    values = {
        "type": phrases.touchpoint_type(first.item.touchpoint_type),
        "account": (account.name if account else None) or first.item.account_id,
        "moment": phrases.moment(first.item.approve_until),
    }
    kind = "ask" if is_open else "late"
    subject = one_line(phrases.text(_WORDS, f"subject_{kind}", **values))
    intro = phrases.text(_WORDS, f"intro_{kind}", **values)
    parts = [_part(draft, reader, mailing, now) for draft in drafts]
    html = f"<p>{escape(intro)}</p>" + "".join(html for html, _ in parts)
    layout = {
        **layout_of(mailing.writer, phrases.language, phrases.direction, subject, []),
        "sections": [{"html": html, "text": "\n\n".join([intro, *(text for _, text in parts)])}],
        "why": phrases.text(_WORDS, "why", **values),
        "page_url": mailing.console_url + draft_page(first.item.id),
        "page_words": phrases.text(_WORDS, "open"),
    }
    return Mail(first.item.id, reader.address, render_mail(mailing.writer, layout))


def _part(draft: OpenDraft, reader: _Reader, mailing: DraftMailing, now: datetime) -> tuple[str, str]:
    """One draft as HTML and as text: to whom it goes, the message of the first recipient, and the ways to decide."""
    phrases, shown = reader.phrases, next(iter(draft.stored.recipients.values()), None)
    to = phrases.text(_WORDS, "to", names=phrases.formatter.enumeration(recipient_names(draft)))
    subject, html, text = (shown.subject, shown.html, shown.text) if shown else ("", "", "")
    head_html = f"<p>{escape(to)}</p><p><strong>{escape(subject)}</strong></p><blockquote>{html}</blockquote>"
    head_text = f"{to}\n\n{subject}\n\n{text}"
    if draft.item.state is not DraftState.PENDING:
        return head_html, head_text
    url = mailing.draft_url(draft.item.id, reader.person_id, now)
    links = [(phrases.text(_WORDS, act), f"{url}?do={act}") for act in ("approve", "reject")]
    buttons = "".join(
        f'<p class="action"><a href="{escape(target)}">{escape(label)}</a></p>' for label, target in links
    )
    return head_html + buttons, "\n\n".join([head_text, *(f"{label}: {target}" for label, target in links)])


def recipient_names(draft: OpenDraft) -> list[str]:
    """The names of who would get it, their addresses where they have none."""
    contacts: Mapping[str, str] = draft.contacts
    readers = [draft.reader_of(delivery_id).contact for delivery_id in contacts]
    names = [(one.name or one.email or one.contact_id) for one in readers if one is not None]
    return sorted(dict.fromkeys(names))
