"""Reminders in PostgreSQL: a position for each number of hours, read and moved under the lock of its row."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from services.chassis.database import Connection
from services.chassis.outbox import Outbox
from services.scheduler.adapters.announcement_repository import publish_updates, take_known_states
from services.scheduler.adapters.reminder_positions import load_remind_hours
from services.scheduler.adapters.rows import BY_KEYS, COLUMNS, columns_of, read_stored
from services.scheduler.application.announce_changes import describe_change
from services.scheduler.application.ports import StoredTouchpoint, TouchpointUpdate, UnannouncedChange
from services.scheduler.domain.reminding import Hours, HoursByType, Position, start_position

FORGET: Final = "DELETE FROM reminder_position WHERE hours <> ALL($1::int[])"
BEGIN: Final = """
INSERT INTO reminder_position (hours, due_at, touchpoint_id)
SELECT * FROM unnest($1::int[], $2::timestamptz[], $3::uuid[]) ON CONFLICT DO NOTHING
"""
LOCK_POSITIONS: Final = """
SELECT hours, due_at, touchpoint_id::text FROM reminder_position ORDER BY hours FOR UPDATE
"""
FIND_PLANNED: Final = """
SELECT a.at, a.id::text FROM agenda a JOIN touchpoint t ON t.id = a.id
WHERE (a.at, a.id) > ($1::timestamptz, $2::uuid) AND a.at <= $3 AND t.type = ANY($4::text[])
ORDER BY a.at, a.id LIMIT $5
"""
LOCK: Final = f"""
SELECT {COLUMNS}, t.face, r.face AS rhythm_face FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
WHERE t.id = ANY($1::uuid[]) ORDER BY t.id FOR UPDATE OF t SKIP LOCKED
"""
FIND_BEGUN: Final = """
SELECT t.due_at, t.id::text FROM touchpoint t
WHERE (t.due_at, t.id) > ($1::timestamptz, $2::uuid) AND t.due_at <= $3 AND t.type = ANY($4::text[])
    AND (t.status = 'planned' OR t.released_at IS NOT NULL)
ORDER BY t.due_at, t.id LIMIT $5
"""
RECORD_MISSED: Final = """
INSERT INTO missed_reminder (touchpoint_id, hours, due_at, missed_at)
SELECT id, $1, due_at, $4 FROM unnest($2::timestamptz[], $3::uuid[]) u(due_at, id) ON CONFLICT DO NOTHING
"""
SAVE_POSITION: Final = "UPDATE reminder_position SET due_at = $2, touchpoint_id = $3 WHERE hours = $1"


class PostgresReminders:
    """ReminderQueue on one open and short transaction."""

    def __init__(self, connection: Connection, outbox: Outbox, console_url: str) -> None:
        self._connection = connection
        self._outbox = outbox
        self._console_url = console_url

    async def load_hours(self) -> HoursByType:
        return await load_remind_hours(self._connection)

    async def lock_positions(self, hours: Collection[Hours], now: datetime) -> Mapping[Hours, Position]:
        found = await self._connection.fetch(LOCK_POSITIONS)
        positions = {row[0]: Position(row[1], row[2]) for row in found}
        if positions.keys() != set(hours):
            await self._connection.execute(FORGET, sorted(hours))
            begun = [(each, *start_position(each, now)) for each in sorted(hours)]
            await self._connection.execute(BEGIN, *(columns_of(begun) if begun else ([], [], [])))
            found = await self._connection.fetch(LOCK_POSITIONS)
        return {row[0]: Position(row[1], row[2]) for row in found}

    async def find_planned(
        self, after: Position, until: datetime, types: Collection[str], limit: int
    ) -> Sequence[Position]:
        await self._connection.execute(BY_KEYS)
        found = await self._connection.fetch(FIND_PLANNED, *after, until, list(types), limit)
        return [Position(row[0], row[1]) for row in found]

    async def lock(self, ids: Collection[str]) -> Mapping[str, StoredTouchpoint]:
        locked = await self._connection.fetch(LOCK, list(ids)) if ids else []
        return {row["id"]: read_stored(row) for row in locked}

    async def publish(self, reminded: Sequence[StoredTouchpoint], hours: Hours, now: datetime) -> None:
        """The rows that ask for announcements are taken, so that none of them repeats a reminder."""
        known = await take_known_states(self._connection, [stored.touchpoint.id for stored in reminded])
        updates: list[TouchpointUpdate] = []
        for stored in reminded:
            touchpoint, content = stored.touchpoint, stored.content
            if touchpoint.id in known:
                updates.append(describe_change(UnannouncedChange(stored, *known[touchpoint.id])))
            updates.append(TouchpointUpdate(touchpoint, content, "reminder", reminder_hours=hours))
        await publish_updates(self._connection, self._outbox, self._console_url, updates, now)

    async def record_missed(
        self, hours: Hours, after: Position, types: Collection[str], now: datetime, limit: int
    ) -> Sequence[Position]:
        await self._connection.execute(BY_KEYS)
        begun = await self._connection.fetch(FIND_BEGUN, *after, now, list(types), limit)
        if begun:
            await self._connection.execute(RECORD_MISSED, hours, *columns_of(map(tuple, begun)), now)
        return [Position(row[0], row[1]) for row in begun]

    async def save_position(self, hours: Hours, position: Position) -> None:
        await self._connection.execute(SAVE_POSITION, hours, *position)
