"""Changes that readers of events do not know yet, and what they know of those touchpoints.

Whoever adds or takes a row holds the lock of its touchpoint, or makes the touchpoint in the same transaction. So an
event is in the outbox exactly when the row that asked for it is gone, and a crash loses and repeats nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from services.chassis.database import Connection
from services.chassis.outbox import Outbox
from services.scheduler.adapters.directory_repository import load_directory
from services.scheduler.adapters.messages import update_events
from services.scheduler.adapters.rows import COLUMNS, Row, columns_of, read_stored
from services.scheduler.application.ports import TouchpointUpdate, UnannouncedChange
from services.scheduler.domain.announcing import KnownState
from services.scheduler.domain.touchpoint import Status

# The touchpoint is as readers know it, until the first change after that.
ADD = """
INSERT INTO announcement AS a (touchpoint_id, account_id, note, status, due_at, start_at, end_at, deadline, owner, csm_id)
SELECT u.id, u.account_id, u.note, t.status, t.due_at, t.start_at, t.end_at, t.deadline, t.owner, t.csm_id
FROM unnest($1::uuid[], $2::text[], $3::text[]) u(id, account_id, note) LEFT JOIN touchpoint t ON t.id = u.id
ON CONFLICT (touchpoint_id) DO UPDATE SET note = excluded.note
"""
# Quiet begins anew with every change, but a calendar that never rests is announced all the same.
WAIT = """
UPDATE account_calendar SET changed_since = coalesce(changed_since, clock_timestamp()),
    announce_at = least(clock_timestamp() + $2, coalesce(changed_since, clock_timestamp()) + $3)
WHERE account_id = ANY($1::text[])
"""
TAKE = """
DELETE FROM announcement WHERE touchpoint_id = ANY($1::uuid[])
RETURNING touchpoint_id::text AS id, note, status, due_at, start_at, end_at, deadline, owner, csm_id
"""
CLAIM = """
UPDATE account_calendar SET announce_at = NULL, changed_since = NULL WHERE account_id IN (
    SELECT account_id FROM account_calendar WHERE announce_at <= $1
    ORDER BY announce_at, account_id LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING account_id
"""
LOCK = f"""
SELECT {COLUMNS}, t.face, r.face AS rhythm_face FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
WHERE t.id IN (SELECT touchpoint_id FROM announcement WHERE account_id = ANY($1::text[]))
ORDER BY t.id FOR UPDATE OF t
"""


class PostgresAnnouncements:
    """AnnouncementQueue on one open transaction."""

    def __init__(self, connection: Connection, outbox: Outbox, console_url: str) -> None:
        self._connection = connection
        self._outbox = outbox
        self._console_url = console_url

    async def claim(self, real_now: datetime, limit: int) -> tuple[int, Sequence[UnannouncedChange]]:
        claimed = await self._connection.fetch(CLAIM, real_now, limit)
        return len(claimed), await take_changes(self._connection, [row[0] for row in claimed])

    async def publish(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None:
        await publish_updates(self._connection, self._outbox, self._console_url, updates, now)


async def publish_updates(
    connection: Connection,
    outbox: Outbox,
    console_url: str,
    updates: Sequence[TouchpointUpdate],
    now: datetime,
) -> None:
    """Append the events of the updates that have one."""
    published = [update for update in updates if update.event_kind]
    account_ids = {update.touchpoint.account_id for update in published}
    holders = [(update.touchpoint.holder, update.previous_owner) for update in published]
    csm_ids = {holder[1] for pair in holders for holder in pair if holder and holder[1]}
    directory = await load_directory(connection, account_ids, csm_ids)
    await outbox.append(connection, update_events(updates, directory, console_url, now))


async def add_changes(
    connection: Connection, updates: Sequence[TouchpointUpdate], quiet: timedelta, longest: timedelta
) -> None:
    """Announce these touchpoints, which are not stored yet, once their accounts have been quiet."""
    if not updates:
        return
    values = [(update.touchpoint.id, update.touchpoint.account_id, update.note) for update in updates]
    ids, account_ids, notes = columns_of(values)
    await connection.execute(ADD, ids, account_ids, notes)
    await connection.execute(WAIT, sorted(set(map(str, account_ids))), quiet, longest)


async def take_changes(connection: Connection, account_ids: Collection[str]) -> list[UnannouncedChange]:
    """What waits to be announced of these accounts. The caller announces it in this transaction."""
    locked = await connection.fetch(LOCK, account_ids) if account_ids else []
    # Read after the locks: until then a release or a person may have announced the touchpoint.
    known = await take_known_states(connection, [row["id"] for row in locked])
    return [UnannouncedChange(read_stored(row), *known[row["id"]]) for row in locked if row["id"] in known]


async def take_known_states(
    connection: Connection, ids: Sequence[str]
) -> dict[str, tuple[KnownState, str | None]]:
    """What readers know of those of these touchpoints that have changed since, with the note of the last change.

    The caller announces them in this transaction.
    """
    if not ids:
        return {}
    return {row["id"]: (_known_state(row), row["note"]) for row in await connection.fetch(TAKE, ids)}


def _known_state(row: Row) -> KnownState:
    status = None if row["status"] is None else Status(row["status"])
    return KnownState(status, *row[3:])
