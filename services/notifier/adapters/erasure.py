"""Erasure: an account or a contact disappears from every table, with its messages and dead letters.

The directory's tombstone erases the people. The tombstone on `touchpoint.events` follows the last event of the scheduler
about the account, so that nothing that was announced before it comes back after it. Consent stays, under the keyed hash
of the address.

A sender reads people and claims deliveries in one transaction, and writes its mails after it. So an erasure waits for the
claims under way and lets none begin before it ends: whoever claimed before it is seen, whoever claims later reads nobody
erased.
"""

from collections.abc import Sequence
from typing import Final

from schemas.directory import AccountRecord
from schemas.ids import derived_id
from services.chassis.database import Connection
from services.chassis.dead_letters import erase_dead_letters
from services.notifier.adapters.address_repository import forget_contacts
from services.notifier.adapters.draft_repository import ERASE_DRAFTS_OF_CONTACTS
from services.notifier.adapters.hand_off_repository import ERASE_FROM_HAND_OFFS
from services.notifier.adapters.undelivered_events import EVENT
from services.notifier.adapters.written_messages import ERASE_OF_ACCOUNT, ERASE_OF_CONTACTS
from services.notifier.domain.event import CANCELLED

_LOCK: Final = "hashtextextended('erasures of people', 0)"
KEEP_CLAIMS_OUT: Final = f"SELECT pg_advisory_xact_lock({_LOCK})"
KEEP_ERASURES_OUT: Final = f"SELECT pg_advisory_xact_lock_shared({_LOCK})"
CONTACTS = "SELECT account_id, contact_id, email FROM contact WHERE account_id = ANY($1::text[])"
# Rows that a sender holds a lease on are deleted too: it completes nothing any more. Mails to others about the account
# that are being sent may name the contact, and are not kept. They are marked first: whoever records one then waits, or
# has stored it before the statement that deletes it. `LOCK_QUEUED` has the same reason.
PEOPLE = (
    """
    UPDATE delivery_queue SET is_naming_erased = true
    WHERE lease_token IS NOT NULL AND account_id IN (
        SELECT account_id FROM contact WHERE contact_id = ANY($1::text[]))
    """,
    ERASE_OF_CONTACTS,
    "DELETE FROM preference WHERE contact_id = ANY($1::text[])",
    "DELETE FROM measuring_objection WHERE contact_id = ANY($1::text[])",
    """
    DELETE FROM engagement_request r USING delivery d
    WHERE d.id = r.delivery_id AND d.recipient_kind = 'contact' AND d.recipient_id = ANY($1::text[])
    """,
    "DELETE FROM delivery_queue WHERE recipient_kind = 'contact' AND recipient_id = ANY($1::text[])",
    "DELETE FROM delivery WHERE recipient_kind = 'contact' AND recipient_id = ANY($1::text[])",
    "DELETE FROM delivery_unsent WHERE recipient_kind = 'contact' AND recipient_id = ANY($1::text[])",
    "DELETE FROM program_reservation WHERE contact_id = ANY($1::text[])",
    "DELETE FROM presented_program WHERE contact_id = ANY($1::text[])",
    # That the account was written to still counts.
    "UPDATE counted_message SET person = NULL, contact_id = NULL WHERE contact_id = ANY($1::text[])",
    "DELETE FROM in_app WHERE recipient_kind = 'contact' AND recipient_id = ANY($1::text[])",
    "DELETE FROM invitation WHERE recipient_kind = 'contact' AND recipient_id = ANY($1::text[])",
    # What people of ours were told of an answer repeats what the contact wrote.
    """
    DELETE FROM in_app a USING inbound_mail m
    WHERE a.id = m.id AND m.recipient_kind = 'contact' AND m.recipient_id = ANY($1::text[])
    """,
    "DELETE FROM service_mail WHERE kind = 'answer' AND data ->> 'contact_id' = ANY($1::text[])",
    "DELETE FROM inbound_mail WHERE recipient_kind = 'contact' AND recipient_id = ANY($1::text[])",
    *ERASE_DRAFTS_OF_CONTACTS,
    ERASE_FROM_HAND_OFFS,
    "DELETE FROM contact WHERE contact_id = ANY($1::text[])",
)
KEEP_CANCELLATIONS = f"""
UPDATE delivery_queue s SET erase_when_final = true
WHERE s.account_id = $1 AND s.channel = 'webhook' AND (SELECT type FROM {EVENT} f) = $2
"""
LOCK_QUEUED = "SELECT delivery_id FROM delivery_queue WHERE account_id = $1 ORDER BY delivery_id FOR UPDATE"
EVENTS = (
    LOCK_QUEUED,
    ERASE_OF_ACCOUNT,
    """
    DELETE FROM withdrawn WHERE touchpoint_id IN (
        SELECT touchpoint_id FROM delivery WHERE account_id = $1
        UNION ALL SELECT convert_from(data, 'UTF8')::json ->> 'touchpoint_id' FROM feed WHERE account_id = $1)
    """,
    "DELETE FROM engagement_request r USING delivery d WHERE d.id = r.delivery_id AND d.account_id = $1",
    "DELETE FROM delivery_queue WHERE account_id = $1 AND NOT erase_when_final",
    """
    DELETE FROM delivery WHERE account_id = $1
        AND NOT EXISTS (SELECT FROM delivery_queue q WHERE q.delivery_id = delivery.id)
    """,
    "DELETE FROM delivery_unsent WHERE account_id = $1",
    """
    DELETE FROM feed WHERE account_id = $1
        AND NOT EXISTS (SELECT FROM delivery_queue q WHERE q.event_key = feed.key AND q.account_id = $1)
    """,
    """
    DELETE FROM undelivered_event u WHERE account_id = $1
        AND NOT EXISTS (SELECT FROM delivery_queue q WHERE q.event_key = u.key AND q.account_id = $1)
    """,
    "DELETE FROM in_app WHERE account_id = $1",
    "DELETE FROM invitation WHERE account_id = $1",
    "DELETE FROM counted_message WHERE account_id = $1",
    "DELETE FROM counted_talk WHERE account_id = $1",
    "DELETE FROM service_mail WHERE kind = 'answer' AND data ->> 'account_id' = $1",
    "DELETE FROM inbound_mail WHERE account_id = $1",
    "DELETE FROM draft WHERE account_id = $1",
)
FINAL = """
WITH unsent AS (
    DELETE FROM delivery_unsent WHERE delivery_id = ANY($1::uuid[])
)
DELETE FROM delivery WHERE id = ANY($1::uuid[]) RETURNING event_key
"""
EVENTS_OF_NONE = tuple(
    f"""
    DELETE FROM {table} f WHERE key = ANY($1::uuid[])
        AND NOT EXISTS (SELECT FROM delivery d WHERE d.event_key = f.key AND d.account_id = f.account_id)
    """
    for table in ("feed", "undelivered_event")
)

