"""The scheduler's copy of the directories: what it needs of accounts and CSMs.

A changed zone or changed hours mark the accounts concerned: the horizon worker reconciles them in batches, never all
of them in one transaction.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache

import asyncpg
import orjson

from schemas.directory import AccountRecord, CsmRecord, HolidayRecord, PolicyRecord
from schemas.times import WEEKDAYS, clock_time
from schemas.zones import UTC_ZONE
from services.calendar.busy_time import BusyTime
from services.calendar.open_hours import DAY, DateSpan, OpenHours
from services.calendar.person_hours import PersonDays, read_hours
from services.calendar.public_holidays import find_place
from services.calendar.zones import load_zone
from services.chassis.database import Connection
from services.scheduler.adapters import erasure
from services.scheduler.adapters.invitations import load_invited_types, redate_announcements
from services.scheduler.adapters.messages import DirectoryDetails, OwnerDetails, TypeDetails
from services.scheduler.adapters.people_changes import load_people, mark_accounts_of
from services.scheduler.adapters.person_marks import mark_people, mark_promises
from services.scheduler.adapters.rows import Row, columns_of

SAVE_ACCOUNTS = """
UPDATE account_calendar a SET directory_version = u.version, name = u.name, csm_id = u.csm_id,
    sales_id = u.sales_id, pool = u.pool,
    timezone = u.timezone, zones = string_to_array(u.zones, ' '), doubt = u.doubt, country = u.country,
    region = u.region,
    handovers = a.handovers
        - CASE WHEN a.csm_id IS DISTINCT FROM u.csm_id THEN coalesce(u.csm_id, '') ELSE '' END
        - CASE WHEN a.sales_id IS DISTINCT FROM u.sales_id THEN coalesce(u.sales_id, '') ELSE '' END,
    extend_at = CASE WHEN a.plan IS NOT NULL AND (
            a.timezone IS DISTINCT FROM u.timezone OR a.zones <> string_to_array(u.zones, ' ')
            OR (a.country, a.region) IS DISTINCT FROM (u.country, u.region)
            OR ((a.csm_id, a.sales_id, a.pool) IS DISTINCT FROM (u.csm_id, u.sales_id, u.pool) AND EXISTS (
                SELECT 1 FROM touchpoint t WHERE t.account_id = a.account_id
                    AND t.status IN ('planned', 'due', 'overdue')
                    AND (t.owner IN ('pooled_csm', 'sales') OR (t.owner = 'csm' AND t.csm_id IS NULL)))))
        THEN '-infinity' ELSE a.extend_at END
FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::text[], $10::text[], $11::text[])
    u(account_id, version, name, csm_id, sales_id, pool, timezone, zones, doubt, country, region)
WHERE a.account_id = u.account_id AND a.directory_version <= u.version
"""
SAVE_CSM = """
INSERT INTO person AS p (csm_id, version, name, email, timezone, weekly_minutes, working_days, day_start,
    day_end, away, pool, country, region, role, doubt)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15)
ON CONFLICT (csm_id) DO UPDATE SET version = excluded.version, name = excluded.name, email = excluded.email,
    timezone = excluded.timezone, weekly_minutes = excluded.weekly_minutes,
    working_days = excluded.working_days, day_start = excluded.day_start, day_end = excluded.day_end,
    away = excluded.away, pool = excluded.pool, doubt = excluded.doubt, country = excluded.country,
    region = excluded.region, role = excluded.role
WHERE p.version <= excluded.version
"""
REMEMBER_LEFT = """
INSERT INTO left_person (csm_id, pool) SELECT csm_id, pool FROM person WHERE csm_id = ANY($1::text[])
ON CONFLICT (csm_id) DO UPDATE SET pool = excluded.pool, left_at = now()
"""
FORGET_CSMS = "DELETE FROM person WHERE csm_id = ANY($1::text[])"
FORGET_FEEDS = "DELETE FROM calendar_feed WHERE csm_id = ANY($1::text[])"
FORGET_CALENDARS = "DELETE FROM busy_calendar WHERE csm_id = ANY($1::text[])"
HOURS = """
SELECT csm_id, name, timezone, working_days, day_start, day_end, country, region, away, busy
FROM person LEFT JOIN busy_calendar USING (csm_id) WHERE csm_id = ANY($1::text[])
"""
PEOPLE = "SELECT csm_id, name, email FROM person WHERE csm_id = ANY($1::text[])"
NAMES = "SELECT account_id, name FROM account_calendar WHERE account_id = ANY($1::text[])"
WEEKLY = "SELECT csm_id, weekly_minutes FROM person WHERE csm_id = ANY($1::text[])"
MARK_ACCOUNTS = """
UPDATE account_calendar SET extend_at = '-infinity' WHERE plan IS NOT NULL AND account_id IN (
    SELECT DISTINCT account_id FROM touchpoint WHERE csm_id = ANY($1::text[]) AND status = 'planned')
