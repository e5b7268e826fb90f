"""Consent to text messages, stored under the keyed hash of the number: it outlives the contacts that have it."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.directory import PreferenceRecord
from schemas.ids import derived_id
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.notifier.adapters import merging
from services.notifier.adapters.address_repository import load_consents
from services.notifier.adapters.directory_repository import load_preferences
from services.notifier.adapters.preference_repository import PreferenceRepository
from services.notifier.application.receive_mail import InboundResult
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.consent import SOURCE, find_opt_out, newer_than
from services.notifier.domain.contact_channel import SMS
from services.notifier.domain.sms_events import TextAnswer
from services.notifier.domain.sms_keywords import SmsKeyword
from services.notifier.domain.text_consent import preferences_after

ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))"
SEEN: Final = "SELECT kind, counted, delivery_id::text, reason FROM inbound_mail WHERE id = $1"
CONTACTS: Final = (
    "SELECT contact_id, account_id FROM contact WHERE number = $1 ORDER BY contact_id FOR UPDATE"
)
LAST_DELIVERY: Final = """
SELECT d.id::text FROM contact c JOIN delivery d ON d.recipient_id = c.contact_id
WHERE c.number = $1 AND d.recipient_kind = 'contact' AND d.channel = 'sms' AND d.address_hash IS NOT NULL
ORDER BY d.seq DESC LIMIT 1
"""
# Of the number itself; each contact that has it gets a preference of its own, too.
SAVE_CONSENT: Final = """
INSERT INTO address_consent
    (address_hash, contact_id, topic, channel, aspect, opted_in, said_at, source, word_id)
VALUES ($1, 'number', '', 'sms', 'own_consent', $2, $3, $4, $5)
ON CONFLICT (address_hash, contact_id, topic, channel, aspect) DO UPDATE SET opted_in = excluded.opted_in,
    said_at = excluded.said_at, source = excluded.source, word_id = excluded.word_id
"""
ACCEPT_NUMBER: Final = "DELETE FROM refused_address WHERE address_hash = $1"
SAVE: Final = """
INSERT INTO inbound_mail (id, kind, account_id, recipient_kind, recipient_id, counted)
VALUES ($1, $2, $3, 'contact', $4, true)
"""


@dataclass(frozen=True, slots=True)
class TextConsents:
    """Implements the port `TextConsents`. `reported` is called when facts were stored."""

    database: Database
    clock: ServiceClock
    addresses: AddressKey
    preferences: PreferenceRepository
    reported: Callable[[], None]

    async def has_stopped(self, number: str) -> bool:
        async with self.database.transaction() as connection:
            consents = await self._consents(connection, number)
            return find_opt_out(consents, None, SMS) is not None

    async def last_delivery(self, number: str) -> str | None:
        async with self.database.transaction() as connection:
            return await connection.fetchval(LAST_DELIVERY, number)

    async def record(self, answer: TextAnswer, keyword: SmsKeyword) -> InboundResult:
        id_ = derived_id("inbound", "sms", answer.id)
        async with self.database.transaction() as connection:
            await merging.keep_merges_out(connection)
            await connection.execute(ONE_AT_A_TIME, answer.number)
            seen = await connection.fetchrow(SEEN, id_)
            if seen is not None:
                return InboundResult(*seen)
            now = self.clock.at(await real_now(connection))
            await self._bind_number(connection, answer, keyword, now)
            contacts = [(row[0], row[1]) for row in await connection.fetch(CONTACTS, answer.number)]
            stored = await load_preferences(connection, [contact_id for contact_id, _ in contacts])
            for contact_id, account_id in contacts:
                before = stored.get(contact_id, [])
                records = preferences_after(keyword, contact_id, before, now, answer.id)
                await self.preferences.store.save(connection, contact_id, account_id, records)
            contact_id, account_id = contacts[0] if contacts else (None, None)
            await connection.execute(SAVE, id_, keyword, account_id, contact_id)
        self.reported()
        return InboundResult(keyword, counted=True)

    async def _bind_number(
        self, connection: Connection, answer: TextAnswer, keyword: SmsKeyword, now: datetime
    ) -> None:
        at = newer_than(await self._consents(connection, answer.number), now)
        number_hash = self.addresses.hash_address(answer.number)
        is_start = keyword is SmsKeyword.START
        await connection.execute(SAVE_CONSENT, number_hash, is_start, at, SOURCE, answer.id)
        if is_start:
            await connection.execute(ACCEPT_NUMBER, number_hash)

    async def _consents(self, connection: Connection, number: str) -> list[PreferenceRecord]:
        consents = await load_consents(connection, self.addresses, [number])
        return [record for records in consents.values() for record in records]
