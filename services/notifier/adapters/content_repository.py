"""The content files and the catalogue in force, as the rules engine publishes them, and who got which program."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from schemas.directory import ContentRecord, PolicyRecord, TouchpointTypeRecord
from services.cadence.content.names import ContentName
from services.chassis.database import Connection

SAVE = """
INSERT INTO content (key, language, touchpoint_type, reader, body, policy, version)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::bigint[])
ON CONFLICT (key) DO UPDATE SET body = excluded.body, policy = excluded.policy, version = excluded.version
WHERE content.version < excluded.version
"""
LOAD = "SELECT key, body FROM content WHERE touchpoint_type = ANY($1)"
DELETE = "DELETE FROM content WHERE key = $1"
SAVE_CATALOGUE = """
INSERT INTO catalogue (body, version) VALUES ($1, $2)
ON CONFLICT (one) DO UPDATE SET body = excluded.body, version = excluded.version
WHERE catalogue.version < excluded.version
"""
LOAD_CATALOGUE = "SELECT body FROM catalogue"
PROGRAMS = "SELECT contact_id, program_id FROM presented_program WHERE contact_id = ANY($1)"
ADD_PROGRAMS = """
INSERT INTO presented_program (contact_id, program_id, presented_at)
SELECT DISTINCT contact_id, program_id, $3::timestamptz FROM unnest($1::text[], $2::text[]) AS u(contact_id, program_id)
ON CONFLICT DO NOTHING
"""


async def save_contents(connection: Connection, records: Sequence[ContentRecord]) -> None:
    """Store one record for each key; an older version changes nothing."""
    rows = sorted((content_key(record), record.version, record) for record in records)
    await connection.execute(
        SAVE,
        [key for key, _, _ in rows],
        [record.language for _, _, record in rows],
        [record.touchpoint_type for _, _, record in rows],
        [record.reader for _, _, record in rows],
        [record.text for _, _, record in rows],
        [record.policy for _, _, record in rows],
        [record.version for _, _, record in rows],
    )


def content_key(record: ContentRecord) -> str:
    return ContentName(record.language, record.touchpoint_type, record.reader).key


async def delete_content(connection: Connection, key: str) -> None:
    await connection.execute(DELETE, key)


async def load_contents(connection: Connection, touchpoint_types: Collection[str]) -> dict[str, str]:
    """The text of every content file about these types, in all languages and for all readers, by key."""
    rows = await connection.fetch(LOAD, sorted(touchpoint_types))
    return {str(row[0]): str(row[1]) for row in rows}


async def save_catalogue(connection: Connection, record: PolicyRecord) -> None:
    """Store the touchpoint types of the policy in force; an older version changes nothing."""
    await connection.execute(SAVE_CATALOGUE, record.write().decode(), record.version)


async def load_catalogue(connection: Connection) -> Mapping[str, TouchpointTypeRecord]:
    """The touchpoint types of the policy in force, by name; empty before the first record."""
    body = await connection.fetchval(LOAD_CATALOGUE)
    types = PolicyRecord.read(str(body).encode()).touchpoint_types if body is not None else ()
    return {record.touchpoint_type: record for record in types}


async def load_programs(connection: Connection, contact_ids: Collection[str]) -> Mapping[str, frozenset[str]]:
    """The ids of the programs that were presented to each of these contacts."""
    programs: defaultdict[str, set[str]] = defaultdict(set)
    for row in await connection.fetch(PROGRAMS, sorted(contact_ids)):
        programs[row[0]].add(row[1])
    return {contact_id: frozenset(ids) for contact_id, ids in programs.items()}


async def add_programs(connection: Connection, presented: Collection[tuple[str, str]], at: datetime) -> None:
    """Store which contacts got which programs, as (contact id, program id), at this service time."""
    if presented:
        in_order = sorted(presented)
        contacts, programs = [contact for contact, _ in in_order], [program for _, program in in_order]
        await connection.execute(ADD_PROGRAMS, contacts, programs, at)
