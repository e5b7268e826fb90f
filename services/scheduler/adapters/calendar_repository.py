"""Calendars in one PostgreSQL transaction: locked, loaded, stored and published as whole batches."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import compress

from schemas.directory import HolidayRecord, PolicyRecord
from services.calendar.open_hours import OpenHours
from services.calendar.plan import PlanCommand, content_of, read_plan
from services.calendar.reconciliation.context import StoredCalendar
from services.calendar.recurrence import Series
from services.calendar.rezoning import RuleChange
from services.calendar.touchpoint import Cancellation, Closure, RecordedOutcome, Touchpoint, cancel
from services.chassis.database import Connection
from services.chassis.outbox import Outbox
from services.chassis.time_slices import pause_if_long
from services.scheduler.adapters import early_outcomes, erasure, merging, rows
from services.scheduler.adapters.act_repository import PostgresActs
from services.scheduler.adapters.announcement_repository import (
    add_changes,
    publish_updates,
    take_changes,
    take_known_states,
)
from services.scheduler.adapters.archive import bring_back
from services.scheduler.adapters.assignment_repository import PostgresAssignments
from services.scheduler.adapters.directory_repository import load_csm_hours, load_holidays, load_policy
from services.scheduler.adapters.messages import settled_event
from services.scheduler.adapters.person_marks import mark_owners
from services.scheduler.adapters.release_repository import load_rule_change
from services.scheduler.adapters.rows import COLUMNS, columns_of
from services.scheduler.application.announce_changes import (
    LONGEST_WAIT,
    QUIET,
    correct_kinds,
    describe_change,
)
from services.scheduler.application.ports import (
    CalendarAccount,
    CalendarUpdate,
    StoredTouchpoint,
    TouchpointUpdate,
    UnannouncedChange,
)

LONG_AGO = timedelta(days=400)
"""How far back the last due touchpoint of a type counts for spacing and intervals."""
CLAIM_LIMIT = 200
"""Accounts that one pass extends; replicas share them."""

CREATE_ACCOUNTS = """
INSERT INTO account_calendar (account_id) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING
"""
VERSIONS = "SELECT account_id, version FROM account_calendar WHERE account_id = ANY($1::text[])"
LOCK = """
SELECT account_id, version, shape, timezone, zones, csm_id, sales_id, pool, country, region, rules_changed,
    holidays_changed, handovers
FROM account_calendar WHERE account_id = ANY($1::text[]) ORDER BY account_id FOR UPDATE
"""
LOAD_OPEN = f"""
SELECT {COLUMNS}, t.face FROM touchpoint t
WHERE (t.account_id = ANY($1::text[]) AND t.status IN ('planned', 'due', 'overdue')) OR t.id = ANY($2::uuid[])
    OR (t.account_id = ANY($1::text[]) AND t.due_at > $3 AND t.end_at > $3 AND t.closure = 'withdrawn'
        AND t.origin = 'rhythm')
    OR (t.account_id = ANY($1::text[]) AND t.origin = 'calendar')
    OR (t.account_id = ANY($1::text[]) AND t.closure = 'withdrawn' AND t.verdict LIKE 'gave way: %' AND t.latest_at > $3)
ORDER BY t.id FOR UPDATE
"""
SERIES = "SELECT * FROM rhythm WHERE account_id = ANY($1::text[])"
LAST_DUE = """
SELECT account_id, type, max(due_at) AS due_at FROM (
    SELECT account_id, type, due_at FROM touchpoint
    WHERE account_id = ANY($1::text[]) AND due_at > $2 AND released_at IS NOT NULL AND origin <> 'calendar'
    UNION ALL
    SELECT account_id, type, due_at FROM archived_contact WHERE account_id = ANY($1::text[]) AND due_at > $2
) AS came_due GROUP BY account_id, type
"""
SAVE_ACCOUNTS = """
UPDATE account_calendar a SET version = greatest(a.version, u.version), plan = u.plan, shape = u.shape,
    extend_at = u.extend_at, rules_changed = NULL, holidays_changed = NULL
FROM unnest($1::text[], $2::bigint[], $3::json[], $4::bytea[], $5::timestamptz[])
    u(account_id, version, plan, shape, extend_at)
