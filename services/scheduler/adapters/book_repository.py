"""The books of people in one PostgreSQL transaction, and the marks of whose work has changed.

An advisory lock on the person covers everything from reading to writing: version checks alone would let two levellers
move different touchpoints into one week. Accounts are locked before touchpoints, as their writers do, and what is locked
elsewhere is skipped.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import orjson
from pydantic import TypeAdapter

from schemas.directory import HolidayRecord
from schemas.plans import Avoid
from schemas.times import USUAL_QUIET_HOURS, QuietHours
from services.calendar.avoid import Availability, periods_for
from services.calendar.customer_days import find_customer_days, season_zones
from services.calendar.open_hours import OpenHours
from services.calendar.person_book import (
    DEFAULT_WEEKLY_MINUTES,
    HORIZON_DAYS,
    AccountDays,
    LevelledTouch,
    NewRhythm,
    PersonBook,
    PlannedTouch,
    TouchWork,
    availability_key,
    find_availability,
    find_owed_within,
    find_priority,
)
from services.calendar.person_hours import DEFAULT_HOURS
from services.calendar.person_relief import PersonRelief, TouchRelief
from services.calendar.sharing import may_be_shared
from services.calendar.touchpoint import Origin
from services.calendar.windows import is_by_season
from services.chassis.database import INFRASTRUCTURE, Connection
from services.scheduler.adapters import invitations, rows
from services.scheduler.adapters.absence_repository import PostgresAbsences
from services.scheduler.adapters.book_updates import give_up, move
from services.scheduler.adapters.calendar_repository import PostgresCalendarRepository
from services.scheduler.adapters.directory_repository import load_csm_hours, load_holidays
from services.scheduler.adapters.locked_touchpoints import LOCK_TOUCHPOINTS, is_as_read, lock_accounts
from services.scheduler.adapters.person_marks import mark_people, mark_promises
from services.scheduler.application.level_books import UnreadableBook
from services.scheduler.application.measure_conflicts import describe_conflict
from services.scheduler.application.ports import CalendarAccount, StoredTouchpoint
from services.scheduler.application.reconcile_calendar import place_of

LOCK_CLASS: Final = 0x4C56
"""The first half of the keys of the advisory locks of people: one that nothing else here uses."""
CANDIDATES: Final = 20

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
TOUCH = """t.id::text AS id, t.account_id, t.type, t.due_at, t.start_at, t.end_at, t.pinned,
    CASE WHEN NOT t.pinned THEN t.earliest_at END AS earliest_at,
    CASE WHEN NOT t.pinned THEN t.latest_at END AS latest_at, t.soft_days, t.minutes, t.owner,
    coalesce(t.face, r.face) ->> 'precedence' AS precedence, t.origin,
    (coalesce(t.face, r.face) ->> 'priority')::int AS priority,
    coalesce(t.face, r.face) ->> 'topic' AS topic, coalesce(t.face, r.face) ->> 'channel' AS channel"""
PLANNED = f"""
SELECT {TOUCH},
    coalesce(t.verdict, '') NOT LIKE 'levelled: %' AND ($3::text IS NULL OR t.change_xid >= $3::text::xid8) AS is_new,
    t.verdict AS shift, false AS has_yielded, t.type = ANY($4::text[]) AND NOT {invitations.UNKNOWN_THERE} AS is_invited
FROM touchpoint t LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
WHERE t.csm_id = $1 AND t.status = 'planned' AND t.owner IN ('csm', 'pooled_csm', 'sales') AND t.due_at < $2
ORDER BY t.id
"""
YIELDED = f"""
SELECT {TOUCH}, true AS is_new, NULL AS shift, true AS has_yielded, false AS is_invited
FROM touchpoint t CROSS JOIN LATERAL (SELECT t.face) r
WHERE t.csm_id = $1 AND t.closure = 'withdrawn' AND t.verdict LIKE 'gave way: %' AND t.latest_at > $2
    AND t.due_at < $3
ORDER BY t.id
"""
NEW_RHYTHMS = """
SELECT account_id, type, every_days, minutes, anchor_at, phase_from, phase_to FROM rhythm
WHERE csm_id = $1 AND active AND phase_from IS NOT NULL ORDER BY account_id, type
"""
ACCOUNTS = """
SELECT account_id, version, shape, timezone, zones, csm_id, sales_id, pool, country, region,
    plan -> 'avoid' AS avoid, plan -> 'quiet_hours' AS quiet_hours,
    ARRAY(
        SELECT item ->> 'touchpoint_type' FROM json_array_elements(plan -> 'rhythms') item
        WHERE (item ->> 'never_skip')::boolean
        UNION SELECT item ->> 'touchpoint_type' FROM json_array_elements(plan -> 'touchpoints') item
        WHERE (item ->> 'never_skip')::boolean
    ) AS never_skipped
