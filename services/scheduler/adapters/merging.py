"""Merges of accounts: the calendar of the account that ended moves to the one that stays, and ids of touchpoints stay.

The plan that says so (`merged_from`) is reconciled afterwards, in the same transaction: it decides what remains of what
was only planned.
"""

from collections.abc import Collection, Mapping
from datetime import datetime

from services.chassis.database import Connection

FIND_ENDED = "SELECT ended, stays FROM account_alias WHERE ended = ANY($1::text[])"
# A rhythm that both accounts have goes on as that of the account that stays.
FIND_DOUBLES = """
SELECT t.id::text FROM touchpoint t JOIN rhythm r ON r.account_id = $2 AND r.type = t.type
WHERE t.account_id = $1 AND t.origin = 'rhythm' AND t.status = 'planned'
"""
MOVE = (
    "UPDATE account_alias SET stays = $2 WHERE stays = $1",
    "INSERT INTO account_alias (ended, stays) VALUES ($1, $2)",
    # What has come due keeps the content for which it came due.
    """
    UPDATE touchpoint t SET face = r.face FROM rhythm r
    WHERE t.account_id = $1 AND t.origin = 'rhythm' AND t.face IS NULL AND r.account_id = $1 AND r.type = t.type
        AND EXISTS (SELECT 1 FROM rhythm s WHERE s.account_id = $2 AND s.type = r.type)
    """,
    """
    UPDATE rhythm r SET account_id = $2 WHERE account_id = $1
        AND NOT EXISTS (SELECT 1 FROM rhythm s WHERE s.account_id = $2 AND s.type = r.type)
    """,
    "DELETE FROM rhythm WHERE account_id = $1 AND account_id <> $2",
    "UPDATE early_outcome SET account_id = $2 WHERE account_id = $1",
    """
    UPDATE assignment a SET account_id = $2 WHERE account_id = $1
        AND NOT EXISTS (SELECT 1 FROM assignment s WHERE s.account_id = $2 AND s.line = a.line)
    """,
    "DELETE FROM assignment WHERE account_id = $1 AND account_id <> $2",
    "UPDATE archived_touchpoint SET account_id = $2 WHERE account_id = $1",
    """
    INSERT INTO archived_contact AS c SELECT $2, type, due_at FROM archived_contact WHERE account_id = $1
    ON CONFLICT (account_id, type) DO UPDATE SET due_at = greatest(c.due_at, excluded.due_at)
    """,
    "DELETE FROM archived_contact WHERE account_id = $1 AND account_id <> $2",
    "UPDATE hand_act SET account_id = $2 WHERE account_id = $1",
    "UPDATE announcement SET account_id = $2 WHERE account_id = $1",
    "UPDATE calendar_feed SET account_id = $2 WHERE account_id = $1",
    """
    WITH own AS MATERIALIZED (
        SELECT touchpoint_id FROM promise WHERE account_id = $1 ORDER BY touchpoint_id FOR UPDATE
    )
    UPDATE promise p SET account_id = $2 FROM own WHERE p.touchpoint_id = own.touchpoint_id
    """,
    # The plan of the account that stays is reconciled in full.
    """
    UPDATE account_calendar s SET shape = NULL, announce_at = least(s.announce_at, e.announce_at),
        changed_since = least(s.changed_since, e.changed_since)
    FROM account_calendar e WHERE s.account_id = $2 AND e.account_id = $1
    """,
    "DELETE FROM account_calendar WHERE account_id = $1 AND account_id <> $2",
)
MOVE_TOUCHPOINTS = """
WITH moved AS (
    UPDATE touchpoint SET account_id = $2, changed_at = $3, change_xid = pg_current_xact_id()
    WHERE account_id = $1 RETURNING id
)
INSERT INTO change (xid, id, changed_at) SELECT pg_current_xact_id(), id, $3 FROM moved ON CONFLICT DO NOTHING
"""


async def find_ended(connection: Connection, account_ids: Collection[str]) -> Mapping[str, str]:
    """Of these accounts those that ended, each with the one that stays."""
    return {row[0]: row[1] for row in await connection.fetch(FIND_ENDED, list(account_ids))}


async def find_doubles(connection: Connection, ended: str, stays: str) -> list[str]:
    """The planned occurrences of rhythms that both accounts have, of the account that ends."""
    return [row[0] for row in await connection.fetch(FIND_DOUBLES, ended, stays)]


async def move_calendar(connection: Connection, ended: str, stays: str, now: datetime) -> None:
    """Move the calendar of an account. Both rows are locked."""
    for statement in MOVE:
        await connection.execute(statement, ended, stays)
    await connection.execute(MOVE_TOUCHPOINTS, ended, stays, now)
