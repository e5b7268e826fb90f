"""Claims of mail to people of ours, and what it is written with, for unit tests."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.directory import ContactRecord, CsmRecord
from schemas.figures import AccountFigures, FiguresRequest
from schemas.touchpoints import TouchpointOwner
from services.notifier.adapters.phrases import load_people_phrases, load_phrases
from services.notifier.adapters.templates import Templates
from services.notifier.application.customer_links import links_of
from services.notifier.application.mail_ports import BeginningMail, Handover, Mail, OptOuts
from services.notifier.application.message_facts import ComingTouchpoint, NoAnswer
from services.notifier.application.ports import ClaimResult, MessageClaim, Now
from services.notifier.application.send_to_customers import CustomerSending
from services.notifier.application.sending import MessageUse, OwnerSending, ProgramUse, Sending
from services.notifier.application.write_customer_mail import CustomerWriter
from services.notifier.application.write_owner_mail import write_owner_mail
from services.notifier.domain.action_token import action_links
from services.notifier.domain.contact_budget import NoRoom
from services.notifier.domain.delivery import AttemptOutcome, Delivery, Recipient, RecipientKind, Response
from services.notifier.domain.event import DUE, Event
from services.notifier.domain.link_token import LinkKeys
from services.notifier.domain.mode import Mode
from services.notifier.domain.people import Account
from services.notifier.domain.situation import Directory
from tests.unit.notifier.events import due

MONDAY = datetime(2026, 11, 30, 6, 30, tzinfo=UTC)  # 07:30 in Berlin
KEYS = LinkKeys({1: b"k" * 32})
NOW = Now(MONDAY, MONDAY)
CARL = CsmRecord(
    csm_id="carl", name="Carl Ode", email="carl@vendor.example", timezone="Europe/Berlin", version=1
)
DORA = CsmRecord(csm_id="dora", name="Dora Lind", email="dora@vendor.example", version=1)
ADA = ContactRecord(
    contact_id="ada",
    name="Ada Lovelace",
    email="ada@acme.example",
    role="champion",
    phone="+49 30 901820",
)
BEN = ContactRecord(contact_id="ben", name="Ben Okri", email="ben@acme.example", role="decision_maker")
ACME = Account("acme", "Acme & Sons", ("Europe/Berlin",), (ADA, BEN), csm_id="carl")
GLOBEX = Account("globex", "Globex", ("Europe/Berlin",), csm_id="carl")
CARLS = TouchpointOwner(kind="csm", csm_id="carl")
CARL_IN_MAIL = Recipient(RecipientKind.CSM, "carl")


class NoServices:
    """A source of facts that never answers, and a mailer and a recorder that keep nothing."""

    async def figures(self, requests: Sequence[FiguresRequest]) -> Sequence[AccountFigures]:
        raise NoAnswer(f"{len(requests)} accounts")

    async def coming(self, account_ids: Sequence[str]) -> Mapping[str, Sequence[ComingTouchpoint]]:
        raise NoAnswer(f"{len(account_ids)} accounts")

    async def reserve_programs(self, uses: Sequence[ProgramUse]) -> set[str]:
        return {use.delivery_id for use in uses}

    async def reserve_room(self, uses: Sequence[MessageUse]) -> dict[str, NoRoom]:
        assert uses
        return {}

    async def begin(self, mail: BeginningMail) -> OptOuts | None:
        return OptOuts({}, {}, frozenset(), Mode()) if mail.claims else None

    async def record(self, results: Sequence[ClaimResult]) -> None:
        assert results

    async def send(self, mail: Mail, *, at: datetime, handover: Handover | None = None) -> Response:
        return Response(AttemptOutcome.DELIVERED, f"250 {mail.delivery_id} {at}")


def sending() -> Sending:
    templates, services = Templates(), NoServices()
    writer = CustomerWriter(
        templates, load_phrases(), links_of("http://test", KEYS, lambda: MONDAY), "Northwind", "1 Long Road"
    )
    return Sending(
        services,
        templates,
        CustomerSending(writer, services),
        OwnerSending(
            load_people_phrases(),
            services,
            action_links("https://drumbeat.example", KEYS),
            "https://console.example",
        ),
        services,
        services,
        fallback_to="ops@vendor.example",
    )


def claim(
    touchpoint_id: str = "t1",
    *,
    event_type: str = DUE,
    recipient: Recipient = CARL_IN_MAIL,
    planned_at: datetime | None = MONDAY,
    **more: Any,
) -> MessageClaim:
    """A claim of an event about a touchpoint of Carl's that is due on Monday at ten."""
    fields: dict[str, Any] = {
        "touchpoint_id": touchpoint_id,
        "touchpoint_type": "check_in",
        "due_at": MONDAY + timedelta(hours=2, minutes=30),
        "released_at": None,
        "owner": CARLS,
        "topic": "account",
        "purpose": "Hear how it goes and remove what is in the way",
        "url": "https://drumbeat.example/accounts/acme",
        **more,
    }
    event = due("csm", **{"channel": "call", **fields})
    event = Event(f"{touchpoint_id}:{event_type}", event_type, MONDAY, event.data, event.content)
    delivery = Delivery(f"delivery-{touchpoint_id}", "email", recipient)
    return MessageClaim(delivery, event, "token", None, message_id="message-1", planned_at=planned_at)


def directory(*people: CsmRecord, contents: Mapping[str, str] | None = None, **more: Any) -> Directory:
    everyone = {person.csm_id: person for person in people or (CARL, DORA)}
    return Directory(
        accounts={"acme": ACME, "globex": GLOBEX}, csms=everyone, contents=contents or {}, **more
    )


def figures(**more: Any) -> AccountFigures:
    return AccountFigures(account_id="acme", **more)


def write(
    *claims: MessageClaim, among: Directory | None = None, known: Mapping[str, AccountFigures] | None = None
) -> Mail:
    return write_owner_mail(claims, among or directory(), known or {}, NOW, sending())
