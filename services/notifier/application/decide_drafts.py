"""Read, edit, approve and reject drafts: what somebody of ours does to a message before a customer gets it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from schemas.times import format_instant
from services.cadence.content.render import Rendered
from services.notifier.application.approve_messages import draft_of, shown_to
from services.notifier.application.draft_text import (
    DraftText,
    TextRefused,
    edit_content,
    file_of,
    read_text,
)
from services.notifier.application.write_customer_mail import (
    CustomerWriter,
    NoContent,
    Reader,
    lay_out,
    render_customer_message,
)
from services.notifier.domain.approval import DraftState, RenderedMessage, StoredDraft
from services.notifier.domain.event import Event
from services.notifier.domain.situation import Directory


@dataclass(frozen=True, slots=True)
class DraftItem:
    """A draft as lists show it. `csm_id` null: the mailbox of the deployment is asked. `actor`: who decided.

    `subject`: as the first recipient reads it. `version` grows with each edit. `created_at` is real time, the others are
    service time.
    """

    id: str
    touchpoint_id: str
    touchpoint_type: str
    account_id: str
    channel: str
    language: str
    state: DraftState
    reason: str | None
    csm_id: str | None
    approver: str
    actor: str | None
    version: int
    subject: str
    contact_ids: list[str]
    written_at: datetime
    approve_until: datetime
    finished_at: datetime | None
    created_at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class DraftRecipientItem:
    """The message as this contact gets it, with the layout around it in `text` and `html`."""

    contact_id: str
    delivery_id: str
    name: str | None
    address: str | None
    subject: str
    text: str
    html: str


@dataclass(frozen=True, slots=True)
class DraftDetail:
    """A draft with its text, which has placeholders, and the message of each recipient."""

    draft: DraftItem
    subject: str
    body: str
    recipients: list[DraftRecipientItem]


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """A draft with the event that it is about, its people, and the contacts by delivery."""

    item: DraftItem
    stored: StoredDraft
    event: Event
    directory: Directory
    contacts: Mapping[str, str]

    def reader_of(self, delivery_id: str) -> Reader:
        situation = self.directory.situation_of(self.event)
        account = situation.account
        csm = self.directory.csms.get((account.csm_id if account else None) or "")
        return Reader(account, situation.contact(self.contacts[delivery_id]), csm)


@dataclass(frozen=True, slots=True)
class DraftFilter:
    account_id: str | None = None
    csm_id: str | None = None
    state: DraftState | None = None


@dataclass(frozen=True, slots=True)
class DraftDecision:
    """`actor_id`: who decides; None: whoever reads the mailbox. `version`: the one that they read; None: any."""

    state: DraftState
    actor_id: str | None = None
    reason: str = ""
    version: int | None = None


class DraftMissing(Exception):
    """There is no draft of that id."""


class DraftConflict(Exception):
    """The draft is not pending any more, or not at the version that was read; the message says how it is."""


class Drafts(Protocol):
    """Drafts as rows; each call is its own transaction."""

    async def page(self, wanted: DraftFilter, *, before: int, limit: int) -> Sequence[DraftItem]:
        """Newest first, those with a sequence below `before`."""
        ...

    async def count_pending(self, wanted: DraftFilter) -> int: ...

    async def find(self, draft_id: str) -> OpenDraft | None: ...

    async def save_edit(
        self, draft: OpenDraft, content: str, rendered: Mapping[str, RenderedMessage], version: int
    ) -> bool:
        """Store an edited content with the messages by delivery. False: it changed meanwhile."""
        ...

    async def decide(self, draft_id: str, decision: DraftDecision) -> bool:
        """Decide on a pending draft in its time and wake its deliveries. False: it is not pending at this version."""
        ...


async def read_draft(draft_id: str, drafts: Drafts, writer: CustomerWriter) -> DraftDetail:
    """Raises DraftMissing."""
    draft = await _open(draft_id, drafts)
    text = read_text(draft.stored.content, _file(draft))
    recipients = [
        _recipient(draft, delivery_id, shown, writer)
        for delivery_id, shown in draft.stored.recipients.items()
    ]
    return DraftDetail(draft.item, text.subject, text.body, recipients)


async def _open(draft_id: str, drafts: Drafts) -> OpenDraft:
    draft = await drafts.find(draft_id)
    if draft is None:
        raise DraftMissing
    return draft


def _file(draft: OpenDraft) -> str:
    return file_of(draft.stored.language, draft.item.touchpoint_type)


def _recipient(
    draft: OpenDraft, delivery_id: str, shown: RenderedMessage, writer: CustomerWriter
) -> DraftRecipientItem:
    reader = draft.reader_of(delivery_id)
    rendered = Rendered(shown.subject, shown.preheader, shown.html, shown.text, (), is_empty=False)
    written = lay_out(rendered, draft_of(draft.stored, draft.event, reader, draft.directory.contents), writer)
    contact, message = reader.contact, written.message
    return DraftRecipientItem(
        contact_id=draft.contacts[delivery_id],
        delivery_id=delivery_id,
        name=contact.name if contact else None,
        address=contact.email if contact else None,
        subject=message.subject,
        text=message.text,
        html=message.html,
    )


async def edit_draft(
    draft_id: str, text: DraftText, version: int, drafts: Drafts, writer: CustomerWriter
) -> DraftDetail:
    """Write the messages of a pending draft anew from this text and the draft's own figures.

    Raises DraftMissing, DraftConflict and TextRefused.
    """
    draft = await _open(draft_id, drafts)
    refuse_unless_pending(draft.item, version)
    content = edit_content(draft.stored.content, _file(draft), text)
    edited = replace(draft.stored, content=content)
    rendered = {
        delivery_id: _render(draft, edited, delivery_id, writer) for delivery_id in draft.stored.recipients
    }
    if not await drafts.save_edit(draft, content, rendered, version):
        refuse_unless_pending((await _open(draft_id, drafts)).item, version)
    return await read_draft(draft_id, drafts, writer)


def _render(
    draft: OpenDraft, edited: StoredDraft, delivery_id: str, writer: CustomerWriter
) -> RenderedMessage:
    """Raises TextRefused."""
    wanted = draft_of(edited, draft.event, draft.reader_of(delivery_id), draft.directory.contents)
    rendered = render_customer_message(wanted, writer)
    if isinstance(rendered, NoContent):
        unknown = ", ".join(rendered.missing)
        why = (
            f"{unknown} has no value here, and nothing is left without it"
            if unknown
            else "nothing is left to say"
        )
        raise TextRefused([f"body:1:1: for contact {draft.contacts[delivery_id]} {why}"])
    return shown_to(rendered)


def refuse_unless_pending(item: DraftItem, version: int | None) -> None:
    """Raises DraftConflict, unless it is pending at this version (None: at any)."""
    if item.state is not DraftState.PENDING:
        raise DraftConflict(f"it is {item.state} already" + (f": {item.reason}" if item.reason else ""))
    if version is not None and item.version != version:
        raise DraftConflict(
            f"it was edited meanwhile: it is at version {item.version}, not {version}; read it again"
        )


async def decide_draft(draft_id: str, decision: DraftDecision, drafts: Drafts) -> DraftItem:
    """Approve or reject it. Raises DraftMissing and DraftConflict."""
    is_decided = await drafts.decide(draft_id, decision)
    item = (await _open(draft_id, drafts)).item
    if not is_decided:
        refuse_unless_pending(item, decision.version)
        raise DraftConflict(f"its time for an approval ended at {format_instant(item.approve_until)}")
    return item
