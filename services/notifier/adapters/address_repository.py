"""What is stored under the keyed hash of a mail address: consent, and that the address takes no mail.

It outlives the contact: whoever opted out is not written to when the address is imported again.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import cast

from schemas.directory import PreferenceRecord
from services.chassis.database import Connection
from services.chassis.keys import read_or_create_secret
from services.chassis.settings import CannotStart, Settings
from services.notifier.domain.addresses import AddressKey, clean_address

REFUSE = """
INSERT INTO refused_address (address_hash, detail, is_keyed)
SELECT * FROM unnest($1::bytea[], $2::text[], $3::boolean[]) ON CONFLICT (address_hash) DO NOTHING
"""
REFUSED = "SELECT address_hash FROM refused_address WHERE address_hash = ANY($1)"
# The latest of each contact and aspect under the address that the contact has now.
COPY_CONSENTS = """
INSERT INTO address_consent
    (address_hash, contact_id, topic, channel, aspect, opted_in, said_at, source, word_id)
SELECT c.address_hash, p.contact_id, p.topic, p.channel, p.aspect, p.opted_in, p.said_at, p.source, p.word_id
FROM contact c JOIN preference p USING (contact_id)
WHERE contact_id = ANY($1) AND c.address_hash IS NOT NULL AND p.opted_in IS NOT NULL
ORDER BY contact_id, p.topic, p.channel, p.aspect
ON CONFLICT (address_hash, contact_id, topic, channel, aspect) DO UPDATE SET opted_in = excluded.opted_in,
    said_at = excluded.said_at, source = excluded.source, word_id = excluded.word_id
WHERE (address_consent.said_at, address_consent.source COLLATE "C", address_consent.word_id COLLATE "C")
    < (excluded.said_at, excluded.source COLLATE "C", excluded.word_id COLLATE "C")
"""
CONSENTS = """
SELECT address_hash, contact_id, nullif(topic, '') AS topic, nullif(channel, '') AS channel, opted_in,
    aspect = 'own_consent' AS by_contact, said_at AS time, source, word_id AS id
FROM address_consent WHERE address_hash = ANY($1)
"""
# One new name for all consent of a contact, so that what lifts what stays the same.
FORGET_CONTACTS = """
UPDATE address_consent a SET contact_id = forgotten.name
FROM (SELECT contact_id, 'erased:' || gen_random_uuid() AS name FROM unnest($1::text[]) contact_id) forgotten
WHERE a.contact_id = forgotten.contact_id
"""
KEY_NAME = "address_key"
ADD_FINGERPRINT = (
    "INSERT INTO secret (name, value) VALUES ($1, $2) ON CONFLICT (name) DO NOTHING RETURNING name"
)
FINGERPRINT = "SELECT value FROM secret WHERE name = $1"
UNKEYED = "DELETE FROM refused_address WHERE NOT is_keyed RETURNING address_hash, detail"
WITH_ADDRESS = """
SELECT contact_id, email FROM contact WHERE email IS NOT NULL AND contact_id > $1 ORDER BY contact_id LIMIT 5000
"""
SET_HASHES = """
UPDATE contact c SET address_hash = u.address_hash FROM unnest($1::text[], $2::bytea[]) AS u(contact_id, address_hash)
WHERE c.contact_id = u.contact_id
"""


class AddressKeyRejected(CannotStart):
    """The key file is not the one whose hashes are stored; the message says what to do."""


async def open_address_key(connection: Connection, settings: Settings) -> AddressKey:
    """The key of this deployment, created at the first start. Raises `AddressKeyRejected` or `KeyFileUnreadable`.

    At that start the hashes of what is stored already are computed.
    """
    stored = cast("bytes | None", await connection.fetchval(FINGERPRINT, KEY_NAME))
    path = settings.address_key_path
    key = AddressKey(read_or_create_secret(path, must_exist=stored is not None))
    if await connection.fetchval(ADD_FINGERPRINT, KEY_NAME, key.fingerprint):
        await _hash_addresses(connection, key)
    elif await connection.fetchval(FINGERPRINT, KEY_NAME) != key.fingerprint:
        raise AddressKeyRejected(
            f"{path} is not the key under which refused mail addresses are stored: people who opted out would be "
            "written to. Put the file of this deployment back, or name it with DRUMBEAT_ADDRESS_KEY_FILE."
        )
    return key


async def _hash_addresses(connection: Connection, key: AddressKey) -> None:
    old = await connection.fetch(UNKEYED)
    await refuse_addresses(connection, {key.hash_digest(row[0]): row[1] for row in old})
    last = ""
    while rows := await connection.fetch(WITH_ADDRESS, last):
        ids, last = [row[0] for row in rows], rows[-1][0]
        await connection.execute(SET_HASHES, ids, [key.hash_address(row[1]) for row in rows])
        await copy_consents(connection, ids)


async def refuse_addresses(connection: Connection, details: Mapping[bytes, str]) -> None:
    """Store that no mail is sent to these addresses, by hash with the codes of the refusal, which name nobody."""
    hashes = sorted(details)
    if hashes:
        await connection.execute(REFUSE, hashes, [details[one] for one in hashes], [True] * len(hashes))


async def copy_consents(connection: Connection, contact_ids: Sequence[str]) -> None:
    """Store the consent of these contacts under their addresses, too."""
    await connection.execute(COPY_CONSENTS, contact_ids)


async def load_consents(
    connection: Connection, key: AddressKey, addresses: Collection[str]
) -> dict[str, list[PreferenceRecord]]:
    """The consent under each of these addresses, by cleaned address."""
    cleaned = {key.hash_address(address): clean_address(address) for address in addresses}
    consents: defaultdict[str, list[PreferenceRecord]] = defaultdict(list)
    for address_hash, *fields in await connection.fetch(CONSENTS, list(cleaned)):
        contact_id, topic, channel, opted_in, by_contact, time, source, id_ = fields
        consents[cleaned[address_hash]].append(
            PreferenceRecord(
                contact_id=contact_id,
                topic=topic,
                channel=channel,
                opted_in=opted_in,
                by_contact=by_contact,
                time=time,
                source=source,
                id=id_,
            )
        )
    return consents


async def unknown_addresses(
    connection: Connection, key: AddressKey, addresses: Collection[str]
) -> frozenset[str]:
    """Those of these addresses that take no mail, cleaned."""
    cleaned = {one: clean_address(address) for address in addresses for one in key.hashes_of(address)}
    return frozenset(cleaned[row[0]] for row in await connection.fetch(REFUSED, list(cleaned)))


async def forget_contacts(connection: Connection, contact_ids: Collection[str]) -> None:
    """Keep the consent under the addresses of these contacts, without the names of the contacts."""
    await connection.execute(FORGET_CONTACTS, contact_ids)