"""
SAVE_POLICY = """
INSERT INTO policy_in_force AS p (key, version, record) VALUES ('policy', $1, $2)
ON CONFLICT (key) DO UPDATE SET version = excluded.version, record = excluded.record
WHERE p.version <= excluded.version
"""
"""A rules engine that was upgraded says more of the same version."""
PART_OF_POLICY = "SELECT (record -> $1::text)::text FROM policy_in_force WHERE key = 'policy'"
MARK_ALL = "UPDATE account_calendar SET extend_at = '-infinity' WHERE plan IS NOT NULL"
POLICY = "SELECT record FROM policy_in_force WHERE key = 'policy'"


class PostgresDirectoryRepository:
    """DirectoryRepository on one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def save_accounts(self, records: Sequence[AccountRecord]) -> None:
        """Store accounts whose rows are locked; an older version changes nothing."""
        in_order = sorted(records, key=lambda record: record.version)
        newest = {record.account_id: record for record in in_order}.values()
        values = [
            (
                record.account_id, record.version, record.name, record.csm_id, record.sales_id, record.pool,
                record.timezone, " ".join(record.zones),
                load_zone(record.timezone).doubt or find_place(record.country, record.region).doubt,
                record.country, record.region,
            )
            for record in newest
        ]  # fmt: skip
        if values:
            await self._connection.execute(SAVE_ACCOUNTS, *columns_of(values))
        await erasure.erase_contacts(self._connection, list(newest))

    async def forget_accounts(self, account_ids: Sequence[str]) -> None:
        await erasure.erase_directory(self._connection, account_ids)

    async def save_csms(self, records: Sequence[CsmRecord]) -> None:
        """Store CSMs and mark the accounts with touchpoints in hours that have changed, or that may get another owner."""
        newest = {record.csm_id: record for record in sorted(records, key=lambda record: record.version)}
        before = await load_csm_hours(self._connection, newest.keys())
        weekly = await self._connection.fetch(WEEKLY, sorted(newest))
        people = await load_people(self._connection, newest.keys())
        for csm_id in sorted(newest):
            await self._connection.execute(SAVE_CSM, *csm_values(newest[csm_id]))
        after = await load_csm_hours(self._connection, newest.keys())
        undescribed = OpenHours(UTC_ZONE)
        changed = [
            csm_id for csm_id in newest if _is_other(before.get(csm_id, undescribed), after.get(csm_id))
        ]
        if changed:
            await self._connection.execute(MARK_ACCOUNTS, changed)
            await mark_people(self._connection, changed, "their hours have changed")
            await mark_promises(self._connection, changed)
        former = {row[0]: row[1] for row in weekly}
        weekly = await self._connection.fetch(WEEKLY, sorted(newest))
        busier = {row[0] for row in weekly if row[0] not in former or former[row[0]] != row[1]}
        await mark_people(self._connection, busier.difference(changed), "their weekly minutes have changed")
        now = await load_people(self._connection, newest.keys())
        await mark_accounts_of(self._connection, people, now)

    async def forget_csms(self, csm_ids: Sequence[str]) -> None:
        people = await load_people(self._connection, csm_ids)
        await self._connection.execute(REMEMBER_LEFT, csm_ids)
        await self._connection.execute(FORGET_CSMS, csm_ids)
        await self._connection.execute(FORGET_FEEDS, csm_ids)
        await self._connection.execute(FORGET_CALENDARS, csm_ids)
        await mark_accounts_of(self._connection, people, {})

    async def save_policies(self, records: Sequence[PolicyRecord]) -> None:
        """Store what is known of the policy; other holidays mark every account, other invitations are announced."""
        before = await load_holidays(self._connection)
        invited = await load_invited_types(self._connection)
        for record in records:
            await self._connection.execute(SAVE_POLICY, record.version, record.write().decode())
        if records and before != await load_holidays(self._connection):
            await self._connection.execute(MARK_ALL)
        if records:
            await redate_announcements(self._connection, invited, await load_invited_types(self._connection))


