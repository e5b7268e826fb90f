"""Calendar feeds in PostgreSQL: their addresses, and the calendar that one shows.

Of a token only its SHA-256 is stored: 256 random bits need no slow hash, and nobody reads an address from the database.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

import orjson

from services.calendar.icalendar_events import CalendarPerson
from services.calendar.zones import load_zones
from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection, Database
from services.scheduler.adapters.invitations import load_invited_types
from services.scheduler.adapters.rows import COLUMNS, Row, read_stored
from services.scheduler.application.feeds import Feed, FeedOwner, TooManyFeeds, UnknownOwner
from services.scheduler.domain.feed import AHEAD, KEPT, FeedCalendar, FeedTouchpoint

AUDIT: Final = AuditLog("scheduler")
MOST_FEEDS: Final = 20
"""Of one account or person: a client that loses its answers does not fill the table."""
MOST_ENTRIES: Final = 5000
# The row is locked, so that a feed is made before its owner is erased, and erased with it, or not at all.
FIND_ACCOUNT = """
SELECT a.account_id FROM account_calendar a
WHERE a.account_id = coalesce((SELECT stays FROM account_alias WHERE ended = $1), $1)
    AND (a.version >= 0 OR a.directory_version >= 0) FOR KEY SHARE
"""
FIND_CSM = "SELECT csm_id FROM person WHERE csm_id = $1 FOR KEY SHARE"
OF_OWNER = "account_id IS NOT DISTINCT FROM $1 AND csm_id IS NOT DISTINCT FROM $2"
MAKE = """
INSERT INTO calendar_feed (id, token_sha256, account_id, csm_id) VALUES ($1, $2, $3, $4) RETURNING made_at
"""
LIST = (
    f"SELECT id::text, account_id, csm_id, made_at FROM calendar_feed WHERE {OF_OWNER} ORDER BY made_at, id"
)
COUNT = f"SELECT count(*) FROM calendar_feed WHERE {OF_OWNER}"
REVOKE = """
DELETE FROM calendar_feed WHERE token_sha256 = $1 OR id::text = $2 RETURNING id::text, account_id, csm_id
"""
FIND = "SELECT account_id, csm_id FROM calendar_feed WHERE token_sha256 = $1"
ACCOUNT = """
SELECT name, timezone, zones FROM account_calendar
WHERE account_id = $1 AND (version >= 0 OR directory_version >= 0)
"""
CSM = "SELECT name, timezone, '{}'::text[] AS zones FROM person WHERE csm_id = $1"
TOUCHPOINTS = f"""
SELECT {COLUMNS}, t.face, r.face AS rhythm_face, t.changed_at, a.name AS account_name
FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
LEFT JOIN account_calendar a ON a.account_id = t.account_id
WHERE {{owner}} = $1 AND t.due_at >= $2 AND t.due_at < $3 AND (t.status <> 'cancelled' OR t.changed_at >= $2)
ORDER BY t.due_at, t.id LIMIT {MOST_ENTRIES}
"""
OF_ACCOUNT, OF_CSM = TOUCHPOINTS.format(owner="t.account_id"), TOUCHPOINTS.format(owner="t.csm_id")
PEOPLE = "SELECT csm_id, name, email FROM person WHERE csm_id = ANY($1::text[])"
AGENDAS = "SELECT (record -> 'touchpoint_types')::text FROM policy_in_force WHERE key = 'policy'"


class PostgresFeeds:
    """FeedRepository."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def make(self, feed_id: str, token_sha256: bytes, wanted: FeedOwner) -> Feed:
        async with self._database.transaction() as connection:
            owner = await _find_owner(connection, wanted)
            if await connection.fetchval(COUNT, *owner) >= MOST_FEEDS:
                raise TooManyFeeds(f"{owner.text} has {MOST_FEEDS} calendar feeds")
            made_at = await connection.fetchval(MAKE, feed_id, token_sha256, *owner)
            await AUDIT.record(
                connection, [Change("calendar.shared", f"calendar/{feed_id}", None, owner._asdict())]
            )
        return Feed(feed_id, owner, made_at)

    async def revoke(self, token_sha256: bytes, feed_id: str) -> bool:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(REVOKE, token_sha256, feed_id)
            if row is not None:
                before = FeedOwner(row[1], row[2])._asdict()
                await AUDIT.record(connection, [Change("calendar.revoked", f"calendar/{row[0]}", before)])
        return row is not None

    async def list_feeds(self, owner: FeedOwner) -> list[Feed]:
        rows = await self._database.pool.fetch(LIST, *owner)
        return [Feed(row[0], FeedOwner(row[1], row[2]), row[3]) for row in rows]

    async def read(self, token_sha256: bytes, now: datetime) -> FeedCalendar | None:
        async with self._database.transaction() as connection:
            found = await connection.fetchrow(FIND, token_sha256)
            if found is None:
                return None
            account_id, csm_id = found
            described = await connection.fetchrow(
                CSM if account_id is None else ACCOUNT, csm_id or account_id
            )
            if described is None:
                return None
            rows = await connection.fetch(
                OF_CSM if account_id is None else OF_ACCOUNT, csm_id or account_id, now - KEPT, now + AHEAD
            )
            people = await connection.fetch(PEOPLE, sorted({row["csm_id"] for row in rows if row["csm_id"]}))
            return FeedCalendar(
                account_id,
                csm_id,
                described["name"],
                load_zones(described["timezone"], described["zones"])[0],
                tuple(map(_read_touchpoint, rows)),
                {row[0]: CalendarPerson(row[1] or "", row[2] or "") for row in people},
                _read_agendas(await connection.fetchval(AGENDAS)),
                await load_invited_types(connection),
            )


async def _find_owner(connection: Connection, wanted: FeedOwner) -> FeedOwner:
    """Who it is now: of an account that was merged into another, that one. Raises UnknownOwner."""
    if wanted.account_id is not None:
        owner = FeedOwner(account_id=await connection.fetchval(FIND_ACCOUNT, wanted.account_id))
    else:
        owner = FeedOwner(csm_id=await connection.fetchval(FIND_CSM, wanted.csm_id))
    if owner == FeedOwner():
        raise UnknownOwner(f"There is no {wanted.text} in the calendar")
    return owner


def _read_touchpoint(row: Row) -> FeedTouchpoint:
    stored = read_stored(row)
    return FeedTouchpoint(stored.touchpoint, stored.content, row["account_name"], row["changed_at"])


def _read_agendas(text: str | None) -> Mapping[str, tuple[str, ...]]:
    types: Sequence[Mapping[str, object]] = orjson.loads(text or "[]")
    return {str(each["touchpoint_type"]): tuple(map(str, each.get("agenda", ()))) for each in types}  # type: ignore[arg-type]