# Of the mails to a CSM, and of what they answered.
CSM: Final = (
    """
    DELETE FROM written_message WHERE message_id IN (
        SELECT message_id FROM delivery WHERE recipient_kind = 'csm' AND recipient_id = $1
        UNION ALL SELECT message_id FROM delivery_queue WHERE recipient_kind = 'csm' AND recipient_id = $1)
    """,
    *(
        f"DELETE FROM {table} WHERE recipient_kind = 'csm' AND recipient_id = $1"
        for table in ("delivery_queue", "delivery", "delivery_unsent", "in_app", "invitation", "inbound_mail")
    ),
    "DELETE FROM person WHERE csm_id = $1",
)


async def keep_erasures_out(connection: Connection) -> None:
    """Have nobody erased while this transaction claims deliveries and reads people. To be called before it does."""
    await connection.execute(KEEP_ERASURES_OUT)


async def erase_people(connection: Connection, account_id: str) -> None:
    """Delete the account, its contacts, their preferences and the messages to them."""
    rows = await connection.fetch(CONTACTS, [account_id])
    await _erase_contacts(connection, [row[1] for row in rows])
    await connection.execute("DELETE FROM account WHERE account_id = $1", account_id)
    await connection.execute("DELETE FROM account_alias WHERE stays = $1", account_id)
    names = {account_id, *(value for row in rows for value in row if value)}
    await erase_dead_letters(connection, names)


async def erase_contacts(connection: Connection, records: Sequence[AccountRecord]) -> None:
    """Delete the contacts that these records name as erased, their preferences and the messages to them."""
    erased = {(record.account_id, key) for record in records for key in record.erased_contacts}
    if not erased:
        return
    accounts = sorted({account_id for account_id, _ in erased})
    rows = await connection.fetch(CONTACTS, accounts)
    gone = [row for row in rows if (row[0], derived_id("contact", row[1])) in erased]
    if gone:
        await _erase_contacts(connection, [row[1] for row in gone])
        await erase_dead_letters(connection, {value for row in gone for value in row[1:] if value})


async def erase_csm(connection: Connection, csm_id: str) -> None:
    """Delete a CSM and the messages to them."""
    email = await connection.fetchval("SELECT email FROM person WHERE csm_id = $1", csm_id)
    await connection.execute(KEEP_CLAIMS_OUT)
    for statement in CSM:
        await connection.execute(statement, csm_id)
    await erase_dead_letters(connection, {csm_id, email} if email else {csm_id})


async def erase_events(connection: Connection, account_id: str) -> None:
    """Delete what was announced about the account; webhooks about cancellations wait until they are final."""
    await connection.execute(KEEP_CANCELLATIONS, account_id, CANCELLED)
    for statement in EVENTS:
        await connection.execute(statement, account_id)
    await erase_dead_letters(connection, {account_id})


async def erase_final(connection: Connection, delivery_ids: Sequence[str]) -> None:
    """Delete deliveries that were only kept until they are final, with their events."""
    rows = await connection.fetch(FINAL, delivery_ids)
    for statement in EVENTS_OF_NONE:
        await connection.execute(statement, [row[0] for row in rows])


async def _erase_contacts(connection: Connection, contact_ids: Sequence[str]) -> None:
    await connection.execute(KEEP_CLAIMS_OUT)
    await forget_contacts(connection, contact_ids)
    for statement in PEOPLE:
        await connection.execute(statement, contact_ids)
