"""Programs as they were announced, read into what `decide` may know: an audience is a condition somebody wrote."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

import orjson
import structlog
from prometheus_client import Gauge

from services.chassis.database import Connection, Database
from services.rules_engine.domain.book import Program, ProgramKind
from services.rules_engine.domain.compile import compile_condition
from services.rules_engine.domain.facts import Held, Mark, micros, moment, when
from services.rules_engine.domain.language.checker import check
from services.rules_engine.domain.language.parser import parse
from services.rules_engine.domain.language.tree import Fault, Node, names
from services.rules_engine.domain.vocabulary.registry import scope

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


@dataclass(frozen=True, slots=True)
class Announced:
    """A program and its audience as written; `error` says why that cannot be read."""

    program: Program
    audience: str | None
    error: str | None


def audience_of(text: str) -> tuple[Node | None, str | None]:
    """The checked condition, or everything that is wrong with it, each with its place in the text (from 1)."""
    try:
        tree = parse(text)
        faults = check(tree, scope())
    except Fault as fault:
        tree, faults = None, [fault]
    if not faults:
        return tree, None
    return None, "; ".join(f"character {fault.at + 1}: {fault.message}" for fault in faults[:10])


def happens_at(held: Held) -> int:
    """When a program takes place, in microseconds; one that never said so was announced when it mattered."""
    said = _known(held).get("at")
    return micros(datetime.fromisoformat(said)) if isinstance(said, str) else when(max(held))


def announced(program_id: str, state: bytes) -> Announced:
    held = cast("Held", orjson.loads(state))
    known = _known(held)
    written = known.get("audience")
    text = written if isinstance(written, str) and written.strip() else None
    tree, error = audience_of(text) if text is not None else (None, None)
    program = Program(
        id=program_id,
        kind=cast("ProgramKind | None", known.get("kind")),
        at=happens_at(held),
        title=str(known.get("title") or ""),
        meaningful=known.get("meaningful") is True,
        audience=compile_condition(tree) if tree is not None else None,
        reads=frozenset(names(tree)) if tree is not None else frozenset(),
        mark=_newest(held),
    )
    return Announced(program, text, error)


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


class SqlPrograms:
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


def _known(held: Held) -> dict[str, object]:
    return {
        name: cast("object", orjson.loads(str(value)))
        for fields in held.values()
        for name, value in fields.items()
    }


def _newest(held: Held) -> Mark:
    marks: Sequence[Mark] = sorted(held)
    return marks[-1]
