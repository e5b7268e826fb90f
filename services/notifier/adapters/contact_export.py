"""What the notifier's tables store of one contact, found as an erasure finds it (`erasure.PEOPLE`)."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Final

from schemas.ids import derived_id
from schemas.retention import RetentionRule, rule_of
from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection, Database, real_now
from services.chassis.dead_letters import letter_document, letters_about
from services.chassis.settings import Retention
from services.notifier.adapters.delivery_lists import list_deliveries_of_contact
from services.notifier.adapters.message_reader import parse_message
from services.notifier.adapters.people_repository import ACCOUNT_ID
from services.notifier.adapters.service_mail_repository import KEPT
from services.notifier.application.export_contact import ExportedDelivery, NotifierContactData
from services.notifier.application.read_messages import WrittenMessage
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.event import DUE

CONTACT: Final = """
SELECT contact_id, account_id, name, email, phone, number, slack, role, language, timezone, has_left,
    said_at AS described_at, source, word_id AS event_id
FROM contact WHERE contact_id = $1
"""
OBJECTED: Final = "SELECT objected_at FROM measuring_objection WHERE contact_id = $1"
# Consent that survives its contact is stored under another name; so it is found by the address.
CONSENTS: Final = """
SELECT nullif(topic, '') AS topic, nullif(channel, '') AS channel, aspect, opted_in, said_at AS stated_at, source,
    word_id AS event_id, contact_id = $1 AS is_of_this_contact
