"""The notifier's copy of the directories: stored from account and CSM records, read by the delivery policy."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from schemas.directory import AccountRecord, ContactRecord, CsmRecord, PreferenceRecord
from services.chassis.database import Connection
from services.notifier.adapters.address_repository import (
    copy_consents,
    load_consents,
    unknown_addresses,
)
from services.notifier.adapters.engagement_repository import notified_people
from services.notifier.adapters.merging import find_ended
from services.notifier.adapters.mode_repository import load_mode
from services.notifier.adapters.pauses import read_pauses, write_pauses
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.consent import CONSENT, latest
from services.notifier.domain.contact_channel import addresses_of
from services.notifier.domain.event import Event
from services.notifier.domain.people import Account
from services.notifier.domain.situation import Directory

SAVE_ACCOUNTS = """
INSERT INTO account (account_id, name, zones, pauses, version, language, csm_id, sales_id, pool)
SELECT account_id, name, string_to_array(zones, ' '), pauses, version, language, csm_id, sales_id, pool
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]::jsonb[], $5::bigint[], $6::text[], $7::text[],
    $8::text[], $9::text[]) AS u (account_id, name, zones, pauses, version, language, csm_id, sales_id, pool)
ON CONFLICT (account_id) DO UPDATE SET name = excluded.name, zones = excluded.zones,
    pauses = excluded.pauses, version = excluded.version, language = excluded.language,
    csm_id = excluded.csm_id, sales_id = excluded.sales_id, pool = excluded.pool
WHERE account.version < excluded.version RETURNING account_id
"""
DELETE_OTHER_CONTACTS = "DELETE FROM contact WHERE account_id = ANY($1) AND NOT contact_id = ANY($2)"
# Of two accounts with one contact, that of the later description has it, whichever record arrives first.
SAVE_CONTACTS = """
INSERT INTO contact (contact_id, account_id, name, email, role, language, timezone, has_left, address_hash,
    said_at, source, word_id, phone, slack)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::boolean[], $9::bytea[], $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[])
ON CONFLICT (contact_id) DO UPDATE SET account_id = excluded.account_id, name = excluded.name,
    email = excluded.email, role = excluded.role, language = excluded.language,
    timezone = excluded.timezone, has_left = excluded.has_left, address_hash = excluded.address_hash,
    said_at = excluded.said_at, source = excluded.source, word_id = excluded.word_id, phone = excluded.phone,
    slack = excluded.slack
WHERE contact.account_id = excluded.account_id OR contact.said_at IS NULL
    OR (contact.said_at, contact.source COLLATE "C", contact.word_id COLLATE "C")
        <= (excluded.said_at, excluded.source COLLATE "C", excluded.word_id COLLATE "C")
"""
SAVE_CSMS = """
INSERT INTO person (csm_id, name, email, timezone, version, pool, phone, language, role, manager_id, booking_url,
    working_days, slack, news_by)
SELECT csm_id, name, email, timezone, version, pool, phone, language, role, manager_id, booking_url,
    string_to_array(working_days, ' '), slack, news_by
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::text[]) AS u (csm_id, name, email,
    timezone, version, pool, phone, language, role, manager_id, booking_url, working_days, slack, news_by)
ON CONFLICT (csm_id) DO UPDATE SET name = excluded.name, email = excluded.email,
    timezone = excluded.timezone, version = excluded.version, pool = excluded.pool, phone = excluded.phone,
    language = excluded.language, role = excluded.role, manager_id = excluded.manager_id,
    booking_url = excluded.booking_url, working_days = excluded.working_days,
    slack = excluded.slack, news_by = excluded.news_by, opens_at = CASE WHEN (person.timezone, person.working_days)
        IS NOT DISTINCT FROM (excluded.timezone, excluded.working_days) THEN person.opens_at END
WHERE person.version < excluded.version
"""
# An older preference never replaces a newer one, whether it allows more or less.
SAVE_PREFERENCES = """
INSERT INTO preference (contact_id, topic, channel, aspect, opted_in, frequency, said_at, source, word_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[],
    $7::timestamptz[], $8::text[], $9::text[])
ON CONFLICT (contact_id, topic, channel, aspect) DO UPDATE SET opted_in = excluded.opted_in,
    frequency = excluded.frequency, said_at = excluded.said_at, source = excluded.source,
    word_id = excluded.word_id
WHERE (preference.said_at, preference.source COLLATE "C", preference.word_id COLLATE "C")
    < (excluded.said_at, excluded.source COLLATE "C", excluded.word_id COLLATE "C")
