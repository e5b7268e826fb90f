"""Preview the mail to a person of ours: the whole mail as its writer writes it, about one touchpoint of an account."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from schemas.directory import TouchpointTypeRecord
from schemas.plans import Reason
from schemas.touchpoints import TouchpointData
from services.notifier.application.brief_context import ActionUrl
from services.notifier.application.calendar import CalendarAway
from services.notifier.application.open_day import complete_touchpoint
from services.notifier.application.phrases import Phrases
from services.notifier.application.ports import MessageClaim, Now
from services.notifier.application.preview import (
    ANY_TYPE,
    FactsMissing,
    Preview,
    PreviewRequest,
    PreviewSources,
    example_event,
    find_account,
    no_content,
)
from services.notifier.application.send_owner_mail import WAITING_FOR_FIGURES, figures_of
from services.notifier.application.sending import Sending
from services.notifier.application.write_owner_mail import owner_context, write_owner_message
from services.notifier.domain.decision import Action
from services.notifier.domain.delivery import Delivery, Recipient
from services.notifier.domain.event import DUE, Event
from services.notifier.domain.owner_policy import decide_owners, plan_mail
from services.notifier.domain.situation import Directory, Situation

PREVIEW: Final = "preview"


async def preview_owner_mail(request: PreviewRequest, sources: PreviewSources, now: Now) -> Preview:
    """The mail about what the calendar has of this type, else about an example. Raises NotFound and FactsMissing."""
    people, sending = sources.people, sources.sending
    catalogue = await people.catalogue()
    event = await _event_of(request, sources, catalogue, now)
    directory = await people.directory_of(event)
    if request.touchpoint_type not in catalogue and not any("/owner/" in key for key in directory.contents):
        raise no_content(request)
    claim = _claim_of(event, directory, sending, now)
    figures = await figures_of([claim], sending)
    if figures is None:
        raise FactsMissing(WAITING_FOR_FIGURES)
    context = owner_context(claim.delivery.recipient, directory, figures, now, sending)
    phrases = context.phrases
    if request.language is not None:
        phrases = sending.owners.book.phrases(request.language, phrases.zone)
    context = replace(context, phrases=phrases, is_test=True, action_url=_links_of_test(sending, now))
    written = write_owner_message([_with_reason(claim, phrases)], context, sending.render)
    shown = written.message
    return Preview(shown.subject, shown.text, shown.html, written.language, written.missing)


async def _event_of(
    request: PreviewRequest,
    sources: PreviewSources,
    catalogue: Mapping[str, TouchpointTypeRecord],
    now: Now,
) -> Event:
    """What the calendar has open or planned for this account, else an example. Raises NotFound."""
    type_ = catalogue.get(request.touchpoint_type, ANY_TYPE)
    directory = await sources.people.directory_of(example_event(request, type_, None, now.service))
    account = find_account(request, directory)
    try:
        planned = await sources.calendar.next_of(account.account_id, request.touchpoint_type)
    except CalendarAway:
        planned = None
    if planned is None:
        return example_event(request, type_, account, now.service)
    return Event(PREVIEW, DUE, now.service, b"", complete_touchpoint(planned, catalogue))


def _claim_of(event: Event, directory: Directory, sending: Sending, now: Now) -> MessageClaim:
    """The delivery to the first of ours who would get a mail about it."""
    situation = directory.situation_of(event, fallback_to=sending.fallback_to, has_waited=True)
    recipient = _recipient_of(event, situation, now)
    return MessageClaim(
        delivery=Delivery(PREVIEW, "email", recipient),
        event=event,
        token="",
        first_at=None,
        message_id=PREVIEW,
        planned_at=plan_mail(event, recipient, situation, now.service).planned_at,
    )


def _recipient_of(event: Event, situation: Situation, now: Now) -> Recipient:
    decisions = [one for one in decide_owners(event, situation, now.service) if one.channel == "email"]
    sent = [one for one in decisions if one.decision.action is Action.SEND]
    return [*sent, *decisions][0].recipient


def _links_of_test(sending: Sending, now: Now) -> ActionUrl:
    """Links that lead to the page that says that a link does not work."""
    return lambda _touchpoint_id, _person_id: sending.owners.action_url(None, None, now.real)


def _with_reason(claim: MessageClaim, phrases: Phrases) -> MessageClaim:
    """An example has no reason; the mail says where it would stand."""
    content = claim.event.content
    if not isinstance(content, TouchpointData) or content.reason.text:
        return claim
    reason = Reason(rule=PREVIEW, policy="", text=phrases.text("owner", "why_example"))
    return replace(claim, event=replace(claim.event, content=content.model_copy(update={"reason": reason})))
