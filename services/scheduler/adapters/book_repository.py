"""The books of people in one PostgreSQL transaction, and the marks of whose work has changed.

An advisory lock on the person covers everything from reading to writing: version checks alone would let two levellers
move different touchpoints into one week. Accounts are locked before touchpoints, as their writers do, and what is locked
elsewhere is skipped.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import orjson
from pydantic import TypeAdapter

from schemas.plans import Avoid
from services.calendar.avoid import Availability, periods_for
from services.calendar.open_hours import OpenHours
from services.calendar.person_book import (
    DEFAULT_WEEKLY_MINUTES,
    HORIZON_DAYS,
    LevelledTouch,
    NewRhythm,
    PersonBook,
    PlannedTouch,
    availability_key,
)
from services.calendar.person_conflicts import PersonConflict
from services.chassis.database import Connection
from services.scheduler.adapters import rows
from services.scheduler.adapters.calendar_repository import PostgresCalendarRepository
from services.scheduler.adapters.directory_repository import load_csm_hours
from services.scheduler.adapters.person_marks import mark_people
from services.scheduler.application.measure_conflicts import describe_conflict
from services.scheduler.application.ports import StoredTouchpoint, TouchpointUpdate
from services.scheduler.application.reconcile_calendar import DEFAULT_HOURS

LOCK_CLASS: Final = 0x4C56
"""The first half of the keys of the advisory locks of people: one that nothing else here uses."""
CANDIDATES: Final = 20
PRIORITIES: Final = {"escalation": 3, "floor": 2}
ONE_OFF_PRIORITY: Final = 1

# Marks of one person coalesce: they wait until it is quiet around them, but not for long.
MARKED = """
SELECT csm_id FROM csm_mark GROUP BY csm_id
HAVING max(marked_at) < clock_timestamp() - $2::interval OR min(marked_at) < clock_timestamp() - $3::interval
ORDER BY min(n) LIMIT $1
"""
QUIET: Final = timedelta(milliseconds=300)
LONGEST_WAIT: Final = timedelta(seconds=5)
LOCK_PERSON = "SELECT pg_try_advisory_xact_lock($1, hashtext($2))"
TAKE_MARKS = "DELETE FROM csm_mark WHERE csm_id = $1 RETURNING n"
LEVELLED = """
INSERT INTO csm_book AS b (csm_id, levelled_xid) VALUES ($1, pg_current_xact_id())
ON CONFLICT (csm_id) DO UPDATE SET levelled_xid = excluded.levelled_xid, levelled_at = clock_timestamp()
RETURNING (SELECT levelled_xid::text FROM csm_book WHERE csm_id = $1) AS former
"""
MINUTES = "SELECT weekly_minutes FROM person WHERE csm_id = $1"
PLANNED = """
SELECT t.id::text AS id, t.account_id, t.type, t.due_at, t.start_at, t.earliest_at, t.latest_at, t.soft_days,
    t.minutes, coalesce(t.face, r.face) ->> 'precedence' AS precedence, t.origin,
    coalesce(t.face, r.face) ->> 'topic' AS topic,
    coalesce(t.verdict, '') NOT LIKE 'levelled: %' AND ($3::text IS NULL OR t.change_xid >= $3::text::xid8) AS is_new
