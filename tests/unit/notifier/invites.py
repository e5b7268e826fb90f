"""Invitations for unit tests: the shipped content in five languages, to a contact and to who leads it."""

from dataclasses import replace
from datetime import datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Final

from schemas.times import Window
from services.cadence.policy.load import shipped_contents
from services.chassis.mailbox import ParsedMailbox
from services.notifier.adapters.channels.email_message import Sender, build_email
from services.notifier.application.mail_ports import Mail, Mailbox
from services.notifier.application.message_content import find_content
from services.notifier.application.message_facts import MessageFacts
from services.notifier.application.write_invitation import (
    Invite,
    InviteContext,
    WrittenInvitation,
    data_of,
    reader_of_invite,
    write_invitation,
)
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import CANCELLED, SCHEDULED, Event
from services.notifier.domain.situation import Directory
from tests.unit.notifier.events import due
from tests.unit.notifier.owner_claims import ACME, ADA, BEN, CARL, NOW, sending

LANGUAGES: Final = ("en", "de", "es", "pt", "id")
REVIEW: Final = "22222222-2222-4222-8222-222222222222"
TO_ADA, TO_CARL = Recipient(RecipientKind.CONTACT, "ada"), Recipient(RecipientKind.CSM, "carl")
CONTENTS: Final = {name.key: text for name, text in shipped_contents().items()}
SENDER: Final = Mailbox("Northwind", "hello@vendor.example")


def review(at: datetime, **more: object) -> Event:
    """A review that Carl leads."""
    fields: dict[str, object] = {
        "touchpoint_id": REVIEW,
        "touchpoint_type": "business_review",
        "status": "planned",
        "due_at": at,
        "window": Window(from_=at, to=at + timedelta(days=1)),
        "topic": "account",
        "minutes": 60,
        "sequence": 4,
        "agenda": ("Figures against goals", "Next steps; who does what, and when"),
    }
    event = due("csm", "meeting", **{**fields, **more})
    return replace(event, type=SCHEDULED)


def write(
    event: Event,
    recipient: Recipient = TO_ADA,
    *,
    language: str = "en",
    zone: str = "Europe/Berlin",
    is_first: bool = True,
    names: str | None = None,
) -> WrittenInvitation:
    """The invitation to this event, its cancellation where the event is one. `names`: of the account and its people."""
    contacts = [one.model_copy(update={"language": language, "timezone": zone}) for one in (ADA, BEN)]
    carl = CARL.model_copy(update={"language": language, "timezone": zone})
    account = replace(ACME, contacts=tuple(contacts))
    if names is not None:
        carl = carl.model_copy(update={"name": names})
        contacts = [one.model_copy(update={"name": names}) for one in contacts]
        account = replace(ACME, name=names, contacts=tuple(contacts))
    directory = Directory(
        accounts={"acme": account},
        csms={"carl": carl},
        contents=CONTENTS,
        invited_types={"business_review": "meeting"},
    )
    method = "CANCEL" if event.type == CANCELLED else "REQUEST"
    invite = Invite(event, data_of(event), recipient, method, is_first)
    situation = directory.situation_of(event)
    reader = reader_of_invite(invite, directory, situation)
    content = find_content(CONTENTS, "invitation", "customer", reader.tag)
    assert content is not None
    now = replace(NOW, service=data_of(event).due_at - timedelta(days=20))
    context = InviteContext(directory, situation, now, sending().customers.writer, SENDER)
    written = write_invitation(invite, reader, content, MessageFacts(), context)
    assert isinstance(written, WrittenInvitation)
    return written


def whole_mail(written: WrittenInvitation) -> bytes:
    """The mail as it goes to the relay."""
    mail = Mail(
        "d1",
        "ada@acme.example",
        written.message.message,
        written.message.unsubscribe_url,
        calendar=written.calendar,
    )
    sender = Sender(ParsedMailbox("Northwind", "hello@vendor.example"))
    return build_email(mail, sender=sender, at=NOW.real)[1]


def parts_of(mail: bytes) -> dict[str, Any]:
    """The parts of a mail that are no multipart, by content type."""
    read = message_from_bytes(mail, _class=EmailMessage, policy=default)
    return {part.get_content_type(): part for part in read.walk() if not part.is_multipart()}
