"""A list reads little more than what it shows, whatever it filters and however many rows the calendar has (A1)."""

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import orjson
import pytest

from services.calendar.touchpoint import OPEN, Status
from services.scheduler.adapters.queries import FIRST_SINCE
from services.scheduler.adapters.touchpoint_lists import ListQuery
from services.scheduler.application.read_touchpoints import TouchpointFilter
from tests.integration.scheduler.calendars import fill
from tests.integration.scheduler.conftest import MONDAY, REASON, Scheduler

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
ROWS = 80_000
LIMIT = 100
MOST_READ = 5_000
"""Rows; the calendar has eighty thousand, a person three hundred, a type four thousand."""
DAY = timedelta(days=1)
CONTENT: dict[str, object] = {
    "channel": "call",
    "purpose": "talk",
    "topic": "account",
    "audience": [],
    "reason": REASON,
}
CAME_DUE = frozenset({Status.DUE, Status.OVERDUE})
PLANNED = frozenset({Status.PLANNED})
FILTERS = {
    "what is due or overdue, of the console": TouchpointFilter(statuses=CAME_DUE),
    "what is planned": TouchpointFilter(statuses=PLANNED),
    "what is open": TouchpointFilter(statuses=OPEN),
    "what was cancelled": TouchpointFilter(statuses=frozenset({Status.CANCELLED})),
    "what was settled": TouchpointFilter(statuses=frozenset({Status.SETTLED})),
    "everything": TouchpointFilter(),
    "a period": TouchpointFilter(start_at=MONDAY, end_at=MONDAY + DAY),
    "what is overdue in a period": TouchpointFilter(
        statuses=CAME_DUE, start_at=MONDAY - 30 * DAY, end_at=MONDAY
    ),
    "a type": TouchpointFilter(type="type-7"),
    "what is due of a type": TouchpointFilter(type="type-8", statuses=CAME_DUE),
    "what is planned of a type": TouchpointFilter(type="type-3", statuses=PLANNED),
    "what is planned of a type that has nothing": TouchpointFilter(type="type-9", statuses=PLANNED),
    "what is due of a type that nothing has": TouchpointFilter(type="nothing", statuses=OPEN),
    "a person": TouchpointFilter(csm_id="csm-8"),
    "what a person has to do": TouchpointFilter(csm_id="csm-48", statuses=CAME_DUE),
    "what a person has planned": TouchpointFilter(csm_id="csm-8", statuses=PLANNED),
    "the day of a person": TouchpointFilter(
        csm_id="csm-8",
        statuses=frozenset({Status.PLANNED, Status.DUE}),
        start_at=MONDAY,
        end_at=MONDAY + DAY,
    ),
    "an account": TouchpointFilter(account_id="acc-7"),
    "what an account has open": TouchpointFilter(account_id="acc-998", statuses=CAME_DUE),
    "a type of an account": TouchpointFilter(account_id="acc-7", type="type-7"),
    "a person at an account": TouchpointFilter(account_id="acc-8", csm_id="csm-8"),
}
UNOWNED = {
    "what nobody has": TouchpointFilter(unowned=True, statuses=OPEN),
    "what nobody has of a type": TouchpointFilter(unowned=True, statuses=OPEN, type="type-0"),
}


@pytest.fixture
async def full(scheduler: Scheduler) -> Scheduler:
    await fill(scheduler.database, ROWS, MONDAY, orjson.dumps(CONTENT).decode())
    await scheduler.database.pool.execute(
        "ANALYZE touchpoint, agenda, due_touchpoint, closed_touchpoint, archived_touchpoint, change, person"
    )
    return scheduler


def nodes(plan: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield plan
    for child in plan.get("Plans", ()):
        yield from nodes(child)


async def rows_read(scheduler: Scheduler, statement: str, values: list[object]) -> int:
    """The rows that the scans of a statement read, with those that they left out."""
    explained = await scheduler.database.pool.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values)
    plan = orjson.loads(explained)[0]["Plan"]
    return round(
        sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in nodes(plan)
            if "Scan" in node["Node Type"]
        )
    )


async def test_no_filter_reads_the_whole_calendar(full: Scheduler) -> None:
    """A1: also the next page, which begins in the middle."""
    read: dict[str, int] = {}
    for name, wanted in (FILTERS | UNOWNED).items():
        for after in (None, (MONDAY + DAY, "0b1e0c5e-6b3c-5b0a-9a55-1f0b4b8b9a11")):
            query = ListQuery(wanted, after, LIMIT + 1)
            statement = query.write()
            key = name if after is None else f"{name}, next page"
            read[key] = await rows_read(full, statement, query.values)

    assert {name: rows for name, rows in read.items() if rows > MOST_READ} == {}


def matches(row: Any, wanted: TouchpointFilter) -> bool:
    if wanted.unowned and not (row["owner"] == "csm" and (row["csm_id"] is None or row["is_gone"])):
        return False
    return (
        wanted.account_id in (None, row["account_id"])
        and wanted.csm_id in (None, row["csm_id"])
        and wanted.type in (None, row["type"])
        and (not wanted.statuses or row["status"] in wanted.statuses)
        and (wanted.start_at is None or row["due_at"] >= wanted.start_at)
        and (wanted.end_at is None or row["due_at"] < wanted.end_at)
    )


async def test_every_filter_lists_what_matches_in_order_also_from_the_archive(scheduler: Scheduler) -> None:
    await fill(scheduler.database, 6_000, MONDAY, orjson.dumps(CONTENT).decode())
    columns = "id::text, account_id, csm_id, type, status, due_at, owner"
    stored = await scheduler.database.pool.fetch(
        f"SELECT u.*, csm_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM person p WHERE p.csm_id = u.csm_id) AS is_gone"
        f" FROM (SELECT {columns} FROM touchpoint UNION ALL SELECT {columns} FROM archived_touchpoint) u"
        " ORDER BY due_at, id::uuid"
    )
    for name, wanted in (FILTERS | UNOWNED).items():
        expected = [row["id"] for row in stored if matches(row, wanted)]
        listed: list[str] = []
        after = None
        while len(listed) < 700:
            query = ListQuery(wanted, after, 200)
            statement = query.write()
            rows = await scheduler.database.pool.fetch(statement, *query.values)
            if not rows:
                break
            listed += [row["id"] for row in rows]
            after = (rows[-1]["due_at"], rows[-1]["id"])
        assert listed == expected[: len(listed)], name
        assert len(listed) >= min(700, len(expected)), name


async def test_the_change_feed_begins_where_it_is_asked_to(full: Scheduler) -> None:
    """A1: `updated_since` reads no change before it."""
    late = MONDAY + 900 * DAY
    async with full.database.transaction() as connection:
        await connection.execute(
            "WITH late AS (UPDATE touchpoint SET change_xid = pg_current_xact_id(), changed_at = $1 WHERE number <= 50"
            " RETURNING id) INSERT INTO change (xid, id, changed_at) SELECT pg_current_xact_id(), id, $1 FROM late",
            late,
        )
    await full.database.pool.execute("ANALYZE change")
    since = f"c.changed_at >= $1 AND c.xid >= {FIRST_SINCE.format(1)}"
    statement = f"SELECT 1 FROM change c WHERE {since} ORDER BY c.xid, c.id"

    listed = await full.list_touchpoints(updated_since=(late - DAY).isoformat())

    assert len(listed) == 50
    assert await rows_read(full, statement, [late - DAY]) < MOST_READ