"""
WAKE_WAITING = "UPDATE delivery_queue SET next_at = $2 WHERE waits_until > $2"
ACCOUNTS = """
SELECT account_id, name, zones, pauses, language, csm_id, sales_id, pool FROM account WHERE account_id = ANY($1)
"""
CONTACTS = """
SELECT account_id, contact_id, name, email, role, language, timezone, phone, slack, has_left AS left FROM contact
WHERE account_id = ANY($1) ORDER BY contact_id
"""
PERSON_FIELDS = """csm_id, name, email, timezone, version, pool, phone, language, role, manager_id, booking_url,
working_days, slack, news_by"""
CSMS = f"""
SELECT {PERSON_FIELDS}
FROM person WHERE csm_id = ANY($1) OR role IN ('manager', 'marketing')
    OR csm_id IN (SELECT manager_id FROM person WHERE csm_id = ANY($1))
"""
PREFERENCES = """
SELECT contact_id, nullif(topic, '') AS topic, nullif(channel, '') AS channel, opted_in, frequency,
    nullif(aspect = 'own_consent', false) AS by_contact, said_at AS time, source, word_id AS id
FROM preference WHERE contact_id = ANY($1)
"""
WITHDRAWN = "SELECT touchpoint_id, sequence, reason FROM withdrawn WHERE touchpoint_id = ANY($1)"


async def save_accounts(connection: Connection, key: AddressKey, records: Sequence[AccountRecord]) -> None:
    """Store accounts with their contacts; an older version changes nothing. One record for each account."""
    records = sorted(records, key=lambda record: record.account_id)
    rows = await connection.fetch(
        SAVE_ACCOUNTS,
        [record.account_id for record in records],
        [record.name for record in records],
        [record.timezone or " ".join(record.zones) for record in records],
        [write_pauses(record.pauses) for record in records],
        [record.version for record in records],
        [record.language for record in records],
        [record.csm_id for record in records],
        [record.sales_id for record in records],
        [record.pool for record in records],
    )
    saved = {str(row[0]) for row in rows}
    contacts = {
        contact.contact_id: (record.account_id, contact)
        for record in records
        if record.account_id in saved
        for contact in record.contacts
    }
    await connection.execute(DELETE_OTHER_CONTACTS, sorted(saved), list(contacts))
    if contacts:
        await _save_contacts(connection, key, contacts)
        await copy_consents(connection, sorted(contacts))


async def _save_contacts(
    connection: Connection, key: AddressKey, contacts: Mapping[str, tuple[str, ContactRecord]]
) -> None:
    rows = [contacts[contact_id] for contact_id in sorted(contacts)]
    await connection.execute(
        SAVE_CONTACTS,
        [contact.contact_id for _, contact in rows],
        [account_id for account_id, _ in rows],
        [contact.name for _, contact in rows],
        [contact.email for _, contact in rows],
        [contact.role for _, contact in rows],
        [contact.language for _, contact in rows],
        [contact.timezone for _, contact in rows],
        [contact.left for _, contact in rows],
        [key.hash_address(contact.email) if contact.email else None for _, contact in rows],
        [contact.time for _, contact in rows],
        [contact.source for _, contact in rows],
        [contact.id for _, contact in rows],
        [contact.phone for _, contact in rows],
        [contact.slack for _, contact in rows],
    )


async def save_csms(connection: Connection, records: Sequence[CsmRecord]) -> None:
    records = sorted(records, key=lambda record: record.csm_id)
    await connection.execute(
        SAVE_CSMS,
        [record.csm_id for record in records],
        [record.name for record in records],
        [record.email for record in records],
        [record.timezone for record in records],
        [record.version for record in records],
        [record.pool for record in records],
        [record.phone for record in records],
        [record.language for record in records],
        [record.role for record in records],
        [record.manager_id for record in records],
        [record.booking_url for record in records],
        [None if record.working_days is None else " ".join(record.working_days) for record in records],
        [record.slack for record in records],
        [record.news_by for record in records],
    )


async def save_preferences(connection: Connection, preferences: Sequence[PreferenceRecord]) -> None:
    """Store the latest of each aspect in its own row; an older one than the stored changes nothing.

    Consent is also stored under the address of its contact.
    """
    winners = latest(preferences)
    rows = [(key[3], winners[key]) for key in sorted(winners, key=lambda key: [part or "" for part in key])]
    if not rows:
        return
    await connection.execute(
        SAVE_PREFERENCES,
        [preference.contact_id for _, preference in rows],
        [preference.topic or "" for _, preference in rows],
        [preference.channel or "" for _, preference in rows],
        [aspect for aspect, _ in rows],
        [preference.opted_in if aspect in CONSENT else None for aspect, preference in rows],
        [preference.frequency if aspect == "frequency" else None for aspect, preference in rows],
        [preference.time for _, preference in rows],
        [preference.source for _, preference in rows],
        [preference.id for _, preference in rows],
    )
    await copy_consents(connection, sorted({preference.contact_id for _, preference in rows}))


async def wake_messages_to_accounts(
    connection: Connection, account_ids: Sequence[str], real: datetime
) -> None:
    """Make ready the deliveries that wait for these accounts."""
    await connection.execute(f"{WAKE_WAITING} AND account_id = ANY($1)", account_ids, real)


async def wake_messages_to_csms(connection: Connection, csm_ids: Sequence[str], real: datetime) -> None:
    """Make ready the deliveries that wait for these CSMs."""
    await connection.execute(
        f"{WAKE_WAITING} AND recipient_kind = 'csm' AND recipient_id = ANY($1)", csm_ids, real
    )


async def load_preferences(
    connection: Connection, contact_ids: Sequence[str]
) -> dict[str, list[PreferenceRecord]]:
    """The stored preferences by contact id."""
    by_contact: defaultdict[str, list[PreferenceRecord]] = defaultdict(list)
    for row in await connection.fetch(PREFERENCES, list(contact_ids)):
        by_contact[row[0]].append(PreferenceRecord(**row))
    return by_contact


def read_person(row: Any) -> CsmRecord:
    """A person from a row with the columns of `PERSON_FIELDS`; others are left out."""
    fields: dict[str, Any] = {name: value for name, value in row.items() if name in CsmRecord.model_fields}
    if fields["working_days"] is not None:
        fields["working_days"] = tuple(fields["working_days"])
    return CsmRecord(**fields)


async def load_directory(connection: Connection, key: AddressKey, events: Sequence[Event]) -> Directory:
    """Everyone whom these events concern."""
    account_ids = {event.content.account_id for event in events}
    ended = await find_ended(connection, account_ids)
    accounts = await load_accounts(connection, sorted(account_ids.union(ended.values())))
    accounts |= {account_id: accounts[stays] for account_id, stays in ended.items() if stays in accounts}
    owners = [event.content.owner for event in events]
    notified = await notified_people(connection, events)
    named = {owner.csm_id for owner in owners} | {event.previous_csm_id for event in events}
    leading = {account.csm_id for account in accounts.values()}
    csm_ids = sorted({person for person in named | leading if person}.union(*notified.values()))
    csms = {row[0]: read_person(row) for row in await connection.fetch(CSMS, csm_ids)}
    contacts = [contact for account in accounts.values() for contact in account.contacts]
    customers = {address for contact in contacts for address in addresses_of(contact)}
    ours = {address for person in csms.values() for address in (person.email, person.slack) if address}
    addresses = customers | ours | {owner.email for owner in owners if owner.email}
    touchpoint_ids = sorted({event.content.touchpoint_id for event in events if event.content.touchpoint_id})
    withdrawn = await connection.fetch(WITHDRAWN, touchpoint_ids)
    return Directory(
        accounts=accounts,
        csms=csms,
        preferences=await load_preferences(connection, [contact.contact_id for contact in contacts]),
        consents=await load_consents(connection, key, customers),
        unknown_addresses=await unknown_addresses(connection, key, addresses),
        withdrawn={row[0]: (row[1], row[2]) for row in withdrawn},
        notified=notified,
        mode=await load_mode(connection),
    )


async def load_accounts(connection: Connection, account_ids: Sequence[str]) -> dict[str, Account]:
    """These accounts with their contacts, by id."""
    contacts: defaultdict[str, list[ContactRecord]] = defaultdict(list)
    for row in await connection.fetch(CONTACTS, account_ids):
        fields = dict(row)
        contacts[fields.pop("account_id")].append(ContactRecord(**fields))
    return {
        row[0]: Account(
            account_id=row[0],
            name=row[1],
            zones=tuple(row[2]),
            contacts=tuple(contacts[row[0]]),
            pauses=read_pauses(row[3]),
            language=row[4],
            csm_id=row[5],
            sales_id=row[6],
            pool=row[7],
        )
        for row in await connection.fetch(ACCOUNTS, account_ids)
    }
