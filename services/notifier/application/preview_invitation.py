"""Preview an invitation: the mail to a contact about an example of what the policy puts into calendars."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Final

from schemas.directory import TouchpointTypeRecord
from services.notifier.application.message_content import find_content
from services.notifier.application.message_facts import FactsWanted, gather_facts
from services.notifier.application.ports import Now
from services.notifier.application.preview import (
    ANY_TYPE,
    FactsMissing,
    Preview,
    PreviewRequest,
    PreviewSources,
    example_event,
    find_account,
    no_content,
    reader_of_preview,
)
from services.notifier.application.write_customer_mail import NoContent
from services.notifier.application.write_invitation import Invite, InviteContext, data_of, write_invitation
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import SCHEDULED, Event
from services.notifier.domain.invitation import INVITATION
from services.notifier.domain.people import Account
from services.notifier.domain.situation import Directory

AHEAD: Final = timedelta(days=14)
"""The example takes place so long from now (service time)."""
REVIEW: Final = "business_review"


async def preview_invitation(request: PreviewRequest, sources: PreviewSources, now: Now) -> Preview:
    """What a contact would get, as a test. Raises NotFound and FactsMissing."""
    kind = _example_type(await sources.people.catalogue())
    directory = await _directory_of(request, kind, sources, now)
    account = find_account(request, directory)
    event = _event_of(request, kind, account, now)
    reader = reader_of_preview(account, request, kind, directory)
    content = find_content(directory.contents, INVITATION, "customer", reader.tag)
    if content is None:
        raise no_content(request)
    (facts,) = await gather_facts([FactsWanted(event, content)], sources.sending.customers.facts)
    if facts.problem is not None:
        raise FactsMissing(facts.problem)
    recipient = Recipient(RecipientKind.CONTACT, reader.contact.contact_id if reader.contact else None)
    invite = Invite(event, data_of(event), recipient, "REQUEST", is_test=True)
    sending, situation = sources.sending, directory.situation_of(event)
    context = InviteContext(directory, situation, now, sending.customers.writer, sending.sender)
    written = write_invitation(invite, reader, content, facts, context)
    if isinstance(written, NoContent):
        return Preview("", "", "", content.language, written.missing, not_sent=written.detail)
    message, shown = written.message, written.message.message
    return Preview(shown.subject, shown.text, shown.html, message.language, message.missing)


def _example_type(catalogue: Mapping[str, TouchpointTypeRecord]) -> TouchpointTypeRecord:
    """A review where it is put into calendars, else the first type that is."""
    invited = {name: kind for name, kind in sorted(catalogue.items()) if kind.invites}
    return invited.get(REVIEW) or next(iter(invited.values()), ANY_TYPE)


async def _directory_of(
    request: PreviewRequest, kind: TouchpointTypeRecord, sources: PreviewSources, now: Now
) -> Directory:
    """Everyone concerned, with the content of the example and of invitations."""
    found = await sources.people.directory_of(_event_of(request, kind, None, now))
    written = example_event(request, ANY_TYPE, None, now.service)
    contents = (await sources.people.directory_of(written)).contents
    invited = {kind.touchpoint_type: kind.channel}
    return replace(found, contents={**found.contents, **contents}, invited_types=invited)


def _event_of(
    request: PreviewRequest, kind: TouchpointTypeRecord, account: Account | None, now: Now
) -> Event:
    about = replace(request, touchpoint_type=kind.touchpoint_type)
    event = example_event(about, kind, account, now.service + AHEAD)
    data = data_of(event).model_copy(update={"status": "planned", "minutes": kind.minutes})
    return replace(event, type=SCHEDULED, content=data)
