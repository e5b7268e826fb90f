"""Deputies of people who are away, what is handed to them, and the escalations about what nobody can lead."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from services.calendar.absences import Cover, hand_over, is_about, span_around
from services.calendar.deputies import Deputy, DeputyWork
from services.calendar.person_book import PersonBook, PlannedTouch
from services.calendar.sharing import make_deputy
from services.calendar.touchpoint import Touchpoint
from services.chassis.database import Connection
from services.scheduler.adapters import rows
from services.scheduler.adapters.calendar_repository import PostgresCalendarRepository
from services.scheduler.adapters.directory_repository import load_csm_hours
from services.scheduler.adapters.invitations import UNKNOWN_THERE, load_invited_types
from services.scheduler.adapters.locked_touchpoints import LOCK_TOUCHPOINTS, is_as_read, lock_accounts
from services.scheduler.adapters.person_marks import mark_people
from services.scheduler.application.ports import StoredTouchpoint, TouchpointUpdate

POOLS = """
SELECT a.account_id, p.csm_id, p.weekly_minutes FROM account_calendar a JOIN person p ON p.pool = a.pool
WHERE a.account_id = ANY($1::text[]) AND p.csm_id <> $2 AND (p.role IS NULL OR p.role = 'csm')
ORDER BY a.account_id, p.csm_id
"""
PLANNED = f"""
SELECT t.csm_id, t.due_at, t.minutes, t.type = ANY($4::text[]) AND NOT {UNKNOWN_THERE} FROM touchpoint t
WHERE t.csm_id = ANY($1::text[]) AND t.due_at >= $2 AND t.due_at < $3 AND t.status = 'planned'
    AND t.owner IN ('csm', 'pooled_csm', 'sales')
"""
# The deadline of what was late counts again, and an escalation about it has no cause any more.
RECONCILE = "UPDATE account_calendar SET extend_at = '-infinity' WHERE account_id = ANY($1::text[]) AND plan IS NOT NULL"
ESCALATIONS = """
SELECT id::text, account_id FROM touchpoint
WHERE origin = 'calendar' AND status = 'planned' AND (csm_id = $1 OR account_id = ANY($2::text[]))
UNION SELECT id::text, account_id FROM touchpoint WHERE id = ANY($3::uuid[])
"""


class PostgresAbsences:
    """AbsenceRepository on one open transaction."""

    def __init__(self, connection: Connection, calendars: PostgresCalendarRepository) -> None:
        self._connection = connection
        self._calendars = calendars

    async def load_deputies(
        self, book: PersonBook, touches: Sequence[PlannedTouch]
    ) -> Mapping[str, Sequence[Deputy]]:
        account_ids = {touch.account_id for touch in touches}
        return await load_deputies(self._connection, account_ids, book.csm_id, span_around(touches))

    async def save_covers(self, book: PersonBook, covers: Sequence[Cover], now: datetime) -> Collection[str]:
        touches = {touch.id: touch for touch in book.touches}
        wanted = {each.touch_id: each for each in covers}
        mine = await lock_accounts(self._connection, {touches[each].account_id for each in wanted})
        locked = await self._connection.fetch(LOCK_TOUCHPOINTS, sorted(wanted), sorted(mine))
        updates = [
            _covered(stored, wanted[stored.touchpoint.id])
            for stored in map(rows.read_stored, locked)
            if is_as_read(stored, touches[stored.touchpoint.id], book.csm_id)
        ]
        await self._calendars.save_levelled(updates, now)
        owed = {each.account_id for update in updates if (each := touches[update.touchpoint.id]).owed_within}
        if owed:
            await self._connection.execute(RECONCILE, sorted(owed))
        deputies = {update.touchpoint.csm_id for update in updates if update.touchpoint.csm_id}
        await mark_people(self._connection, deputies, f"stands in for {book.csm_id}"[:200])
        return [update.touchpoint.id for update in updates]

    async def lock_escalations(
        self, book: PersonBook, wanted: Mapping[str, Touchpoint]
    ) -> Mapping[str, Touchpoint] | None:
        accounts = sorted({touch.account_id for touch in book.touches})
        found = await self._connection.fetch(ESCALATIONS, book.csm_id, accounts, sorted(wanted))
        concerned = {row["account_id"] for row in found} | {each.account_id for each in wanted.values()}
        if not concerned:
            return {}
        if await lock_accounts(self._connection, concerned) != concerned:
            return None
        ids = sorted(row["id"] for row in found)
        locked = await self._connection.fetch(LOCK_TOUCHPOINTS, ids, sorted(concerned))
        if len(locked) != len(ids):
            return None
        stored = [rows.read_stored(row).touchpoint for row in locked]
        return {each.id: each for each in stored if is_about(each, book.csm_id)}

    async def save_escalations(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None:
        await self._calendars.save_levelled(updates, now)


async def load_deputies(
    connection: Connection, account_ids: Collection[str], besides: str, span: tuple[datetime, datetime]
) -> dict[str, list[Deputy]]:
    """By account the members of its pool, besides one person, with what they have planned in the span."""
    pools = await connection.fetch(POOLS, sorted(account_ids), besides)
    weekly = {row["csm_id"]: row["weekly_minutes"] for row in pools}
    if not weekly:
        return {}
    hours = await load_csm_hours(connection, weekly)
    invited = sorted(await load_invited_types(connection))
    planned: dict[str, list[DeputyWork]] = {}
    for csm_id, *work in await connection.fetch(PLANNED, sorted(weekly), *span, invited):
        planned.setdefault(csm_id, []).append(DeputyWork(*work))
    deputies = {
        csm_id: make_deputy(csm_id, own, weekly[csm_id], planned.get(csm_id, ()), span)
        for csm_id, own in hours.items()
    }
    found: dict[str, list[Deputy]] = {}
    for account_id, csm_id, _ in pools:
        if csm_id in deputies:
            found.setdefault(account_id, []).append(deputies[csm_id])
    return found


def _covered(stored: StoredTouchpoint, cover: Cover) -> TouchpointUpdate:
    before = stored.touchpoint
    return TouchpointUpdate(
        hand_over(before, cover), stored.content, "moved", cover.reason, before.due_at, "plan", before.holder
    )
