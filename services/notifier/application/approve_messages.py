"""Messages that are approved first: written as drafts when they come due, and sent as they were approved.

A draft keeps its content and the figures that it was written from, and for each recipient the message as they get it.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from services.cadence.content.render import Rendered
from services.notifier.application.claim_results import not_sent
from services.notifier.application.draft_text import file_of, read_content, read_facts, write_facts
from services.notifier.application.ports import ClaimResult, MessageClaim
from services.notifier.application.send_to_customers import (
    CustomerBatch,
    draft_for,
    without_content,
    without_facts,
    worth_sending_until,
)
from services.notifier.application.write_customer_mail import (
    CustomerMessage,
    Draft,
    NoContent,
    Reader,
    content_of,
    lay_out,
    render_customer_message,
)
from services.notifier.domain.approval import (
    Approver,
    DraftedMessage,
    DraftState,
    RenderedMessage,
    StoredDraft,
)
from services.notifier.domain.decision import Action, DeliveryDecision, Reason, suppress
from services.notifier.domain.event import Event
from services.notifier.domain.owner_policy import FALLBACK, address_of, find_approver
from services.notifier.domain.situation import Situation

NOBODY_ASKED: Final = "anybody: no CSM, manager or fallback mailbox can be asked"


def write_approved(
    claim: MessageClaim, reader: Reader, batch: CustomerBatch
) -> CustomerMessage | ClaimResult | None:
    """The message as it was approved, or the result of a claim whose message is a draft now; None: it needs neither."""
    situation = batch.situations[claim.delivery.id]
    own = batch.directory.draft_of(claim.event, claim.delivery.id)
    if own is not None:
        return _write_stored(claim, reader, own, batch)
    if not situation.handling.approve:
        return None
    content = content_of(claim.event, reader, batch.directory.contents)
    if content is None:
        return None  # there is nothing to approve, and nothing is sent
    shared = _draft_in(content.language, claim, batch)
    if shared is not None:
        return _join(claim, reader, shared, batch)
    draft = draft_for(claim, reader, content, batch)
    if draft.facts.problem is not None:
        return without_facts(claim, draft.facts.problem, batch.now)
    rendered = render_customer_message(draft, batch.sending.writer)
    if isinstance(rendered, NoContent):
        return without_content(claim, rendered)
    worth_until = worth_sending_until(claim.event)
    drafted = DraftedMessage(
        language=content.language,
        content=batch.directory.contents[content.file],
        facts=write_facts(draft.facts),
        written_at=batch.now.service,
        approve_until=situation.handling.approve_until(batch.now.service, worth_until),
        approver=approver_of(claim.event, situation),
        rendered=shown_to(rendered),
    )
    return _wait(claim, drafted, batch)


def approver_of(event: Event, situation: Situation) -> Approver:
    """Who leads the account, else their manager, else the mailbox of the deployment."""
    recipient = find_approver(situation)
    if recipient is None:
        return Approver(None, NOBODY_ASKED)
    if recipient == FALLBACK:
        return Approver(None, situation.fallback_to or NOBODY_ASKED)
    person = situation.csms.get(recipient.id or "")
    name = person.name if person else None
    return Approver(recipient.id, name or address_of(event, recipient, situation) or recipient.id or "")


def shown_to(rendered: Rendered) -> RenderedMessage:
    return RenderedMessage(rendered.subject, rendered.preheader, rendered.html, rendered.text)


def _wait(claim: MessageClaim, drafted: DraftedMessage, batch: CustomerBatch) -> ClaimResult:
    decision = DeliveryDecision(
        Action.WAIT, Reason.APPROVAL, drafted.approver.name, send_after=drafted.approve_until
    )
    return replace(not_sent(claim, decision, batch.now), draft=drafted)


def _draft_in(language: str, claim: MessageClaim, batch: CustomerBatch) -> StoredDraft | None:
    """The draft about the touchpoint that other contacts of this language have already."""
    content = claim.event.content
    drafts = batch.directory.drafts.get(content.touchpoint_id or "", ())
    wanted = (content.sequence, claim.delivery.channel, language)
    return next((one for one in drafts if (one.sequence, one.channel, one.language) == wanted), None)


def _join(claim: MessageClaim, reader: Reader, stored: StoredDraft, batch: CustomerBatch) -> ClaimResult:
    """The result of a claim that becomes a recipient of a draft, or that is decided as the draft is."""
    approval = stored.approval
    if approval.is_late(batch.now.service):
        decision = DeliveryDecision(Action.EXPIRE, Reason.NOT_APPROVED, approval.deadline)
        return not_sent(claim, decision, batch.now)
    if approval.state in (DraftState.REJECTED, DraftState.WITHDRAWN):
        reason = Reason.REJECTED if approval.state is DraftState.REJECTED else Reason.WITHDRAWN
        return not_sent(claim, suppress(reason, approval.reason), batch.now)
    draft = draft_of(stored, claim.event, reader, batch.directory.contents)
    rendered = render_customer_message(draft, batch.sending.writer)
    if isinstance(rendered, NoContent):
        return without_content(claim, rendered)
    drafted = DraftedMessage(
        language=stored.language,
        content=stored.content,
        facts=stored.facts,
        written_at=stored.written_at,
        approve_until=approval.until,
        approver=stored.approver,
        rendered=shown_to(rendered),
        version=stored.version,
    )
    return _wait(claim, drafted, batch)


def draft_of(stored: StoredDraft, event: Event, reader: Reader, contents: Mapping[str, str]) -> Draft:
    """What the message of a draft for this reader is written from: the figures are those of the draft."""
    content = read_content(stored.content, file_of(stored.language, event.content.touchpoint_type))
    return Draft(event, content, reader, read_facts(stored.facts), stored.written_at, contents)


def _write_stored(
    claim: MessageClaim, reader: Reader, stored: StoredDraft, batch: CustomerBatch
) -> CustomerMessage:
    """As it was approved: the delivery policy let it go."""
    shown = stored.recipients[claim.delivery.id]
    rendered = Rendered(shown.subject, shown.preheader, shown.html, shown.text, (), is_empty=False)
    draft = draft_of(stored, claim.event, reader, batch.directory.contents)
    return lay_out(rendered, draft, batch.sending.writer)
