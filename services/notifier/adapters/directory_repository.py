"""The notifier's copy of the people: learned from the directories, read by the gate."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any, cast

import orjson

from services.chassis.database import Connection
from services.notifier.domain.consent import Preference, newest
from services.notifier.domain.delivery_policy import Directory
from services.notifier.domain.event import Announcement
from services.notifier.domain.people import Account, Contact, Pause, Person

KEEP_ACCOUNTS = """
INSERT INTO account (account_id, name, timezone, pauses, version)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[]::jsonb[], $5::bigint[])
ON CONFLICT (account_id) DO UPDATE SET name = excluded.name, timezone = excluded.timezone,
    pauses = excluded.pauses, version = excluded.version
WHERE account.version < excluded.version RETURNING account_id
"""
DROP_CONTACTS = "DELETE FROM contact WHERE account_id = ANY($1) AND NOT contact_id = ANY($2)"
KEEP_CONTACTS = """
INSERT INTO contact (contact_id, account_id, name, email, role, language, timezone, has_left)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
    $8::boolean[])
ON CONFLICT (contact_id) DO UPDATE SET account_id = excluded.account_id, name = excluded.name,
    email = excluded.email, role = excluded.role, language = excluded.language,
    timezone = excluded.timezone, has_left = excluded.has_left
"""
KEEP_PEOPLE = """
INSERT INTO person (csm_id, name, email, timezone, version)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[])
ON CONFLICT (csm_id) DO UPDATE SET name = excluded.name, email = excluded.email,
    timezone = excluded.timezone, version = excluded.version
WHERE person.version < excluded.version
"""
# An older word never replaces a newer one: neither loosens it nor tightens it.
KEEP_PREFERENCES = """
INSERT INTO preference (contact_id, topic, channel, aspect, opted_in, frequency, said_at, source, word_id)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::boolean[], $6::text[],
    $7::timestamptz[], $8::text[], $9::text[])
ON CONFLICT (contact_id, topic, channel, aspect) DO UPDATE SET opted_in = excluded.opted_in,
    frequency = excluded.frequency, said_at = excluded.said_at, source = excluded.source,
    word_id = excluded.word_id
WHERE (preference.said_at, preference.source COLLATE "C", preference.word_id COLLATE "C")
    < (excluded.said_at, excluded.source COLLATE "C", excluded.word_id COLLATE "C")
"""
ROUSE = """
UPDATE delivery SET next_at = $2 WHERE state = 'pending' AND waits_until > $2
    AND CASE WHEN $3 THEN recipient_kind = 'csm' AND recipient_id = ANY($1) ELSE account_id = ANY($1) END