FROM account_calendar WHERE account_id = ANY($1::text[])
"""
SAVE_RELIEF = """
UPDATE csm_book SET conflicts = $2::jsonb, review_at = $3, without_room = $4::jsonb WHERE csm_id = $1
"""
# Somebody whose weeks do not fit is levelled again when these are near, also if nothing else changes until then.
MARK_TO_REVIEW = """
WITH near AS (
    UPDATE csm_book SET review_at = NULL WHERE csm_id IN (
        SELECT csm_id FROM csm_book WHERE review_at <= $1 ORDER BY csm_id FOR UPDATE SKIP LOCKED)
    RETURNING csm_id
)
INSERT INTO csm_mark (csm_id, cause) SELECT csm_id, 'weeks that do not fit are near' FROM near
"""
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

AVOID: Final = TypeAdapter(tuple[Avoid, ...])


class PostgresBooks:
    """BookRepository on one open transaction. `quiet`: how long marks wait for others of the same person."""

    def __init__(
        self, connection: Connection, calendars: PostgresCalendarRepository, quiet: timedelta = QUIET
    ) -> None:
        self._connection, self._calendars, self._quiet = connection, calendars, quiet
        self.absences = PostgresAbsences(connection, calendars)

    async def claim(self, now: datetime) -> PersonBook | None:
        await self._connection.execute(MARK_TO_REVIEW, now)
        for row in await self._connection.fetch(MARKED, CANDIDATES, self._quiet, LONGEST_WAIT):
            csm_id = row[0]
            is_mine = await self._connection.fetchval(LOCK_PERSON, LOCK_CLASS, csm_id)
            if is_mine and await self._connection.fetch(TAKE_MARKS, csm_id):
                return await self._read(csm_id, now)
        return None

    async def _read(self, csm_id: str, now: datetime) -> PersonBook:
        try:
            return await self._load(csm_id, now)
        except (*INFRASTRUCTURE, asyncpg.PostgresError):
            raise
        except Exception as problem:
            raise UnreadableBook(csm_id, problem) from problem

    async def is_anybody_marked(self) -> bool:
        return bool(await self._connection.fetchval("SELECT EXISTS (SELECT FROM csm_mark)"))

    async def _load(self, csm_id: str, now: datetime) -> PersonBook:
        former = await self._connection.fetchval(LEVELLED, csm_id)
        horizon = now + timedelta(days=HORIZON_DAYS)
        invited = sorted(await invitations.load_invited_types(self._connection))
        shared = await invitations.load_shared_types(self._connection)
        planned = await self._connection.fetch(PLANNED, csm_id, horizon, former, invited)
        yielded = await self._connection.fetch(YIELDED, csm_id, now, horizon)
        hours = (await load_csm_hours(self._connection, [csm_id])).get(csm_id) or DEFAULT_HOURS
        weekly = await self._connection.fetchval(MINUTES, csm_id)
        new = await self._connection.fetch(NEW_RHYTHMS, csm_id)
        everything = [*planned, *yielded]
        accounts = await self._connection.fetch(ACCOUNTS, sorted({row["account_id"] for row in everything}))
        never_skipped = {(row["account_id"], kind) for row in accounts for kind in row["never_skipped"]}
        return PersonBook(
            csm_id,
            hours,
            DEFAULT_WEEKLY_MINUTES if weekly is None else weekly,
            tuple(_planned_touch(row, never_skipped, shared, now) for row in planned),
            tuple(_new_rhythm(row) for row in new),
            await self._load_availability(everything, accounts, hours),
            tuple(_planned_touch(row, never_skipped, shared, now) for row in yielded),
        )

    async def _load_availability(
        self, touches: Sequence[rows.Row], accounts: Sequence[rows.Row], hours: OpenHours
    ) -> Mapping[str, Availability]:
        """Where it is not that of the person's hours, by account and type."""
        types: dict[tuple[str, str], TouchWork] = {}
        for row in touches:
            key = (row["account_id"], row["type"])
            longest = max(row["minutes"], types[key].minutes if key in types else 0)
            types[key] = TouchWork(row["topic"], row["channel"], longest)
        holidays = await load_holidays(self._connection)
        found: dict[str, Availability] = {}
        days = {row["account_id"]: _read_days(row, holidays) for row in accounts}
        for (account_id, touchpoint_type), work in types.items():
            avoid, account = days[account_id]
            zones = season_zones(account.customer, hours.zone)
            periods = periods_for(avoid, touchpoint_type, work.topic, zones)
            own = find_availability(periods, work, hours, account)
            if own is not None:
                found[availability_key(account_id, touchpoint_type)] = own
        return found

    async def save_anchors(self, csm_id: str, anchors: Mapping[tuple[str, str], datetime]) -> int:
        if not anchors:
            return 0
        mine = await lock_accounts(self._connection, {account_id for account_id, _ in anchors})
        values = [(*key, anchor) for key, anchor in sorted(anchors.items()) if key[0] in mine]
        if not values:
            return 0
        return await self._connection.fetchval(SAVE_ANCHORS, *rows.columns_of(values), csm_id)

    async def save_moves(self, book: PersonBook, moves: Sequence[LevelledTouch], now: datetime) -> int:
        wanted = {move.id: move for move in moves}
        locked = await self._lock(book, wanted)
        await self._calendars.save_levelled(
            [move(stored, wanted[stored.touchpoint.id]) for stored in locked], now
        )
        return len(locked)

    async def save_given_up(self, book: PersonBook, given_up: Sequence[TouchRelief], now: datetime) -> int:
        wanted = {each.touch.id: each for each in given_up}
        locked = await self._lock(book, wanted)
        await self._calendars.save_levelled(
            [give_up(stored, wanted[stored.touchpoint.id]) for stored in locked], now
        )
        return len(locked)

    async def _lock(self, book: PersonBook, ids: Collection[str]) -> list[StoredTouchpoint]:
        """Those of these touchpoints of the book that are as they were read and nobody else has locked."""
        if not ids:
            return []
        touches = {touch.id: touch for touch in (*book.touches, *book.yielded)}
        mine = await lock_accounts(self._connection, {touches[each].account_id for each in ids})
        locked = await self._connection.fetch(LOCK_TOUCHPOINTS, sorted(ids), sorted(mine))
        # Asked after the locks, which an announcement takes too: until then one may have invited people.
        invited = await invitations.find_invited(self._connection, (row["id"] for row in locked))
        return [
            stored
            for stored in map(rows.read_stored, locked)
            if is_as_read(stored, touches[stored.touchpoint.id], book.csm_id)
            and (touches[stored.touchpoint.id].is_invited or stored.touchpoint.id not in invited)
        ]

    async def save_relief(self, csm_id: str, relief: PersonRelief) -> None:
        described = [
            describe_conflict(csm_id, conflict).model_dump(mode="json") for conflict in relief.conflicts
        ]
        without_room = {each.touch.id: each.reason for each in relief.without_room}
        await self._connection.execute(
            SAVE_RELIEF,
            csm_id,
            orjson.dumps(described).decode(),
            relief.review_at,
            orjson.dumps(without_room).decode(),
        )
        await mark_promises(self._connection, [csm_id])

    async def mark(self, csm_id: str, cause: str) -> None:
        await mark_people(self._connection, [csm_id], cause)