WHERE a.account_id = u.account_id
"""
SAVE_PLANS = """
UPDATE account_calendar a SET version = u.version, plan = u.plan
FROM unnest($1::text[], $2::bigint[], $3::json[]) u(account_id, version, plan) WHERE a.account_id = u.account_id
"""
# What has come due keeps the content for which it came due.
SAVE_CONTENTS = """
WITH changed AS MATERIALIZED (
    SELECT u.account_id, u.type, u.face, r.face AS former
    FROM unnest($1::text[], $2::text[], $3::jsonb[]) u(account_id, type, face)
    JOIN rhythm r ON r.account_id = u.account_id AND r.type = u.type AND r.face <> u.face
), frozen AS (
    UPDATE touchpoint t SET face = c.former FROM changed c
    WHERE t.account_id = c.account_id AND t.type = c.type AND t.origin = 'rhythm' AND t.face IS NULL
        AND t.status IN ('due', 'overdue')
)
UPDATE rhythm r SET face = c.face FROM changed c WHERE r.account_id = c.account_id AND r.type = c.type
"""
CLAIM = """
SELECT plan FROM account_calendar WHERE extend_at <= $1 AND plan IS NOT NULL
ORDER BY extend_at, account_id LIMIT $2 FOR UPDATE SKIP LOCKED
"""


class PostgresCalendarRepository:
    """CalendarRepository on one open transaction."""

    def __init__(self, connection: Connection, outbox: Outbox, console_url: str) -> None:
        self._connection = connection
        self._outbox = outbox
        self._console_url = console_url
        self.assignments = PostgresAssignments(connection)
        self.acts = PostgresActs(connection)

    async def pause_if_long(self) -> None:
        await pause_if_long()

    async def lock(self, account_ids: Collection[str]) -> Mapping[str, CalendarAccount]:
        in_order = sorted(set(account_ids))
        await self._connection.execute(CREATE_ACCOUNTS, in_order)
        return {row[0]: rows.read_account(row) for row in await self._connection.fetch(LOCK, in_order)}

    async def find_versions(self, account_ids: Collection[str]) -> Mapping[str, int]:
        return {row[0]: row[1] for row in await self._connection.fetch(VERSIONS, list(account_ids))}

    async def claim_to_extend(self, now: datetime) -> Sequence[PlanCommand]:
        claimed = await self._connection.fetch(CLAIM, now, CLAIM_LIMIT)
        return [read_plan(row["plan"].encode()) for row in claimed]

    async def load_calendars(
        self, account_ids: Collection[str], touchpoint_ids: Collection[str], now: datetime
    ) -> Mapping[str, StoredCalendar]:
        loaded = await self._connection.fetch(LOAD_OPEN, account_ids, touchpoint_ids, now)
        if await bring_back(self._connection, touchpoint_ids, [row["id"] for row in loaded]):
            loaded = await self._connection.fetch(LOAD_OPEN, account_ids, touchpoint_ids, now)
        touchpoints: dict[str, list[Touchpoint]] = defaultdict(list)
        for row in loaded:
            content = None if row["face"] is None else rows.read_content(row["face"])
            touchpoints[row["account_id"]].append(rows.read_touchpoint(row, content))
        series: dict[str, dict[str, Series]] = defaultdict(dict)
        for row in await self._connection.fetch(SERIES, account_ids):
            series[row["account_id"]][row["type"]] = rows.read_series(row)
        last_due_at: dict[str, dict[str, datetime]] = defaultdict(dict)
        for row in await self._connection.fetch(LAST_DUE, account_ids, now - LONG_AGO):
            last_due_at[row[0]][row[1]] = row[2]
        return {
            name: StoredCalendar(touchpoints[name], series[name], last_due_at[name]) for name in account_ids
        }

    async def load_hours(self, csm_ids: Collection[str]) -> Mapping[str, OpenHours]:
        return await load_csm_hours(self._connection, csm_ids)

    async def load_rule_change(self) -> RuleChange | None:
        return await load_rule_change(self._connection)

    async def load_holidays(self) -> Sequence[HolidayRecord]:
        return await load_holidays(self._connection)

    async def load_policy(self) -> PolicyRecord | None:
        return await load_policy(self._connection)

    async def save_calendars(self, updates: Sequence[CalendarUpdate], now: datetime) -> None:
        await self.save_quietly([touchpoint for update in updates for touchpoint in update.touchpoints], now)
        rhythms = [
            rows.rhythm_values(update.command.account_id, series)
            for update in updates
            for series in update.series
        ]
        if rhythms:
            columns = columns_of(rhythms)
            await self._connection.execute(SAVE_CONTENTS, columns[0], columns[1], columns[10])
            await self._connection.execute(rows.SAVE_RHYTHMS, *columns)
        accounts = [
            (command.account_id, command.version, command.document, update.spec_hash, update.extend_at)
            for update, command in ((update, update.command) for update in updates)
        ]
        await self._connection.execute(SAVE_ACCOUNTS, *columns_of(accounts))

    async def erase(self, account_ids: Collection[str], now: datetime) -> None:
        if not account_ids:
            return
        changes = await take_changes(self._connection, account_ids, now)
        await self._announce([describe_change(change) for change in changes], now)
        await erasure.erase_calendars(self._connection, self._outbox, account_ids, now)

    async def find_ended(self, account_ids: Collection[str]) -> Mapping[str, str]:
        return await merging.find_ended(self._connection, account_ids)

    async def merge(self, ended: Mapping[str, str], now: datetime) -> None:
        known = await self.find_ended(ended)
        for account_id, stays in sorted(ended.items()):
            if account_id in known:
                continue
            doubles = await self.find(await merging.find_doubles(self._connection, account_id, stays))
            reason = Cancellation(Closure.WITHDRAWN, f"the account was merged into {stays}")
            await self.save_quietly(
                [
                    TouchpointUpdate(cancel(each.touchpoint, reason), each.content, "cancelled", reason.note)
                    for each in doubles.values()
                ],
                now,
            )
            await merging.move_calendar(self._connection, account_id, stays, now)

    async def find_erased(self, account_ids: Collection[str]) -> Collection[str]:
        return await erasure.find_erased(self._connection, account_ids)

    async def save_contents(self, commands: Sequence[PlanCommand]) -> None:
        if not commands:
            return
        accounts = [(command.account_id, command.version, command.document) for command in commands]
        await self._connection.execute(SAVE_PLANS, *columns_of(accounts))
        contents = [
            (command.account_id, rhythm.touchpoint_type, rows.write_content(content_of(rhythm, command.plan)))
            for command in commands
            if command.plan is not None
            for rhythm in command.plan.rhythms
        ]
        if contents:
            await self._connection.execute(SAVE_CONTENTS, *columns_of(contents))

    async def save(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None:
        await mark_owners(self._connection, updates)
        await self._store(updates, now, is_urgent=lambda _: True)

    async def save_levelled(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None:
        """Store touchpoints that the leveller moved; nobody is marked for it."""
        await self._store(updates, now, is_urgent=lambda _: False)

    async def save_quietly(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None:
        await mark_owners(self._connection, updates)
        await self._store(updates, now, is_urgent=lambda update: update.touchpoint.released_at is not None)

    async def _store(
        self,
        updates: Sequence[TouchpointUpdate],
        now: datetime,
        is_urgent: Callable[[TouchpointUpdate], bool],
    ) -> None:
        """Store touchpoints, and announce those that are urgent at once."""
        if not updates:
            return
        waiting = [update for update in updates if update.event_kind and not is_urgent(update)]
        await add_changes(self._connection, waiting, (QUIET, LONGEST_WAIT), now)
        changed = [update.touchpoint.id for update in updates]
        is_stored = [each.touchpoint.sequence > 1 or not each.event_kind for each in updates]
        if stored := [*compress(changed, is_stored)]:
            await self._connection.execute(rows.DELETE_TIMES, stored)
        await self._connection.execute(rows.SAVE, *columns_of(map(rows.touchpoint_values, updates)), now)
        times = (*rows.time_columns(updates), changed, now, rows.traces_of_planned(updates))
        await self._connection.execute(rows.SAVE_TIMES, *times)
        await self._publish([update for update in updates if update.event_kind and is_urgent(update)], now)

    async def _publish(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None:
        """Announce them at once, together with what waited to be announced of them."""
        by_id = {update.touchpoint.id: update for update in updates}
        known = await take_known_states(self._connection, list(by_id))
        changes = [
            UnannouncedChange(StoredTouchpoint(by_id[key].touchpoint, by_id[key].content), *known[key])
            for key in known
        ]
        await self._announce(correct_kinds(updates, changes), now)

    async def _announce(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None:
        await publish_updates(self._connection, self._outbox, self._console_url, updates, now)

    async def find(self, ids: Collection[str]) -> Mapping[str, StoredTouchpoint]:
        if not ids:
            return {}
        wanted = sorted(set(ids))
        found = await self._connection.fetch(rows.FIND, wanted)
        if await bring_back(self._connection, wanted, [row["id"] for row in found]):
            found = await self._connection.fetch(rows.FIND, wanted)
        return {row["id"]: rows.read_stored(row) for row in found}

    async def find_together(self, touchpoint_id: str) -> Sequence[StoredTouchpoint]:
        await bring_back(self._connection, [touchpoint_id], ())
        return [
            rows.read_stored(row) for row in await self._connection.fetch(rows.FIND_TOGETHER, touchpoint_id)
        ]

    async def find_open(self, types: Collection[tuple[str, str]]) -> Sequence[StoredTouchpoint]:
        return [
            rows.read_stored(row) for row in await self._connection.fetch(rows.FIND_OPEN, *columns_of(types))
        ]

    async def save_early_outcomes(self, outcomes: Mapping[str, tuple[str, RecordedOutcome]]) -> None:
        await early_outcomes.save(self._connection, outcomes)

    async def take_early_outcomes(self, ids: Sequence[str]) -> Mapping[str, RecordedOutcome]:
        return await early_outcomes.take(self._connection, ids)

    async def publish_settled(self, item: Touchpoint, outcome: RecordedOutcome, to: datetime | None) -> None:
        await self._outbox.append(self._connection, [settled_event(item, outcome, to)])
