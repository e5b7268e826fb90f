"""Calendars as they stand, read page by page without a lock."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, time
from typing import Any

import orjson

from schemas.plans import PlanAdjusted
from schemas.standing import StandingAccount, StandingPage, StandingPerson, StandingSeries, StandingTouchpoint
from schemas.times import TimeOff
from services.calendar.busy_time import BusyTime
from services.calendar.standing import write_standing_series, write_standing_touchpoint
from services.chassis.database import Connection, Database
from services.scheduler.adapters import rows
from services.scheduler.adapters.calendar_repository import LAST_DUE, LONG_AGO, SERIES
from services.scheduler.adapters.directory_repository import read_person_days

ACCOUNTS = """
SELECT a.account_id, a.timezone, a.zones, a.country, a.region, a.csm_id, a.sales_id, a.pool, a.plan, a.shape,
    a.handovers::text AS handovers,
    (SELECT csm_id FROM assignment s WHERE s.account_id = a.account_id AND s.line = 'pooled_csm') AS pooled_csm,
    (SELECT csm_id FROM assignment s WHERE s.account_id = a.account_id AND s.line = 'sales') AS sales
FROM account_calendar a
WHERE a.account_id COLLATE "C" > $1 AND a.plan IS NOT NULL ORDER BY a.account_id COLLATE "C" LIMIT $2
"""
# What the plan names, and the calendar's own escalations, are told of whatever became of them.
TOUCHPOINTS = f"""
SELECT {rows.COLUMNS}, t.face FROM touchpoint t
WHERE t.account_id = ANY($1::text[]) AND (t.status IN ('planned', 'due', 'overdue')
    OR t.origin = 'calendar' OR t.id = ANY($2::uuid[])
    OR (t.due_at > $3 AND t.end_at > $3 AND t.closure = 'withdrawn' AND t.origin = 'rhythm')
    OR (t.closure = 'withdrawn' AND t.verdict LIKE 'gave way: %' AND t.latest_at > $3))
ORDER BY t.account_id, t.id
"""
PEOPLE = """
SELECT p.csm_id, p.name, p.timezone, p.country, p.region, p.away, p.weekly_minutes, p.working_days, p.day_start,
    p.day_end, p.pool, p.role, c.busy,
    true AS described, EXISTS (SELECT FROM csm_book b WHERE b.csm_id = p.csm_id) AS levelled
FROM person p LEFT JOIN busy_calendar c USING (csm_id)
UNION ALL
SELECT b.csm_id, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, true
FROM csm_book b
WHERE NOT EXISTS (SELECT FROM person p WHERE p.csm_id = b.csm_id)
ORDER BY csm_id
"""

LEFT = "SELECT csm_id FROM left_person WHERE csm_id NOT IN (SELECT csm_id FROM person) ORDER BY csm_id"


async def read_standing(database: Database, after: str, limit: int, now: datetime) -> StandingPage:
    """The calendars of the accounts after that id; the people only with the first of them."""
    async with database.transaction() as connection:
        found = await connection.fetch(ACCOUNTS, after, limit)
        people = await connection.fetch(PEOPLE) if not after else ()
        left = await connection.fetch(LEFT) if not after else ()
        account_ids = [row["account_id"] for row in found]
        touchpoints = await _read_touchpoints(connection, found, now)
        series: dict[str, list[StandingSeries]] = defaultdict(list)
        for row in await connection.fetch(SERIES, account_ids):
            series[row["account_id"]].append(write_standing_series(rows.read_series(row)))
        last_due_at: dict[str, dict[str, datetime]] = defaultdict(dict)
        for row in await connection.fetch(LAST_DUE, account_ids, now - LONG_AGO):
            last_due_at[row[0]][row[1]] = row[2]
    items = tuple(_account(row, touchpoints, series, last_due_at) for row in found)
    return StandingPage.of_valid(
        items=items, people=tuple(map(_person, people)), left=tuple(row[0] for row in left)
    )


async def _read_touchpoints(
    connection: Connection, found: Sequence[rows.Row], now: datetime
) -> Mapping[str, list[StandingTouchpoint]]:
    named = [item["id"] for row in found for item in orjson.loads(row["plan"])["touchpoints"]]
    by_account: dict[str, list[StandingTouchpoint]] = defaultdict(list)
    for row in await connection.fetch(TOUCHPOINTS, [row["account_id"] for row in found], named, now):
        content = None if row["face"] is None else rows.read_content(row["face"])
        by_account[row["account_id"]].append(write_standing_touchpoint(rows.read_touchpoint(row, content)))
    return by_account


def _account(
    row: rows.Row,
    touchpoints: Mapping[str, Sequence[StandingTouchpoint]],
    series: Mapping[str, Sequence[StandingSeries]],
    last_due_at: Mapping[str, Mapping[str, datetime]],
) -> StandingAccount:
    account_id = row["account_id"]
    named: dict[str, Any] = {
        name: row[name]
        for name in ("timezone", "country", "region", "csm_id", "sales_id", "pool", "pooled_csm", "sales")
    }
    return StandingAccount.of_valid(
        **named,
        account_id=account_id,
        zones=tuple(row["zones"] or ()),
        handovers=orjson.loads(row["handovers"]),
        spec=None if row["shape"] is None else row["shape"].hex(),
        plan=PlanAdjusted.read_stored(row["plan"].encode()),
        last_due_at=last_due_at.get(account_id, {}),
        series=tuple(sorted(series.get(account_id, ()), key=lambda each: each.type)),
        touchpoints=tuple(touchpoints.get(account_id, ())),
    )


def _person(row: rows.Row) -> StandingPerson:
    days = row["working_days"]
    named: dict[str, Any] = {
        name: row[name]
        for name in (
            "csm_id",
            "name",
            "timezone",
            "country",
            "region",
            "weekly_minutes",
            "pool",
            "role",
            "described",
            "levelled",
        )
    }
    return StandingPerson.of_valid(
        **named,
        working_days=None if days is None else tuple(days),
        time_off=tuple(TimeOff(from_=days.first, to=days.last) for days in read_person_days(row).away),
        busy=() if row["busy"] is None else BusyTime(row["busy"]).bounds,
        day_start=_clock(row["day_start"]),
        day_end=_clock(row["day_end"]),
    )


def _clock(value: time | None) -> str | None:
    return None if value is None else f"{value:%H:%M}"