FROM address_consent WHERE address_hash = ANY($2::bytea[]) OR contact_id = $1 ORDER BY said_at
"""
REFUSED: Final = (
    "SELECT detail, refused_at FROM refused_address WHERE address_hash = ANY($1::bytea[]) LIMIT 1"
)
# One mail for each message id, the last that was written.
WRITTEN: Final = """
SELECT DISTINCT ON (w.message_id) w.message_id::text, w.content FROM written_message w
WHERE w.message_id = ANY($1::uuid[]) ORDER BY w.message_id, w.written_at DESC
"""
_TO_CONTACT: Final = "recipient_kind = 'contact' AND recipient_id = $1"
SECTIONS: Final[Mapping[str, str]] = {
    "preferences": """
        SELECT nullif(topic, '') AS topic, nullif(channel, '') AS channel, aspect, opted_in, frequency,
            said_at AS stated_at, source, word_id AS event_id
        FROM preference WHERE contact_id = $1 ORDER BY said_at
    """,
    "inbound": f"""
        SELECT id, kind, delivery_id, account_id, counted, reason, received_at FROM inbound_mail
        WHERE {_TO_CONTACT} ORDER BY received_at
    """,
    "requests": """
        SELECT r.delivery_id, r.kind, r.link, r.agent, r.requested_at, r.is_reported
        FROM engagement_request r JOIN delivery d ON d.id = r.delivery_id
        WHERE d.recipient_kind = 'contact' AND d.recipient_id = $1 ORDER BY r.requested_at
    """,
    "in_app": f"""
        SELECT id, account_id, touchpoint_id, touchpoint_type, title, body, due_at, at, read_at FROM in_app
        WHERE {_TO_CONTACT} ORDER BY at
    """,
    "invitations": f"""
        SELECT touchpoint_id, account_id, starts_at, ends_at, organizer_id, invited_at, is_cancelled, answer
        FROM invitation WHERE {_TO_CONTACT} ORDER BY starts_at
    """,
    "drafts": """
        SELECT r.delivery_id, d.touchpoint_id, d.touchpoint_type, d.account_id, d.channel, d.state, d.reason,
            r.subject, r.preheader, r.text, d.written_at, d.finished_at
        FROM draft_recipient r JOIN draft d ON d.id = r.draft_id WHERE r.contact_id = $1 ORDER BY d.written_at
    """,
    "budget": """
        SELECT delivery_id, account_id, occasion, channel, state, at, due_at FROM counted_message
        WHERE contact_id = $1 ORDER BY at
    """,
    "programs": """
        SELECT program_id, presented_at, NULL::uuid AS reserved_for FROM presented_program WHERE contact_id = $1
        UNION ALL SELECT program_id, NULL, delivery_id FROM program_reservation WHERE contact_id = $1
    """,
    "handed_off": f"""
        SELECT u.event_id, u.event_at, u.account_id, r.value::text AS recipient FROM undelivered_event u
        CROSS JOIN LATERAL jsonb_array_elements(convert_from(u.data, 'UTF8')::jsonb #> '{{content,recipients}}') r
        WHERE u.type = '{DUE}' AND u.account_id = $2 AND r.value ->> 'id' = $1 ORDER BY u.event_at
    """,
    "service_mails": """
        SELECT id, kind, state, requested_at, finished_at, data::text AS data FROM service_mail
        WHERE kind = 'answer' AND data ->> 'contact_id' = $1 ORDER BY requested_at
    """,
}
AUDIT: Final = AuditLog("notifier")


class PostgresContactExport:
    """Implements the port `ContactExport`. One transaction, so that all parts are of one moment.

    `recorded` is called when the entry of the audit log is stored.
    """

    def __init__(
        self, database: Database, addresses: AddressKey, retention: Retention, recorded: Callable[[], None]
    ) -> None:
        self._database, self._addresses, self._retention = database, addresses, retention
        self._recorded = recorded

    async def export(self, contact_id: str) -> NotifierContactData | None:
        async with self._database.transaction() as connection:
            contact = await connection.fetchrow(CONTACT, contact_id)
            account_id = await connection.fetchval(ACCOUNT_ID, contact_id)
            sections = {name: await _read(connection, name, contact_id, account_id) for name in SECTIONS}
            deliveries = await self._deliveries(connection, contact_id)
            if contact is None and not deliveries and not any(sections.values()):
                return None
            known = [] if contact is None else [contact["email"], contact["phone"], contact["number"]]
            addresses = [address for address in known if address]
            hashes = [hashed for address in addresses for hashed in self._addresses.hashes_of(address)]
            consents = await connection.fetch(CONSENTS, contact_id, hashes)
            data = NotifierContactData(
                service="notifier",
                contact_id=contact_id,
                exported_at=await real_now(connection),
                contact=_shown(contact),
                address_consents=[dict(row) for row in consents],
                refused_address=_shown(await connection.fetchrow(REFUSED, hashes)),
                measuring_objected_at=await connection.fetchval(OBJECTED, contact_id),
                deliveries=deliveries,
                dead_letters=await _letters(connection, {contact_id, *addresses}),
                retention=retention_rules(self._retention),
                **sections,
            )
            person = f"contact/{derived_id('contact', contact_id)}"
            await AUDIT.record(connection, [Change("contact.exported", person)])
        self._recorded()
        return data

    async def _deliveries(self, connection: Connection, contact_id: str) -> Sequence[ExportedDelivery]:
        items = await list_deliveries_of_contact(connection, contact_id)
        messages = await _messages(connection, {item.message_id for item in items})
        return [ExportedDelivery(item, messages.get(item.message_id)) for item in items]


def retention_rules(retention: Retention) -> list[RetentionRule]:
    """How long each kind of what the export shows is kept."""
    return [
        RetentionRule(
            what="contact, preferences, objection to measuring", ends="with the contact or the account"
        ),
        RetentionRule(
            what="consent and refusal under the hash of an address",
            ends="never: who opted out stays opted out",
        ),
        rule_of(
            "deliveries_days", retention.deliveries_days, "deliveries, feeds, budgets, programs, what came in"
        ),
        rule_of("messages_days", retention.messages_days, "texts of mails, drafts, what other platforms got"),
        rule_of("receipts_days", retention.receipts_days, "invitations, after the meeting"),
        RetentionRule(what="requests for measured links", ends="deleted within minutes"),
        RetentionRule(what="service mails", ends="deleted", days=KEPT.days),
        rule_of("dead_letters_days", retention.dead_letters_days, "dead letters"),
    ]


async def _read(
    connection: Connection, section: str, contact_id: str, account_id: str | None
) -> Sequence[Mapping[str, Any]]:
    values = [contact_id, account_id] if section == "handed_off" else [contact_id]
    return [dict(row) for row in await connection.fetch(SECTIONS[section], *values)]


async def _messages(connection: Connection, message_ids: Collection[str]) -> dict[str, WrittenMessage]:
    rows = await connection.fetch(WRITTEN, sorted(message_ids))
    return {row[0]: parse_message(row[1]) for row in rows}


async def _letters(connection: Connection, names: Collection[str]) -> Sequence[Mapping[str, object]]:
    return [
        letter_document(letter) async for letters in letters_about(connection, names) for letter in letters
    ]


def _shown(row: Any) -> Mapping[str, Any] | None:
    return None if row is None else dict(row)
