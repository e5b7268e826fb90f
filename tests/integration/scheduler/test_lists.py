"""A list reads little more than what it shows, whatever it filters and however many rows the calendar has (A1)."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import orjson
import pytest

from services.calendar.touchpoint import OPEN, Status
from services.scheduler.adapters.change_feed import MOST_READ as MOST_CHANGES
from services.scheduler.adapters.change_feed import ChangeQuery, read_changes
from services.scheduler.adapters.touchpoint_lists import ListQuery
from services.scheduler.application.read_touchpoints import TouchpointFilter
from tests.integration.scheduler.calendars import fill
from tests.integration.scheduler.conftest import MONDAY, REASON, Scheduler

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]
ROWS = 200_000
LIMIT = 100
MOST_READ = 8_000
"""Rows; the calendar has two hundred thousand, a person eight hundred, a type ten thousand."""
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
    """The rows of tables that the scans of a statement read, with those that they left out."""
    explained = await scheduler.database.pool.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}", *values)
    plan = orjson.loads(explained)[0]["Plan"]
    return round(
        sum(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in nodes(plan)
            if "Relation Name" in node
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
    query = ChangeQuery(TouchpointFilter(changed_since=late - DAY), None, LIMIT)

    listed = await full.list_touchpoints(updated_since=(late - DAY).isoformat())

    assert len(listed) == 50
    assert await rows_read(full, *query.write_bounds()) < MOST_READ


async def test_a_page_of_the_change_feed_reads_a_bounded_part_of_it_whatever_it_filters(
    full: Scheduler,
) -> None:
    """A1: also where little or nothing of it matches, and at a later page."""
    first = await read_changes(full.database, TouchpointFilter(), None, LIMIT)
    read: dict[str, int] = {}
    for name, wanted in (FILTERS | UNOWNED).items():
        for after in (None, first.resume):
            query = ChangeQuery(replace(wanted, changed_since=MONDAY - 900 * DAY), after, LIMIT)
            statement, values = query.write_bounds()
            bounds: Any = await full.database.pool.fetchrow(statement, *values)
            key = f"{name}, {'first' if after is None else 'next'} page"
            read[key] = await rows_read(full, statement, values)
            read[key] += await rows_read(full, *query.write_page(*_positions(bounds)))

    # The changes of a page twice, and their touchpoints; without a cursor, where they begin.
    most = {name: 3 * MOST_CHANGES + (20_000 if "first page" in name else 0) + 1000 for name in read}
    assert {name: rows for name, rows in read.items() if rows > most[name]} == {}


async def test_the_change_feed_lists_what_matches_in_the_order_of_commit_and_ends(
    scheduler: Scheduler,
) -> None:
    """A1: short pages lose nothing, and the cursor of the last one goes on where the feed ended."""
    await fill(scheduler.database, 20_000, MONDAY, orjson.dumps(CONTENT).decode())
    stored = await scheduler.database.pool.fetch(
        "SELECT *, csm_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM person p WHERE p.csm_id = t.csm_id) AS is_gone"
        " FROM touchpoint t ORDER BY change_xid, id"
    )
    for name, wanted in (FILTERS | UNOWNED).items():
        since = MONDAY - 900 * DAY
        expected = [str(row["id"]) for row in stored if matches(row, wanted) and row["changed_at"] >= since]
        listed, pages, after, has_more = list[str](), 0, None, True
        while has_more:
            page = await read_changes(scheduler.database, replace(wanted, changed_since=since), after, 5_000)
            listed += [row["id"] for row in page.rows]
            after, has_more, pages = page.resume, page.has_more, pages + 1
        assert listed == expected, name
        assert pages <= 1 + 20_000 // 5_000 + 20_000 // MOST_CHANGES, name
        assert after is not None
        assert after[1] == str(stored[-1]["id"])
        nothing = await read_changes(scheduler.database, wanted, after, 5_000)
        assert nothing == ([], after, False)


async def test_no_list_scans_the_calendar_from_end_to_end(full: Scheduler) -> None:
    """A1: read from the plan of each statement, also that of the change feed."""
    scanned: dict[str, set[str]] = {}
    for name, wanted in (FILTERS | UNOWNED).items():
        query = ListQuery(wanted, None, LIMIT + 1)
        scanned[name] = await scanned_tables(full, query.write(), query.values)
        changes = ChangeQuery(replace(wanted, changed_since=MONDAY - 900 * DAY), None, LIMIT)
        first, last = ((3, f"{digit}0000000-0000-0000-0000-000000000000") for digit in "78")
        scanned[f"{name}, changes"] = await scanned_tables(full, *changes.write_bounds())
        scanned[f"{name}, page of changes"] = await scanned_tables(full, *changes.write_page(first, last))

    large = {"touchpoint", "agenda", "closed_touchpoint", "change"}
    found = {
        name: tables
        for name, tables in scanned.items()
        if tables & large or any(table.startswith("archived_touchpoint_2") for table in tables)
    }
    assert found == {}


def _positions(bounds: Any) -> tuple[tuple[int, str], tuple[int, str]]:
    return (bounds[0], bounds[1]), (bounds[2], bounds[3])


async def scanned_tables(scheduler: Scheduler, statement: str, values: list[object]) -> set[str]:
    """The tables that the plan of a statement reads from end to end."""
    explained = await scheduler.database.pool.fetchval(f"EXPLAIN (FORMAT JSON) {statement}", *values)
    plan = orjson.loads(explained)[0]["Plan"]
    return {node["Relation Name"] for node in nodes(plan) if node["Node Type"] == "Seq Scan"}