def csm_values(record: CsmRecord) -> tuple[object, ...]:
    """One row of SAVE_CSM."""
    days = None
    if record.working_days is not None:
        days = sorted(WEEKDAYS.index(day) for day in record.working_days)
    hours = record.working_hours
    start, end = (None, None) if hours is None else (clock_time(hours.from_), clock_time(hours.to))
    _, doubt = read_hours(record.timezone, days, start, end)
    doubt = doubt or find_place(record.country, record.region).doubt
    away = [asyncpg.Range(time_off.from_, time_off.to, upper_inc=True) for time_off in record.time_off]
    return (
        record.csm_id, record.version, record.name, record.email, record.timezone, record.weekly_minutes, days,
        start, end, away, record.pool, record.country, record.region, record.role, doubt,
    )  # fmt: skip


async def load_csm_hours(connection: Connection, csm_ids: Collection[str]) -> Mapping[str, OpenHours]:
    """The hours of those of these people whom the directory describes."""
    if not csm_ids:
        return {}
    extra = await load_holidays(connection)
    return {
        row["csm_id"]: read_csm_hours(row, extra) for row in await connection.fetch(HOURS, sorted(csm_ids))
    }


def read_csm_hours(row: Row, extra: Sequence[HolidayRecord]) -> OpenHours:
    """The open hours of a row of `person` with its busy time, and the holidays that the deployment adds."""
    hours, _ = read_hours(row["timezone"], row["working_days"], row["day_start"], row["day_end"])
    closed = read_person_days(row).close(hours, extra)
    return closed if row["busy"] is None else replace(closed, busy=BusyTime(row["busy"]))


def read_person_days(row: Row) -> PersonDays:
    """What closes days of somebody, of a row of `person`."""
    away = tuple(DateSpan(days.lower, days.upper - DAY) for days in row["away"] or ())
    return PersonDays(row["name"], row["country"], row["region"], away)


async def load_holidays(connection: Connection) -> tuple[HolidayRecord, ...]:
    """The public holidays that the policy in force adds or takes away."""
    return _read_holidays(await connection.fetchval(PART_OF_POLICY, "holidays") or "[]")


@lru_cache(maxsize=4)
def _read_holidays(text: str) -> tuple[HolidayRecord, ...]:
    return tuple(HolidayRecord.model_validate(record) for record in orjson.loads(text))


def _is_other(before: OpenHours, after: OpenHours | None) -> bool:
    """Whether other moments are open."""
    return after is None or replace(before, person=None) != replace(after, person=None)


async def load_directory(
    connection: Connection, account_ids: Collection[str], csm_ids: Collection[str]
) -> DirectoryDetails:
    """What events say about these accounts and CSMs."""
    names = await connection.fetch(NAMES, sorted(account_ids)) if account_ids else ()
    people = await connection.fetch(PEOPLE, sorted(csm_ids)) if csm_ids else ()
    return DirectoryDetails(
        {row[0]: row[1] for row in names},
        {row[0]: OwnerDetails(row[1], row[2]) for row in people},
        await load_types(connection) if account_ids else {},
    )


async def load_types(connection: Connection) -> Mapping[str, TypeDetails]:
    """What the policy in force says of each type; empty until the rules engine has published it.

    A batch of events reads it once, and no model is built.
    """
    record = await connection.fetchval(POLICY)
    types = () if record is None else orjson.loads(record)["touchpoint_types"]
    return {
        each["touchpoint_type"]: {"agenda": each.get("agenda", ()), "expects": each.get("expects", "")}
        for each in types
    }


async def load_policy(connection: Connection) -> PolicyRecord | None:
    record = await connection.fetchval(POLICY)
    return None if record is None else PolicyRecord.read_stored(record.encode())