FROM touchpoint t LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
WHERE t.csm_id = $1 AND t.status = 'planned' AND t.owner IN ('csm', 'pooled_csm', 'sales') AND t.due_at < $2
ORDER BY t.id
"""
NEW_RHYTHMS = """
SELECT account_id, type, every_days, minutes, anchor_at, phase_from, phase_to FROM rhythm
WHERE csm_id = $1 AND active AND phase_from IS NOT NULL ORDER BY account_id, type
"""
ACCOUNTS = """
SELECT account_id, plan -> 'avoid' AS avoid FROM account_calendar
WHERE account_id = ANY($1::text[])
"""
AVOIDS = TypeAdapter(tuple[Avoid, ...])
LOCK_ACCOUNTS = """
SELECT account_id FROM account_calendar WHERE account_id = ANY($1::text[]) ORDER BY account_id FOR UPDATE SKIP LOCKED
"""
SAVE_CONFLICTS = "UPDATE csm_book SET conflicts = $2::jsonb WHERE csm_id = $1"
SAVE_ANCHORS = """
WITH chosen AS (
    UPDATE rhythm r SET anchor_at = u.anchor_at, until_at = NULL, phase_from = NULL, phase_to = NULL
    FROM unnest($1::text[], $2::text[], $3::timestamptz[]) u(account_id, type, anchor_at)
    WHERE r.account_id = u.account_id AND r.type = u.type AND r.phase_from IS NOT NULL AND r.csm_id = $4
    RETURNING r.account_id
), again AS (
    UPDATE account_calendar SET extend_at = '-infinity' WHERE account_id IN (SELECT account_id FROM chosen)
)
SELECT count(*) FROM chosen
"""
LOCK_TOUCHPOINTS = f"""
SELECT {rows.COLUMNS}, t.face, r.face AS rhythm_face FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
WHERE t.id = ANY($1::uuid[]) AND t.account_id = ANY($2::text[]) ORDER BY t.id FOR UPDATE OF t SKIP LOCKED
"""


class PostgresBooks:
    """BookRepository on one open transaction."""

    def __init__(self, connection: Connection, calendars: PostgresCalendarRepository) -> None:
        self._connection = connection
        self._calendars = calendars

    async def claim(self, now: datetime) -> PersonBook | None:
        for row in await self._connection.fetch(MARKED, CANDIDATES, QUIET, LONGEST_WAIT):
            csm_id = row[0]
            is_mine = await self._connection.fetchval(LOCK_PERSON, LOCK_CLASS, csm_id)
            if is_mine and await self._connection.fetch(TAKE_MARKS, csm_id):
                return await self._load(csm_id, now)
        return None

    async def is_anybody_marked(self) -> bool:
        return bool(await self._connection.fetchval("SELECT EXISTS (SELECT FROM csm_mark)"))

    async def _load(self, csm_id: str, now: datetime) -> PersonBook:
        former = await self._connection.fetchval(LEVELLED, csm_id)
        horizon = now + timedelta(days=HORIZON_DAYS)
        planned = await self._connection.fetch(PLANNED, csm_id, horizon, former)
        hours = (await load_csm_hours(self._connection, [csm_id])).get(csm_id)
        weekly = await self._connection.fetchval(MINUTES, csm_id)
        new = await self._connection.fetch(NEW_RHYTHMS, csm_id)
        hours = hours or DEFAULT_HOURS
        return PersonBook(
            csm_id,
            hours,
            DEFAULT_WEEKLY_MINUTES if weekly is None else weekly,
            tuple(_planned_touch(row) for row in planned),
            tuple(_new_rhythm(row) for row in new),
            await self._load_availability(planned, hours),
        )

    async def _load_availability(
        self, planned: Sequence[rows.Row], hours: OpenHours
    ) -> Mapping[str, Availability]:
        """Of the accounts with times to avoid, by account and type."""
        account_ids = {row["account_id"] for row in planned}
        found: dict[str, Availability] = {}
        topics = {(row["account_id"], row["type"]): row["topic"] for row in planned}
        avoids: dict[str, tuple[Avoid, ...]] = {}
        for row in await self._connection.fetch(ACCOUNTS, sorted(account_ids)):
            avoids[row["account_id"]] = AVOIDS.validate_json(row["avoid"] or "[]")
        for (account_id, touchpoint_type), topic in topics.items():
            periods = periods_for(avoids.get(account_id, ()), touchpoint_type, topic)
            opening = None if topic is None else hours
            if periods or topic is None:
                key = availability_key(account_id, touchpoint_type)
                found[key] = Availability(periods, hours.zone, opening)
        return found

    async def save_anchors(self, csm_id: str, anchors: Mapping[tuple[str, str], datetime]) -> int:
        if not anchors:
            return 0
        mine = await self._lock_accounts({account_id for account_id, _ in anchors})
        values = [(*key, anchor) for key, anchor in sorted(anchors.items()) if key[0] in mine]
        if not values:
            return 0
        return await self._connection.fetchval(SAVE_ANCHORS, *rows.columns_of(values), csm_id)

    async def save_moves(self, book: PersonBook, moves: Sequence[LevelledTouch], now: datetime) -> int:
        if not moves:
            return 0
        touches = {touch.id: touch for touch in book.touches}
        mine = await self._lock_accounts({touches[move.id].account_id for move in moves})
        wanted = {move.id: move for move in moves}
        locked = await self._connection.fetch(LOCK_TOUCHPOINTS, sorted(wanted), sorted(mine))
        updates = [
            _moved(stored, wanted[stored.touchpoint.id])
            for stored in map(rows.read_stored, locked)
            if _is_as_read(stored, touches[stored.touchpoint.id], book.csm_id)
        ]
        await self._calendars.save_levelled(updates, now)
        return len(updates)

    async def save_conflicts(self, csm_id: str, conflicts: Sequence[PersonConflict]) -> None:
        described = [describe_conflict(csm_id, conflict).model_dump(mode="json") for conflict in conflicts]
        await self._connection.execute(SAVE_CONFLICTS, csm_id, orjson.dumps(described).decode())

    async def mark(self, csm_id: str, cause: str) -> None:
        await mark_people(self._connection, [csm_id], cause)

    async def _lock_accounts(self, account_ids: Collection[str]) -> set[str]:
        return {row[0] for row in await self._connection.fetch(LOCK_ACCOUNTS, sorted(account_ids))}


def _new_rhythm(row: rows.Row) -> NewRhythm:
    account_id, kind, every_days, minutes, anchor, first, last = row
    return NewRhythm(account_id, kind, every_days, minutes, anchor, (first, last))


def _planned_touch(row: rows.Row) -> PlannedTouch:
    priority = PRIORITIES.get(row["precedence"] or "", 0)
    if row["origin"] != "rhythm":
        priority = max(priority, ONE_OFF_PRIORITY)
    return PlannedTouch(
        row["id"], row["account_id"], row["type"], row["due_at"], row["start_at"], row["earliest_at"],
        row["latest_at"], row["soft_days"], row["minutes"], priority, row["is_new"],
    )  # fmt: skip


def _is_as_read(stored: StoredTouchpoint, read: PlannedTouch, csm_id: str) -> bool:
    touchpoint = stored.touchpoint
    place = (touchpoint.due_at, touchpoint.start_at, touchpoint.earliest_at, touchpoint.latest_at)
    is_same_place = place == (read.due_at, read.target_at, read.earliest_at, read.latest_at)
    is_planned = touchpoint.status == "planned" and not touchpoint.pinned
    return is_planned and is_same_place and touchpoint.csm_id == csm_id


def _moved(stored: StoredTouchpoint, move: LevelledTouch) -> TouchpointUpdate:
    touchpoint = stored.touchpoint._replace(
        due_at=move.due_at, shift=move.reason, sequence=stored.touchpoint.sequence + 1
    )
    return TouchpointUpdate(
        touchpoint, stored.content, "moved", move.reason, stored.touchpoint.due_at, "plan"
    )
