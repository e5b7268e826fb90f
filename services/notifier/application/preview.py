"""Preview a message: as it would be written now, for one account and language, without sending it to anyone."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Protocol

from schemas.directory import ContactRecord, TouchpointTypeRecord
from schemas.plans import Reason
from schemas.times import Window
from schemas.touchpoints import TouchpointData, TouchpointOwner
from schemas.vocabulary import Reader as ReaderKind
from services.notifier.application.calendar import Calendar
from services.notifier.application.message_content import find_content
from services.notifier.application.message_facts import FactsWanted, gather_facts
from services.notifier.application.sending import Sending
from services.notifier.application.write_customer_mail import (
    CustomerWriter,
    Draft,
    NoContent,
    Reader,
    write_customer_message,
)
from services.notifier.domain.event import DUE, Event
from services.notifier.domain.people import Account
from services.notifier.domain.situation import Directory

ANY_TYPE: Final = TouchpointTypeRecord(
    touchpoint_type="any", owner="automation", channel="email", purpose="", topic="account"
)


@dataclass(frozen=True, slots=True)
class PreviewRequest:
    """`contact_id` None: the first contact of the account; `language` None: that of the reader."""

    touchpoint_type: str
    account_id: str
    contact_id: str | None = None
    language: str | None = None
    reader: ReaderKind = "customer"


@dataclass(frozen=True, slots=True)
class Preview:
    """A message as it would be written. `missing`: placeholders without a value, whose blocks are left out.

    `not_sent`: why nothing would be sent; then the texts are empty.
    """

    subject: str
    text: str
    html: str
    language: str
    missing: tuple[str, ...]
    not_sent: str | None = None


class NotFound(Exception):
    """The account, the contact or the content does not exist; the message says which."""


class FactsMissing(Exception):
    """The figures for the message are not available for now; the message says why."""


class PreviewSource(Protocol):
    async def directory_of(self, event: Event) -> Directory:
        """Everyone whom an event would concern, the content about its type, and what the customer got lately."""
        ...

    async def catalogue(self) -> Mapping[str, TouchpointTypeRecord]:
        """The touchpoint types of the policy in force, by name."""
        ...


@dataclass(frozen=True, slots=True)
class PreviewSources:
    """What previews are made of: people and content, the calendar, and how customers and owners are written to."""

    people: PreviewSource
    calendar: Calendar
    sending: Sending


async def preview_customer_message(
    request: PreviewRequest, sources: PreviewSources, now: datetime
) -> Preview:
    """What a customer would get, as a test. Raises NotFound and FactsMissing."""
    type_ = (await sources.people.catalogue()).get(request.touchpoint_type, ANY_TYPE)
    directory = await sources.people.directory_of(example_event(request, type_, None, now))
    account = find_account(request, directory)
    event = example_event(request, type_, account, now)
    reader = reader_of_preview(account, request, type_, directory)
    content = find_content(directory.contents, request.touchpoint_type, "customer", reader.tag)
    if content is None:
        raise no_content(request)
    (known,) = await gather_facts([FactsWanted(event, content)], sources.sending.customers.facts)
    if known.problem is not None:
        raise FactsMissing(known.problem)
    draft = Draft(event, content, reader, known, now, directory.contents, is_test=True)
    return _write(draft, sources.sending.customers.writer)


def find_account(request: PreviewRequest, directory: Directory) -> Account:
    """Raises NotFound."""
    account = directory.accounts.get(request.account_id)
    if account is None:
        raise NotFound(f"There is no account {request.account_id}.")
    return account


def no_content(request: PreviewRequest) -> NotFound:
    return NotFound(f"There is no content for the {request.reader} about {request.touchpoint_type}.")


def example_event(
    request: PreviewRequest, type_: TouchpointTypeRecord, account: Account | None, now: datetime
) -> Event:
    """A touchpoint of the type that is due now."""
    touchpoint = TouchpointData.of_valid(
        touchpoint_id="preview",
        account_id=request.account_id,
        account_name=account.name if account else None,
        touchpoint_type=request.touchpoint_type,
        status="due",
        due_at=now,
        deadline=now + timedelta(days=7),
        window=Window(from_=now, to=now + timedelta(days=7)),
        owner=TouchpointOwner(kind=type_.owner, csm_id=_owner_id(type_, account)),
        channel=type_.channel,
        purpose=type_.purpose,
        reason=Reason(rule="preview", policy="", text=""),
        sequence=0,
        topic=type_.topic,
        audience=type_.audience,
        agenda=type_.agenda,
        expects=type_.expects,
    )
    return Event("preview", DUE, now, b"", touchpoint)


def _owner_id(type_: TouchpointTypeRecord, account: Account | None) -> str | None:
    if account is None:
        return None
    return account.sales_id if type_.owner == "sales" else account.csm_id


def reader_of_preview(
    account: Account, request: PreviewRequest, type_: TouchpointTypeRecord, directory: Directory
) -> Reader:
    """Who reads it: the contact that is named, else the first of the audience. Raises NotFound."""
    csm = directory.csms.get(account.csm_id or "")
    return Reader(account, _contact(account, request, type_), csm, request.language)


def _contact(account: Account, request: PreviewRequest, type_: TouchpointTypeRecord) -> ContactRecord | None:
    """The contact that is named, else the first of the audience, else the first. Raises NotFound."""
    if request.contact_id is not None:
        found = next((one for one in account.contacts if one.contact_id == request.contact_id), None)
        if found is None:
            raise NotFound(f"The account {account.account_id} has no contact {request.contact_id}.")
        return found
    there = [contact for contact in account.contacts if not contact.left]
    audience = [contact for contact in there if contact.role in type_.audience]
    return next(iter([*audience, *there]), None)


def _write(draft: Draft, writer: CustomerWriter) -> Preview:
    written = write_customer_message(draft, writer)
    if isinstance(written, NoContent):
        return Preview("", "", "", draft.content.language, written.missing, not_sent=written.detail)
    shown = written.message
    return Preview(shown.subject, shown.text, shown.html, written.language, written.missing)


def without_test_mark(preview: Preview) -> Preview:
    """The preview with the subject that a recipient would read."""
    return replace(preview, subject=preview.subject.removeprefix("[Test] "))