"""
ACCOUNTS = "SELECT account_id, name, timezone, pauses FROM account WHERE account_id = ANY($1)"
CONTACTS = """
SELECT contact_id, account_id, name, email, role, language, timezone, has_left FROM contact
WHERE account_id = ANY($1) ORDER BY contact_id
"""
PEOPLE = "SELECT csm_id, name, email, timezone FROM person WHERE csm_id = ANY($1)"
PREFERENCES = """
SELECT contact_id, topic, channel, opted_in, frequency, said_at, source, word_id FROM preference
WHERE contact_id = ANY($1)
"""
REFUSED = "SELECT address_hash FROM refused_address WHERE address_hash = ANY($1)"
WITHDRAWN = "SELECT touchpoint_id, sequence, reason FROM withdrawn WHERE touchpoint_id = ANY($1)"


def address_hash(address: str) -> bytes:
    """An address as it is remembered once it was refused: recognisable, not readable."""
    return sha256(address.lower().encode()).digest()


async def keep_accounts(connection: Connection, accounts: Sequence[tuple[Account, int]]) -> None:
    """Keep accounts with their contacts; an older version changes nothing. One record per account."""
    ordered = sorted(accounts, key=lambda pair: pair[0].account_id)
    rows = await connection.fetch(
        KEEP_ACCOUNTS,
        [each.account_id for each, _ in ordered],
        [each.name for each, _ in ordered],
        [each.timezone for each, _ in ordered],
        [orjson.dumps([_pause_row(pause) for pause in each.pauses]).decode() for each, _ in ordered],
        [version for _, version in ordered],
    )
    kept = {str(row[0]) for row in rows}
    contacts = {
        contact.contact_id: contact
        for each, _ in ordered
        if each.account_id in kept
        for contact in each.contacts
    }
    people = [contacts[contact_id] for contact_id in sorted(contacts)]
    await connection.execute(DROP_CONTACTS, sorted(kept), [each.contact_id for each in people])
    if people:
        await _keep_contacts(connection, people)


async def _keep_contacts(connection: Connection, people: Sequence[Contact]) -> None:
    await connection.execute(
        KEEP_CONTACTS,
        [each.contact_id for each in people],
        [each.account_id for each in people],
        [each.name for each in people],
        [each.email for each in people],
        [each.role for each in people],
        [each.language for each in people],
        [each.timezone for each in people],
        [each.left for each in people],
    )


def _pause_row(pause: Pause) -> dict[str, object]:
    until = pause.until.isoformat() if pause.until else None
    return {"contact_id": pause.contact_id, "until": until, "reason": pause.reason}


async def keep_people(connection: Connection, people: Sequence[tuple[Person, int]]) -> None:
    ordered = sorted(people, key=lambda pair: pair[0].csm_id)
    await connection.execute(
        KEEP_PEOPLE,
        [each.csm_id for each, _ in ordered],
        [each.name for each, _ in ordered],
        [each.email for each, _ in ordered],
        [each.timezone for each, _ in ordered],
        [version for _, version in ordered],
    )


async def keep_preferences(connection: Connection, words: Sequence[Preference]) -> None:
    held = newest(words)
    rows = [held[key] for key in sorted(held, key=lambda key: [part or "" for part in key])]
    if not rows:
        return
    await connection.execute(
        KEEP_PREFERENCES,
        [each.contact_id for each in rows],
        [each.topic or "" for each in rows],
        [each.channel or "" for each in rows],
        [each.aspect for each in rows],
        [each.opted_in for each in rows],
        [each.frequency for each in rows],
        [each.time for each in rows],
        [each.source for each in rows],
        [each.id for each in rows],
    )


async def rouse(connection: Connection, ids: Sequence[str], *, people: bool, real: datetime) -> None:
    """Judge again, now, what waits for these accounts (or, with `people`, for these CSMs)."""
    await connection.execute(ROUSE, list(ids), real, people)


async def forget_accounts(connection: Connection, account_ids: Sequence[str]) -> None:
    await connection.execute(
        "DELETE FROM preference WHERE contact_id IN (SELECT contact_id FROM contact WHERE account_id = ANY($1))",
        account_ids,
    )
    await connection.execute("DELETE FROM contact WHERE account_id = ANY($1)", account_ids)
    await connection.execute("DELETE FROM account WHERE account_id = ANY($1)", account_ids)


async def preferences_of(connection: Connection, contact_ids: Sequence[str]) -> dict[str, list[Preference]]:
    found: defaultdict[str, list[Preference]] = defaultdict(list)
    for row in await connection.fetch(PREFERENCES, list(contact_ids)):
        found[row[0]].append(
            Preference(row[0], row[1] or None, row[2] or None, row[3], row[4], row[5], row[6], row[7])
        )
    return found


async def around(connection: Connection, heard: Sequence[Announcement]) -> Directory:
    """Everybody these announcements are about."""
    accounts = await _accounts(connection, sorted({each.account_id for each in heard}))
    csm_ids = sorted({each.owner.csm_id for each in heard if each.owner.csm_id})
    people = {row[0]: Person(*row) for row in await connection.fetch(PEOPLE, csm_ids)}
    contacts = [each for account in accounts.values() for each in account.contacts]
    addresses = {each.email for each in contacts if each.email}
    addresses |= {each.email for each in people.values() if each.email}
    addresses |= {each.owner.email for each in heard if each.owner.email}
    ids = sorted({each.touchpoint_id for each in heard if each.touchpoint_id})
    off = await connection.fetch(WITHDRAWN, ids)
    return Directory(
        accounts=accounts,
        people=people,
        preferences=await preferences_of(connection, [each.contact_id for each in contacts]),
        refused_addresses=await _refused(connection, addresses),
        withdrawn={row[0]: (row[1], row[2]) for row in off},
    )


async def _refused(connection: Connection, addresses: set[str]) -> frozenset[str]:
    by_hash = {address_hash(each): each.lower() for each in addresses}
    rows = await connection.fetch(REFUSED, list(by_hash))
    return frozenset(by_hash[row[0]] for row in rows)


async def _accounts(connection: Connection, account_ids: Sequence[str]) -> dict[str, Account]:
    contacts: defaultdict[str, list[Contact]] = defaultdict(list)
    for row in await connection.fetch(CONTACTS, account_ids):
        contacts[row[1]].append(Contact(*row))
    return {
        row[0]: Account(row[0], row[1], row[2], tuple(contacts[row[0]]), _pauses(row[3]))
        for row in await connection.fetch(ACCOUNTS, account_ids)
    }


def _pauses(stored: str) -> tuple[Pause, ...]:
    rows = cast("list[dict[str, Any]]", orjson.loads(stored))
    return tuple(
        Pause(
            each["contact_id"],
            datetime.fromisoformat(each["until"]) if each["until"] else None,
            each["reason"],
        )
        for each in rows
    )
