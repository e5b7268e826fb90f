"""Erasure of accounts: rows disappear, and a tombstone on `touchpoint.events` follows the last event about each."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from schemas.directory import AccountRecord
from schemas.ids import derived_id
from services.chassis.database import Connection
from services.chassis.dead_letters import erase_dead_letters
from services.chassis.outbox import Outbox, Outgoing
from services.scheduler.adapters.messages import EVENTS

ERASED = "drumbeat.account.erased.v1"
_TOUCHPOINTS = "(SELECT id FROM touchpoint WHERE account_id = ANY($1::text[]))"
STATEMENTS = (
    """
    DELETE FROM agenda k USING touchpoint t
    WHERE t.account_id = ANY($1::text[]) AND k.at = t.due_at AND k.id = t.id
    """,
    """
    DELETE FROM lapsing k USING touchpoint t
    WHERE t.account_id = ANY($1::text[]) AND k.at = t.lapses_at AND k.id = t.id
    """,
    """
    DELETE FROM due_touchpoint k USING touchpoint t
    WHERE t.account_id = ANY($1::text[]) AND k.due_at = t.due_at AND k.id = t.id
    """,
    """
    DELETE FROM closed_touchpoint k USING touchpoint t
    WHERE t.account_id = ANY($1::text[]) AND k.status = t.status AND k.due_at = t.due_at AND k.id = t.id
    """,
    f"DELETE FROM change WHERE id IN {_TOUCHPOINTS}",
    f"DELETE FROM missed_reminder WHERE touchpoint_id IN {_TOUCHPOINTS}",
    "DELETE FROM announcement WHERE account_id = ANY($1::text[])",
    # Locked in the order of the watch of promises.
    "SELECT touchpoint_id FROM promise WHERE account_id = ANY($1::text[]) ORDER BY touchpoint_id FOR UPDATE",
    "DELETE FROM promise WHERE account_id = ANY($1::text[])",
    "DELETE FROM touchpoint WHERE account_id = ANY($1::text[])",
    "DELETE FROM archived_touchpoint WHERE account_id = ANY($1::text[])",
    "DELETE FROM archived_contact WHERE account_id = ANY($1::text[])",
    "DELETE FROM rhythm WHERE account_id = ANY($1::text[])",
    "DELETE FROM account_alias WHERE stays = ANY($1::text[])",
    "DELETE FROM early_outcome WHERE account_id = ANY($1::text[])",
    "DELETE FROM assignment WHERE account_id = ANY($1::text[])",
    "DELETE FROM hand_act WHERE account_id = ANY($1::text[])",
    "DELETE FROM calendar_feed WHERE account_id = ANY($1::text[])",
    """
    UPDATE account_calendar SET version = -1, plan = NULL, shape = NULL, extend_at = NULL,
        announce_at = NULL, changed_since = NULL
    WHERE account_id = ANY($1::text[])
    """,
    """
    INSERT INTO erased_account SELECT sha256(convert_to(account_id, 'UTF8')) FROM unnest($1::text[]) AS account_id
    ON CONFLICT DO NOTHING
    """,
)
FORGET_DIRECTORY = """
UPDATE account_calendar SET directory_version = -1, name = NULL, csm_id = NULL, sales_id = NULL, pool = NULL,
    timezone = NULL, zones = '{}', country = NULL, region = NULL, doubt = NULL, handovers = '{}'