def _read_days(row: rows.Row, holidays: Sequence[HolidayRecord]) -> tuple[tuple[Avoid, ...], AccountDays]:
    """The times to avoid of an account, and when it can be met."""
    avoid = AVOID.validate_json(row["avoid"] or "[]")
    quiet = USUAL_QUIET_HOURS
    if row["quiet_hours"] is not None:
        quiet = QuietHours.model_validate_json(row["quiet_hours"])
    customer = find_customer_days(place_of(CalendarAccount(*row[:10])), holidays)
    return avoid, AccountDays(customer, quiet)


def _new_rhythm(row: rows.Row) -> NewRhythm:
    account_id, kind, every_days, minutes, anchor, first, last = row
    return NewRhythm(account_id, kind, every_days, minutes, anchor, (first, last))


def _planned_touch(
    row: rows.Row,
    never_skipped: Collection[tuple[str, str]],
    shared: Mapping[str, bool | None],
    now: datetime,
) -> PlannedTouch:
    shift = None if row["pinned"] else row["shift"]
    priority = find_priority(row["priority"], row["precedence"], row["origin"])
    return PlannedTouch(
        row["id"], row["account_id"], row["type"], row["due_at"], row["start_at"], row["earliest_at"],
        row["latest_at"], row["soft_days"], row["minutes"], priority, row["is_new"],
        is_by_season(row["shift"]), (row["account_id"], row["type"]) in never_skipped,
        row["origin"] == Origin.CALENDAR, row["has_yielded"],
        find_owed_within(shift, (row["start_at"], row["end_at"]), now), row["is_invited"],
        may_be_shared(row["owner"], share=shared.get(row["type"])),
    )  # fmt: skip
