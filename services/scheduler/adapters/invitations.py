"""The types that people are invited to or may share, by the policy in force, and which touchpoints they are invited to.

Readers of events make invitations of what they know, so a touchpoint is invited to exactly where readers know it to be.
"""

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Final

import orjson

from services.calendar.announcing import ANNOUNCED_AHEAD, INVITED_AHEAD
from services.chassis.database import Connection

TYPES = "SELECT (record -> 'touchpoint_types')::text FROM policy_in_force WHERE key = 'policy'"
# What readers do not know yet is announced when the policy in force says so; they keep what they know.
REDATE = """
UPDATE announcement a
SET announce_from = t.due_at - CASE WHEN t.type = ANY($1::text[]) THEN $2::interval ELSE $3::interval END
FROM touchpoint t WHERE t.id = a.touchpoint_id AND a.announce_from IS NOT NULL AND t.type = ANY($4::text[])
    AND t.origin = 'rhythm' AND t.status = 'planned' AND NOT t.pinned
"""
UNKNOWN_THERE: Final = """
EXISTS (SELECT FROM announcement a WHERE a.touchpoint_id = t.id
    AND (a.status IS NULL OR a.status = 'cancelled' OR a.due_at <> t.due_at))
"""
"""Whether readers do not know `t`, or know it to be at another time."""
INVITED = f"""
SELECT t.id::text FROM touchpoint t
WHERE t.id = ANY($1::uuid[]) AND t.status = 'planned' AND t.type = ANY($2::text[]) AND NOT {UNKNOWN_THERE}
"""


async def load_invited_types(connection: Connection) -> frozenset[str]:
    return _read_types(await connection.fetchval(TYPES) or "[]")


@lru_cache(maxsize=4)
def _read_types(text: str) -> frozenset[str]:
    return frozenset(each["touchpoint_type"] for each in orjson.loads(text) if each.get("invites"))


async def load_shared_types(connection: Connection) -> Mapping[str, bool | None]:
    """By type whether colleagues may lead it, where the policy in force says anything about it."""
    return _read_shared(await connection.fetchval(TYPES) or "[]")


@lru_cache(maxsize=4)
def _read_shared(text: str) -> Mapping[str, bool | None]:
    return {each["touchpoint_type"]: each.get("share") for each in orjson.loads(text)}


async def redate_announcements(
    connection: Connection, before: Collection[str], invited: Collection[str]
) -> None:
    """Announce occurrences of the types in which the two differ from when `invited` says so."""
    changed = sorted(set(before) ^ set(invited))
    if changed:
        await connection.execute(REDATE, sorted(invited), INVITED_AHEAD, ANNOUNCED_AHEAD, changed)


async def find_invited(connection: Connection, ids: Iterable[str]) -> set[str]:
    """Those of these touchpoints that people are invited to."""
    if not (wanted := sorted(ids)):
        return set()
    invited = await load_invited_types(connection)
    return {row[0] for row in await connection.fetch(INVITED, wanted, sorted(invited))}