WHERE account_id = ANY($1::text[])
"""
# The tombstones of the plan and of the directory arrive in any order, and the account may have come back between them.
DELETE_EMPTY = """
DELETE FROM account_calendar WHERE account_id = ANY($1::text[]) AND version = -1 AND directory_version = -1
"""
# Records name all contacts that were ever erased: what they wrote is dropped once, when their erasure is new.
ERASE_CONTACTS = """
UPDATE account_calendar a
SET erased_contacts = ARRAY(SELECT unnest(a.erased_contacts || u.contacts) AS key GROUP BY key)
FROM (
    SELECT account_id, string_to_array(contacts, ' ') AS contacts
    FROM unnest($1::text[], $2::text[]) r (account_id, contacts)
) u
WHERE a.account_id = u.account_id AND NOT u.contacts <@ a.erased_contacts RETURNING a.account_id
"""
# What people of ours wrote about a conversation or a move may name the contact, whoever it was with.
ERASE_NOTES = (
    """
    UPDATE touchpoint SET outcome_notes = NULL, move_reason = NULL
    WHERE account_id = ANY($1::text[]) AND (outcome_notes IS NOT NULL OR move_reason IS NOT NULL)
    """,
    """
    UPDATE archived_touchpoint SET outcome_notes = NULL, move_reason = NULL
    WHERE account_id = ANY($1::text[]) AND (outcome_notes IS NOT NULL OR move_reason IS NOT NULL)
    """,
    """
    UPDATE early_outcome SET outcome_notes = NULL
    WHERE account_id = ANY($1::text[]) AND outcome_notes IS NOT NULL
    """,
    """
    UPDATE hand_act SET former = former || '{"outcome_notes": null, "move_reason": null}'
    WHERE account_id = ANY($1::text[])
    """,
)
FIND_ERASED = """
SELECT wanted.account_id FROM unnest($1::text[]) AS wanted (account_id)
WHERE EXISTS (SELECT 1 FROM erased_account WHERE key = sha256(convert_to(wanted.account_id, 'UTF8')))
    AND NOT EXISTS (SELECT 1 FROM account_calendar AS c WHERE c.account_id = wanted.account_id)
"""


async def erase_calendars(
    connection: Connection, outbox: Outbox, account_ids: Collection[str], now: datetime
) -> None:
    """Delete calendars whose rows are locked, and their dead letters."""
    for statement in STATEMENTS:
        await connection.execute(statement, account_ids)
    await connection.execute(DELETE_EMPTY, account_ids)
    await erase_dead_letters(connection, account_ids)
    tombstones = [
        Outgoing(EVENTS, account_id, f"{account_id}:erased", ERASED, now, None) for account_id in account_ids
    ]
    await outbox.append(connection, tombstones)


async def erase_directory(connection: Connection, account_ids: Collection[str]) -> None:
    """Delete what the directory said of accounts whose rows are locked, and their dead letters."""
    if not account_ids:
        return
    await connection.execute(FORGET_DIRECTORY, account_ids)
    await connection.execute(DELETE_EMPTY, account_ids)
    await erase_dead_letters(connection, account_ids)


async def erase_contacts(connection: Connection, records: Sequence[AccountRecord]) -> None:
    """Delete what people of ours wrote in the calendars of accounts that have a newly erased contact.

    The rows of the accounts are locked.
    """
    named = {
        record.account_id: " ".join(record.erased_contacts) for record in records if record.erased_contacts
    }
    if not named:
        return
    rows = await connection.fetch(ERASE_CONTACTS, list(named), list(named.values()))
    account_ids = [row[0] for row in rows]
    if account_ids:
        for statement in ERASE_NOTES:
            await connection.execute(statement, account_ids)
        keys = frozenset(key for account_id in account_ids for key in named[account_id].split())
        await erase_dead_letters(connection, KnownByDigest(keys))


@dataclass(frozen=True, slots=True)
class KnownByDigest(Collection[str]):
    """The ids of contacts of which only the digests are known: a text is one of them, or is not. None can be listed."""

    keys: frozenset[str]

    def __contains__(self, text: object) -> bool:
        return isinstance(text, str) and derived_id("contact", text) in self.keys

    def __iter__(self) -> Iterator[str]:
        return iter(())

    def __len__(self) -> int:
        return len(self.keys)


async def find_erased(connection: Connection, account_ids: Collection[str]) -> set[str]:
    """Of these accounts those that were erased and have no row since."""
    return {row[0] for row in await connection.fetch(FIND_ERASED, list(account_ids))}
