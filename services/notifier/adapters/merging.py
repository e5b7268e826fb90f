"""Merges of accounts: people, messages and deliveries of the account that ended are those of the one that stays.

Touchpoints that were announced before may still name the account that ended.
"""

from collections.abc import Collection, Mapping

from services.chassis.database import Connection

FIND_ENDED = "SELECT ended, stays FROM account_alias WHERE ended = ANY($1::text[])"
MOVE_MESSAGES = (
    "UPDATE delivery_queue SET account_id = $2 WHERE account_id = $1",
    "UPDATE delivery SET account_id = $2 WHERE account_id = $1",
    "UPDATE delivery_unsent SET account_id = $2 WHERE account_id = $1",
    "UPDATE feed SET account_id = $2 WHERE account_id = $1",
    "UPDATE undelivered_event SET account_id = $2 WHERE account_id = $1",
    "UPDATE in_app SET account_id = $2 WHERE account_id = $1",
)
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
    *MOVE_MESSAGES,
)


async def find_ended(connection: Connection, account_ids: Collection[str]) -> Mapping[str, str]:
    """Of these accounts those that ended, each with the one that stays."""
    return {row[0]: row[1] for row in await connection.fetch(FIND_ENDED, list(account_ids))}


async def merge_account(connection: Connection, ended: str, stays: str) -> None:
    """Move everything of an account that ended; doing it again moves nothing."""
    stays = (await find_ended(connection, [stays])).get(stays, stays)
    for statement in MOVE:
        await connection.execute(statement, ended, stays)


async def move_messages(connection: Connection, account_ids: Collection[str]) -> None:
    """Move the messages about those of these accounts that ended."""
    for ended, stays in (await find_ended(connection, account_ids)).items():
        for statement in MOVE_MESSAGES:
            await connection.execute(statement, ended, stays)
