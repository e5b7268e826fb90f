"""Programs as they were announced, read into what `decide` may know: an audience is a condition somebody wrote."""

from datetime import datetime, timedelta

import structlog
from prometheus_client import Gauge

from services.cadence.account import moment
from services.cadence.announcements import Announced, announced
from services.cadence.portfolio import Program
from services.chassis.database import Connection, Database

log = structlog.get_logger(__name__)

REMEMBERED = timedelta(days=60)
MOST = 500
UNREADABLE = Gauge(
    "drumbeat_programs_unreadable", "Programs that reach nobody: their audience cannot be read"
)
LEFT_OUT = Gauge(
    "drumbeat_programs_left_out", "Programs that reach nobody, for 500 others are nearer in time"
)
# The nearest: what is announced for a far future must not hide what is next. Told in an order that stays: the same ones
# in another would be another plan.
NEAREST = """
SELECT program_id, state FROM (
    SELECT program_id, state, at FROM program WHERE at >= $1
    ORDER BY abs(extract(epoch FROM at - $2)), program_id LIMIT $3
) AS nearest ORDER BY at, program_id
"""
MATTERING = "SELECT count(*) FROM program WHERE at >= $1"
LISTED = """
SELECT program_id, state FROM program WHERE $1::timestamptz IS NULL OR (at, program_id) < ($1, $2)
ORDER BY at DESC, program_id DESC LIMIT $3
"""


async def read_programs(connection: Connection, now: datetime) -> tuple[Program, ...]:
    """The nearest `MOST` that can still matter, in order of time; without those whose audience cannot be read."""
    since = now - REMEMBERED
    rows = await connection.fetch(NEAREST, since, now, MOST)
    mattering = len(rows) if len(rows) < MOST else await connection.fetchval(MATTERING, since)
    LEFT_OUT.set(mattering - len(rows))
    found = [announced(row[0], row[1]) for row in rows]
    wrong = [each for each in found if each.error is not None]
    UNREADABLE.set(len(wrong))
    for each in wrong:
        log.warning("program.audience_unreadable", program=each.program.id, error=each.error)
    return tuple(each.program for each in found if each.error is None)


class ProgramRepository:
    """The programs there are, with what is wrong with them."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def programs(self, *, before: tuple[datetime, str] | None, limit: int) -> list[dict[str, object]]:
        at, program_id = before or (None, None)
        rows = await self._database.pool.fetch(LISTED, at, program_id, limit)
        return [_shown(announced(row[0], row[1])) for row in rows]


def _shown(each: Announced) -> dict[str, object]:
    program = each.program
    return {
        "program_id": program.id,
        "kind": program.kind,
        "at": moment(program.at),
        "title": program.title or None,
        "meaningful": program.meaningful,
        "audience": each.audience,
        "error": each.error,
    }
