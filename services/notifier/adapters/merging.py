"""Merges of accounts: people, messages and deliveries of the account that ended are those of the one that stays.

Touchpoints that were announced before may still name the account that ended: every statement that stores a message
resolves the account (`STAYS`). While an account moves, nobody stores one, or what is stored meanwhile would not move.
"""

from collections.abc import Collection, Mapping
from typing import Final

from services.chassis.database import Connection

_LOCK: Final = "hashtextextended('merges of accounts', 0)"
LOCK_MERGES: Final = f"SELECT pg_advisory_xact_lock({_LOCK})"
KEEP_MERGES_OUT: Final = f"SELECT pg_advisory_xact_lock_shared({_LOCK})"
STAYS: Final = "coalesce((SELECT stays FROM account_alias WHERE ended = u.account_id), u.account_id)"
"""The account of the row `u`, or the one that it was merged into."""
FIND_ENDED = "SELECT ended, stays FROM account_alias WHERE ended = ANY($1::text[])"
MOVE = (
    "UPDATE account_alias SET stays = $2 WHERE stays = $1",
    "INSERT INTO account_alias (ended, stays) VALUES ($1, $2) ON CONFLICT (ended) DO UPDATE SET stays = excluded.stays",
    "UPDATE contact SET account_id = $2 WHERE account_id = $1",
    # Until the record of the other account arrives, the pauses of this one go on. Every record has a later version.
    """
    INSERT INTO account (account_id, name, zones, pauses, version)
    SELECT $2, name, zones, pauses, -1 FROM account WHERE account_id = $1
    ON CONFLICT (account_id) DO UPDATE SET pauses = account.pauses || excluded.pauses
    """,
    "DELETE FROM account WHERE account_id = $1 AND account_id <> $2",
    "UPDATE delivery_queue SET account_id = $2 WHERE account_id = $1",
    "UPDATE delivery SET account_id = $2 WHERE account_id = $1",
    "UPDATE delivery_unsent SET account_id = $2 WHERE account_id = $1",
    "UPDATE feed SET account_id = $2 WHERE account_id = $1",
    "UPDATE undelivered_event SET account_id = $2 WHERE account_id = $1",
    "UPDATE in_app SET account_id = $2 WHERE account_id = $1",
    "UPDATE invitation SET account_id = $2 WHERE account_id = $1",
    "UPDATE counted_message SET account_id = $2 WHERE account_id = $1",
    "UPDATE counted_talk SET account_id = $2 WHERE account_id = $1",
    "UPDATE inbound_mail SET account_id = $2 WHERE account_id = $1",
    "UPDATE draft SET account_id = $2 WHERE account_id = $1",
)


async def find_ended(connection: Connection, account_ids: Collection[str]) -> Mapping[str, str]:
    """Of these accounts those that ended, each with the one that stays."""
    return {row[0]: row[1] for row in await connection.fetch(FIND_ENDED, list(account_ids))}


async def lock_merges(connection: Connection) -> None:
    """Wait for the transactions that store messages, and let none begin before this one ends.

    To be called before the transaction changes a row: those that are waited for may wait for that row.
    """
    await connection.execute(LOCK_MERGES)


async def keep_merges_out(connection: Connection) -> None:
    """Have no account move while this transaction stores messages. To be called before it changes a row."""
    await connection.execute(KEEP_MERGES_OUT)


async def merge_account(connection: Connection, ended: str, stays: str) -> None:
    """Move everything of an account that ended; doing it again moves nothing. The merges are locked."""
    stays = (await find_ended(connection, [stays])).get(stays, stays)
    for statement in MOVE:
        await connection.execute(statement, ended, stays)
