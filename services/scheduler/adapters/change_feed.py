"""A page of the change feed, of which a bounded number of changes is read (docs/adr/0010 and 0011).

The feed is in the order of commit: a row is shown only when no transaction that began before its writer is still
running, so that a reader who continues from a cursor never misses one. Few of many changes may match a filter, or be
the last one of their touchpoint: a page then has few items, or none, and goes on at a cursor.
"""

from typing import Final, NamedTuple

from services.chassis.database import Database
from services.scheduler.adapters.rows import NAMES, Row
from services.scheduler.adapters.touchpoint_lists import ENTRY, LED, UNDESCRIBED, WITH_CONTENT
from services.scheduler.application.read_touchpoints import TouchpointFilter

MOST_READ: Final = 8_000
"""Changes that one page reads at most."""
# Transactions end in another order than their times, but no other by thousands of changes: nothing before it is as new.
FIRST_SINCE: Final = """(
    SELECT xid FROM (SELECT xid FROM change WHERE changed_at >= $1 ORDER BY changed_at LIMIT 20000) AS first
    ORDER BY xid LIMIT 1)"""
ENDED: Final = "c.xid < pg_snapshot_xmin(pg_current_snapshot())"
AFTER: Final = "(c.xid, c.id) > ($1::text::xid8, $2::text::uuid)"
# From where to where a page reads. What lies before a transaction that has ended does not grow: the same rows are found.
READ: Final = f"""
SELECT first_xid::text::bigint, first_id::text, xid::text::bigint, id::text, rows FROM (
    SELECT c.xid, c.id, row_number() OVER feed AS rows, first_value(c.xid) OVER feed AS first_xid,
        first_value(c.id) OVER feed AS first_id
    FROM change c WHERE {{begin}} AND {ENDED} WINDOW feed AS (ORDER BY c.xid, c.id)
    ORDER BY c.xid, c.id LIMIT {MOST_READ}
) AS read ORDER BY rows DESC LIMIT 1
"""
# `OFFSET 0`: each change looks for its touchpoint by id, until there are enough. A join would read the whole calendar.
PAGE: Final = f"""
SELECT {ENTRY} FROM (
    SELECT {", ".join(f"t.{name}" for name in NAMES)} FROM (
        SELECT c.xid, c.id, c.changed_at FROM change c
        WHERE (c.xid, c.id) >= ($1::text::xid8, $2::text::uuid) AND (c.xid, c.id) <= ($3::text::xid8, $4::text::uuid)
        ORDER BY c.xid, c.id
    ) c CROSS JOIN LATERAL (
        SELECT * FROM touchpoint t WHERE t.id = c.id AND t.change_xid = c.xid OFFSET 0
    ) t
    WHERE {{where}} ORDER BY c.xid, c.id LIMIT $5::int
) t {WITH_CONTENT} ORDER BY t.change_xid, t.id
"""
Position = tuple[int, str]
"""Transaction and touchpoint of a change."""


class ChangeRows(NamedTuple):
    """`resume`: where reading goes on; None: nothing was read. `has_more`: whether there may be more behind it now."""

    rows: list[Row]
    resume: Position | None
    has_more: bool


class ChangeQuery:
    """A page of at most `limit` changes after a position, else since `wanted.changed_since`, else from the beginning."""

    def __init__(self, wanted: TouchpointFilter, after: Position | None, limit: int) -> None:
        self._wanted = wanted
        self._after = after
        self._limit = limit

    def write_bounds(self) -> tuple[str, list[object]]:
        """The statement that finds the first and the last change that the page reads, and its parameters."""
        if self._after is not None:
            return READ.format(begin=AFTER), [str(self._after[0]), self._after[1]]
        if self._wanted.changed_since is not None:
            return READ.format(begin=f"c.xid >= {FIRST_SINCE}"), [self._wanted.changed_since]
        return READ.format(begin="true"), []

    def write_page(self, first: Position, last: Position) -> tuple[str, list[object]]:
        """The statement of the page, which reads the changes from `first` to `last`, and its parameters."""
        values = [str(first[0]), first[1], str(last[0]), last[1], self._limit]
        where, more = self._conditions(len(values) + 1)
        return PAGE.format(where=where), [*values, *more]

    def _conditions(self, first: int) -> tuple[str, list[object]]:
        wanted = self._wanted
        # After a cursor nothing is left out by its time: a change may be written with an earlier one.
        since = wanted.changed_since if self._after is None else None
        conditions: list[tuple[str, object]] = [
            ("c.changed_at >= ${}", since),
            ("t.account_id = ${}", wanted.account_id),
            ("t.csm_id = ${}", wanted.csm_id),
            ("t.type = ${}", wanted.type),
            ("t.status = ANY(${})", sorted(wanted.statuses) or None),
            ("t.due_at >= ${}", wanted.start_at),
            ("t.due_at < ${}", wanted.end_at),
        ]
        named = [(clause, value) for clause, value in conditions if value is not None]
        clauses = [clause.format(number) for number, (clause, _) in enumerate(named, first)]
        if wanted.unowned:
            clauses.append(f"{LED} AND (t.csm_id IS NULL OR t.csm_id IN (SELECT csm_id FROM {UNDESCRIBED}))")
        return " AND ".join(clauses) or "true", [value for _, value in named]


async def read_changes(
    database: Database, wanted: TouchpointFilter, after: Position | None, limit: int
) -> ChangeRows:
    """The changes of a page, in the order of commit."""
    query = ChangeQuery(wanted, after, limit)
    async with database.transaction() as connection:
        # The best index depends on the values: a plan for any value may sort the whole feed.
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        statement, values = query.write_bounds()
        read = await connection.fetchrow(statement, *values)
        if read is None:
            return ChangeRows([], after, has_more=False)
        first, last, has_more = (read[0], read[1]), (read[2], read[3]), read[4] == MOST_READ
        statement, values = query.write_page(first, last)
        rows = await connection.fetch(statement, *values)
    if len(rows) == limit:
        last_shown = (rows[-1]["change"], str(rows[-1]["id"]))
        return ChangeRows(rows, last_shown, has_more or last_shown < last)
    return ChangeRows(rows, last, has_more)
