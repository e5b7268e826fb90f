"""Stored programs: those that evaluation may read, and all of them with what is wrong with their audience."""

from datetime import datetime, timedelta

import structlog

from services.cadence.account import moment
from services.cadence.announcements import Announced, announced
from services.cadence.portfolio import Program
from services.chassis.database import Connection, Database
from services.rules_engine.metrics import PROGRAMS_LEFT_OUT, PROGRAMS_UNREADABLE

log = structlog.get_logger(__name__)

RELEVANT_FOR = timedelta(days=60)
MOST_PROGRAMS = 500
# The nearest: what is announced for the far future must not hide what is next. In a stable order: another order of the
# same programs would be another plan.
NEAREST = """
SELECT program_id, state FROM (
    SELECT program_id, state, at FROM program WHERE at >= $1
    ORDER BY abs(extract(epoch FROM at - $2)), program_id LIMIT $3
) AS nearest ORDER BY at, program_id
"""
RELEVANT = "SELECT count(*) FROM program WHERE at >= $1"
LISTED = """
SELECT program_id, state FROM program WHERE $1::timestamptz IS NULL OR (at, program_id) < ($1, $2)
ORDER BY at DESC, program_id DESC LIMIT $3
"""


async def read_programs(connection: Connection, now: datetime) -> tuple[Program, ...]:
    """The nearest `MOST_PROGRAMS` that still matter, in order of time; without those whose audience is unreadable."""
    since = now - RELEVANT_FOR
    rows = await connection.fetch(NEAREST, since, now, MOST_PROGRAMS)
    relevant = len(rows) if len(rows) < MOST_PROGRAMS else await connection.fetchval(RELEVANT, since)
    PROGRAMS_LEFT_OUT.set(relevant - len(rows))
    programs = [announced(row[0], row[1]) for row in rows]
    unreadable = [program for program in programs if program.error is not None]
    PROGRAMS_UNREADABLE.set(len(unreadable))
    for program in unreadable:
        log.warning("program.audience_unreadable", program=program.program.id, error=program.error)
    return tuple(program.program for program in programs if program.error is None)


async def list_programs(
    database: Database, before: tuple[datetime, str] | None, limit: int
) -> list[dict[str, object]]:
    """All programs, with what is wrong with them: newest first, those after a moment and an id."""
    at, program_id = before or (None, None)
    rows = await database.pool.fetch(LISTED, at, program_id, limit)
    return [_document(announced(row[0], row[1])) for row in rows]


def _document(announced: Announced) -> dict[str, object]:
    program = announced.program
    return {
        "program_id": program.id,
        "kind": program.kind,
        "at": moment(program.at),
        "title": program.title or None,
        "meaningful": program.meaningful,
        "audience": announced.audience,
        "error": announced.error,
    }
