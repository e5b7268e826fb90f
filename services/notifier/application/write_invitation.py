"""Write an invitation: the mail that people read, and the part that their calendars read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from schemas.directory import ContactRecord
from schemas.touchpoints import TouchpointData
from services.cadence.content.parse import ContentFile
from services.cadence.content.values import Items, Value
from services.calendar.icalendar_events import CalendarEntry, CalendarPerson, write_calendar
from services.notifier.application.mail_ports import CalendarPart, Mailbox
from services.notifier.application.message_facts import MessageFacts
from services.notifier.application.message_values import MessageContext, agenda_of
from services.notifier.application.phrases import Phrases
from services.notifier.application.ports import Now
from services.notifier.application.write_customer_mail import (
    CustomerMessage,
    CustomerWriter,
    Draft,
    NoContent,
    Reader,
    context_of,
    write_customer_message,
)
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import CANCELLED, Event
from services.notifier.domain.invitation_policy import Method, find_attendees, times_of
from services.notifier.domain.message import one_line
from services.notifier.domain.owner_policy import address_of
from services.notifier.domain.situation import Directory, Situation

MOST_SUMMARY: Final = 200


@dataclass(frozen=True, slots=True)
class Invite:
    """What a mail does to the calendar of its reader. `is_first`: the reader has nothing of it there yet."""

    event: Event
    data: TouchpointData
    recipient: Recipient
    method: Method
    is_first: bool = True
    is_test: bool = False

    @property
    def is_own(self) -> bool:
        """Whether it goes to a person of ours."""
        return self.recipient.kind is RecipientKind.CSM

    @property
    def is_cancelled(self) -> bool:
        return self.method == "CANCEL"

    @property
    def phrase(self) -> str:
        """How the keys of its words end."""
        if self.is_cancelled:
            return "cancelled" if self.event.type == CANCELLED else "left"
        return "new" if self.is_first else "changed"


def data_of(event: Event) -> TouchpointData:
    """People are invited to touchpoints only."""
    if not isinstance(event.content, TouchpointData):
        raise TypeError(f"{event.id} is about no touchpoint")
    return event.content


@dataclass(frozen=True, slots=True)
class InviteContext:
    """What an invitation is written from. `sender`: who invites to what nobody with an address leads."""

    directory: Directory
    situation: Situation
    now: Now
    writer: CustomerWriter
    sender: Mailbox


@dataclass(frozen=True, slots=True)
class WrittenInvitation:
    """The two parts of an invitation."""

    message: CustomerMessage
    calendar: CalendarPart


def write_invitation(
    invite: Invite, reader: Reader, content: ContentFile, facts: MessageFacts, context: InviteContext
) -> WrittenInvitation | NoContent:
    """The invitation, or why there is none."""
    writer, people = context.writer, people_of(invite, context)
    phrases = writer.book.phrases(content.language, reader.zone)
    signature = (reader.csm.name if reader.csm else None) or writer.organization
    draft = Draft(
        event=invite.event,
        content=content,
        reader=reader,
        facts=facts,
        now=context.now.service,
        contents=context.directory.contents,
        is_test=invite.is_test,
        more=invitation_values(invite, people, phrases, signature),
        why=phrases.text("invitation", "why_own") if invite.is_own else None,
    )
    message = write_customer_message(draft, writer)
    if isinstance(message, NoContent):
        return message
    return WrittenInvitation(message, write_calendar_part(invite, people, context_of(draft, writer), context))


def reader_of_invite(invite: Invite, directory: Directory, situation: Situation) -> Reader:
    """Who reads it, in their own language and zone. A person of ours reads as a contact does."""
    account, owner_id = situation.account, invite.data.owner.csm_id
    leader = directory.csms.get(owner_id or "")
    if not invite.is_own:
        return Reader(account, situation.contact(invite.recipient.id), leader)
    person = directory.csms.get(invite.recipient.id or "")
    as_contact = ContactRecord(
        contact_id=invite.recipient.id or "",
        name=person.name if person else invite.data.owner.name,
        email=address_of(invite.event, invite.recipient, situation),
        language=(person.language if person else None) or "en",
        timezone=(person.timezone if person else None) or "UTC",
    )
    return Reader(account, as_contact, leader)


def people_of(invite: Invite, context: InviteContext) -> Sequence[CalendarPerson]:
    """Who takes part: who leads it, then the contacts; of a cancellation the reader alone."""
    attendees = (
        [invite.recipient]
        if invite.is_cancelled
        else find_attendees(invite.event, context.situation, context.now.service)
    )
    in_order = sorted(attendees, key=lambda one: one.kind is RecipientKind.CONTACT)
    found = [_person(one, invite, context) for one in in_order]
    return [person for person in found if person is not None]


def _person(recipient: Recipient, invite: Invite, context: InviteContext) -> CalendarPerson | None:
    situation = context.situation
    if recipient.kind is RecipientKind.CONTACT:
        contact = situation.contact(recipient.id)
        address = contact.email if contact else None
        return CalendarPerson(contact.name or "", address) if contact and address else None
    person, address = (
        context.directory.csms.get(recipient.id or ""),
        address_of(invite.event, recipient, situation),
    )
    name = (person.name if person else invite.data.owner.name) or ""
    return CalendarPerson(name, address, "accepted") if address else None


def find_organizer(invite: Invite, context: InviteContext) -> CalendarPerson:
    """Who leads it, else the deployment. What is taken back comes from who led it: calendars know nobody else."""
    owner, sender = invite.data.owner, context.sender
    if invite.is_cancelled and invite.data.previous_owner is not None:
        owner = invite.data.previous_owner
    person = context.directory.csms.get(owner.csm_id or "")
    address = (person.email if person else None) or owner.email
    name = (person.name if person else None) or owner.name or ""
    if owner.csm_id is None or address is None:
        return CalendarPerson(sender.name, sender.address)
    return CalendarPerson(name, address)


def invitation_values(
    invite: Invite, people: Sequence[CalendarPerson], phrases: Phrases, signature: str
) -> Mapping[str, Value | None]:
    """The values of the placeholders that only invitations have; a cancellation has no agenda."""
    name, moment = phrases.touchpoint_type(invite.data.touchpoint_type), phrases.moment(invite.data.due_at)
    names = tuple(person.name or person.address for person in people)
    is_cancelled = invite.is_cancelled
    own = "_own" if invite.is_own else ""
    return {
        **({"agenda.list": None} if is_cancelled else {}),
        "invitation.title": phrases.text("invitation", f"title_{invite.phrase}", name=name, moment=moment),
        "invitation.news": phrases.text("invitation", f"news_{invite.phrase}"),
        "invitation.people": None if is_cancelled or not names else Items(names),
        "invitation.move": None if is_cancelled else phrases.text("invitation", f"move{own}"),
        "invitation.from": None if invite.is_own else signature,
    }


def write_calendar_part(
    invite: Invite, people: Sequence[CalendarPerson], words: MessageContext, context: InviteContext
) -> CalendarPart:
    """What the calendar of the reader takes in, in the reader's language and zone."""
    data, phrases = invite.data, words.phrases
    starts_at, ends_at = times_of(data)
    account = (words.account.name if words.account else None) or data.account_name
    parties = " / ".join(filter(None, (account, words.organization)))
    agenda = [] if invite.is_cancelled else [f"- {line}" for line in agenda_of(words)]
    entry = CalendarEntry(
        uid=data.touchpoint_id,
        sequence=data.sequence,
        starts_at=starts_at,
        ends_at=ends_at,
        zone=str(phrases.zone),
        summary=one_line(f"{phrases.touchpoint_type(data.touchpoint_type)}: {parties}", MOST_SUMMARY),
        stamp=context.now.real,
        description="\n".join(agenda),
        organizer=find_organizer(invite, context),
        attendees=people,
        status="cancelled" if invite.is_cancelled else "confirmed",
    )
    return CalendarPart(invite.method, write_calendar([entry], method=invite.method))
