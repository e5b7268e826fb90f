"""Touchpoints and rhythms as rows. All statements take arrays, so that a batch is one round trip.

Some columns keep older names: `face` is the content, `lapses_at` the moment a touchpoint becomes overdue, `verdict`
the text of its cancellation or, without a closure, of its shift.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Final

import orjson
from pydantic import TypeAdapter

from schemas.standing import TouchpointContent
from schemas.times import format_instant
from services.calendar.recurrence import FormerMoments, Series
from services.calendar.touchpoint import (
    OPEN,
    Cancellation,
    Closure,
    Origin,
    RecordedOutcome,
    Status,
    Touchpoint,
)
from services.chassis.tracing import traces
from services.scheduler.application.ports import CalendarAccount, StoredTouchpoint, TouchpointUpdate

# What is first in a queue is found by its keys, whatever the planner chooses for a table of this size.
BY_KEYS = "SET LOCAL enable_seqscan = off; SET LOCAL enable_hashjoin = off; SET LOCAL enable_mergejoin = off"
COLUMNS = """t.id::text AS id, t.account_id, t.type, t.origin, t.due_at, t.start_at, t.end_at, t.deadline, t.owner,
t.status, t.csm_id, t.minutes, t.number, t.pinned, t.sequence, t.released_at, t.closure, t.verdict, t.outcome,
t.outcome_time, t.outcome_source, t.outcome_id, t.outcome_notes, t.follows::text AS follows,
t.group_id::text AS group_id, t.move_reason, t.earliest_at, t.latest_at, t.soft_days"""
"""The first columns of a touchpoint that is read, up to `released_at` in the order of its fields."""

NAMES: Final = (
    "id", "account_id", "type", "origin", "number", "status", "due_at", "released_at", "start_at", "end_at",
    "deadline", "lapses_at", "owner", "csm_id", "minutes", "pinned", "sequence", "closure", "verdict", "outcome",
    "outcome_time", "outcome_source", "outcome_id", "outcome_notes", "follows", "face", "group_id", "move_reason",
    "earliest_at", "latest_at", "soft_days", "changed_at", "change_xid",
)  # fmt: skip
"""All columns of a touchpoint, in the calendar and in the archive."""

SAVE = f"""
INSERT INTO touchpoint AS t ({", ".join(NAMES[:-1])})
SELECT u.*, $32::timestamptz FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[],
    $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[],
    $12::timestamptz[], $13::text[], $14::text[], $15::int[], $16::boolean[], $17::int[], $18::text[],
    $19::text[], $20::text[], $21::timestamptz[], $22::text[], $23::text[], $24::text[], $25::uuid[],
    $26::jsonb[], $27::uuid[], $28::text[], $29::timestamptz[], $30::timestamptz[], $31::int[]) u
ON CONFLICT (id) DO UPDATE SET
    status = excluded.status, due_at = excluded.due_at, released_at = excluded.released_at,
    start_at = excluded.start_at, end_at = excluded.end_at, deadline = excluded.deadline,
    lapses_at = excluded.lapses_at, owner = excluded.owner, csm_id = excluded.csm_id,
    minutes = excluded.minutes, pinned = excluded.pinned, sequence = excluded.sequence,
    closure = excluded.closure, verdict = excluded.verdict, outcome = excluded.outcome,
    outcome_time = excluded.outcome_time, outcome_source = excluded.outcome_source,
    outcome_id = excluded.outcome_id, outcome_notes = excluded.outcome_notes, follows = excluded.follows,
    face = excluded.face, group_id = excluded.group_id, move_reason = excluded.move_reason,
    earliest_at = excluded.earliest_at, latest_at = excluded.latest_at, soft_days = excluded.soft_days,
    changed_at = excluded.changed_at, change_xid = pg_current_xact_id()
WHERE t.account_id = excluded.account_id
"""

DELETE_TIMES = """
WITH planned AS (
    DELETE FROM agenda a USING touchpoint t WHERE t.id = ANY($1::uuid[]) AND a.at = t.due_at AND a.id = t.id
), due AS (
    DELETE FROM due_touchpoint d USING touchpoint t WHERE t.id = ANY($1::uuid[]) AND d.due_at = t.due_at AND d.id = t.id
), closed AS (
    DELETE FROM closed_touchpoint c USING touchpoint t
    WHERE t.id = ANY($1::uuid[]) AND c.status = t.status AND c.due_at = t.due_at AND c.id = t.id
)
DELETE FROM lapsing l USING touchpoint t WHERE t.id = ANY($1::uuid[]) AND l.at = t.lapses_at AND l.id = t.id
"""
SAVE_TIMES = """
WITH planned AS (
    INSERT INTO agenda (at, id, trace) SELECT * FROM unnest($1::timestamptz[], $2::uuid[], $9::text[])
    ON CONFLICT DO NOTHING
), owed AS (
    INSERT INTO lapsing (at, id) SELECT * FROM unnest($3::timestamptz[], $4::uuid[]) ON CONFLICT DO NOTHING
), due AS (
    INSERT INTO due_touchpoint (due_at, id, csm_id, type) SELECT due_at, id, csm_id, type FROM touchpoint
    WHERE id = ANY($5::uuid[]) ON CONFLICT DO NOTHING
), closed AS (
    INSERT INTO closed_touchpoint (status, due_at, id, type) SELECT status, due_at, id, type FROM touchpoint
    WHERE id = ANY($6::uuid[]) ON CONFLICT DO NOTHING
)
INSERT INTO change (xid, id, changed_at)
SELECT pg_current_xact_id(), id, $8::timestamptz FROM unnest($7::uuid[]) id ON CONFLICT DO NOTHING
"""

SAVE_RHYTHMS = """
INSERT INTO rhythm (account_id, type, every_days, anchor_at, until_at, last_number, active, owner, csm_id,
    minutes, face, left_out, former, phase_from, phase_to, rrule)
SELECT u.account_id, u.type, u.every_days, u.anchor_at, u.until_at, u.last_number, u.active, u.owner, u.csm_id,
    u.minutes, u.face, string_to_array(u.left_out, ' ')::timestamptz[], u.former, u.phase_from, u.phase_to, u.rrule
FROM unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::int[], $7::boolean[],
    $8::text[], $9::text[], $10::int[], $11::jsonb[], $12::text[], $13::jsonb[], $14::timestamptz[],
    $15::timestamptz[], $16::text[])
    u(account_id, type, every_days, anchor_at, until_at, last_number, active, owner, csm_id, minutes, face, left_out,
      former, phase_from, phase_to, rrule)
ON CONFLICT (account_id, type) DO UPDATE SET
    every_days = excluded.every_days, anchor_at = excluded.anchor_at, until_at = excluded.until_at,
    last_number = excluded.last_number, active = excluded.active, owner = excluded.owner,
    csm_id = excluded.csm_id, minutes = excluded.minutes, face = excluded.face, left_out = excluded.left_out,
    former = excluded.former, phase_from = excluded.phase_from, phase_to = excluded.phase_to, rrule = excluded.rrule
"""

FIND = f"""
SELECT {COLUMNS}, t.face, r.face AS rhythm_face FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
WHERE t.id = ANY($1::uuid[]) ORDER BY t.id FOR UPDATE OF t
"""
# Locked in the order of ids with one statement: two people who act on one group do not wait for each other in a cycle.
FIND_TOGETHER = f"""
SELECT {COLUMNS}, t.face, r.face AS rhythm_face FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
WHERE t.id = $1 OR t.id IN (
    SELECT o.id FROM touchpoint n JOIN touchpoint o ON o.group_id = n.group_id AND o.account_id = n.account_id
    WHERE n.id = $1 AND n.status IN ('planned', 'due', 'overdue') AND o.status IN ('planned', 'due', 'overdue'))
ORDER BY t.id FOR UPDATE OF t
"""
FIND_OPEN = f"""
SELECT {COLUMNS}, t.face, r.face AS rhythm_face FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
JOIN (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) k(account_id, type)) k
    ON t.account_id = k.account_id AND t.type = k.type
WHERE t.status IN ('due', 'overdue') ORDER BY t.id FOR UPDATE OF t
"""

FORMER = TypeAdapter(tuple[FormerMoments, ...])
Row = Any  # an asyncpg record: columns by name


def read_account(row: Row) -> CalendarAccount:
    """An account from the fields of `CalendarAccount` in their order."""
    return CalendarAccount(*row[:12], handovers=orjson.loads(row[12]))


def read_content(text: str) -> TouchpointContent:
    return TouchpointContent.model_validate_json(text)


def write_content(content: TouchpointContent) -> str:
    return content.write().decode()


def read_touchpoint(row: Row, content: TouchpointContent | None = None) -> Touchpoint:
    """A touchpoint from its first columns, with its own content where it has one."""
    closure, text = row["closure"], row["verdict"]
    cancellation = None if closure is None else Cancellation(Closure(closure), text)
    outcome = None if row["outcome"] is None else read_outcome(row)
    first = (*row[:3], Origin(row[3]), *row[4:9], Status(row[9]), *row[10:16])
    shift = text if closure is None else None
    window = (row["earliest_at"], row["latest_at"], row["soft_days"])
    last = (row["follows"], shift, row["group_id"], row["move_reason"], *window)
    return Touchpoint._make((*first, content, cancellation, outcome, *last))


def read_stored(row: Row) -> StoredTouchpoint:
    """A touchpoint from its columns, its `face` and the `rhythm_face` that it has while that is None."""
    own = None if row["face"] is None else read_content(row["face"])
    return StoredTouchpoint(read_touchpoint(row, own), own or read_content(row["rhythm_face"]))


def read_outcome(row: Row) -> RecordedOutcome:
    return RecordedOutcome(
        row["outcome"], row["outcome_time"], row["outcome_source"], row["outcome_id"], row["outcome_notes"]
    )


def read_series(row: Row) -> Series:
    return Series(
        type=row["type"],
        every_days=row["every_days"],
        anchor=row["anchor_at"],
        until=row["until_at"],
        last_number=row["last_number"],
        active=row["active"],
        content=read_content(row["face"]),
        owner=row["owner"],
        csm_id=row["csm_id"],
        minutes=row["minutes"],
        left_out=tuple(row["left_out"]),
        former=FORMER.validate_json(row["former"]),
        phase=None if row["phase_from"] is None else (row["phase_from"], row["phase_to"]),
        rrule=row["rrule"],
    )


def columns_of(values: Iterable[Sequence[object]]) -> list[list[object]]:
    """Rows of values as the arrays of a statement, one for each column."""
    return [list(column) for column in zip(*values, strict=True)]


def time_columns(updates: Sequence[TouchpointUpdate]) -> tuple[list[object], ...]:
    """The first arrays of SAVE_TIMES: when and which planned ones come due, and owed ones become overdue; which came due,
    and which are closed.
    """
    touchpoints = [update.touchpoint for update in updates]
    planned = [touchpoint for touchpoint in touchpoints if touchpoint.status is Status.PLANNED]
    owed = [
        touchpoint
        for touchpoint in touchpoints
        if touchpoint.status in (Status.PLANNED, Status.DUE)
        and touchpoint.is_led_by_person
        and touchpoint.overdue_at
    ]
    return (
        [touchpoint.due_at for touchpoint in planned],
        [touchpoint.id for touchpoint in planned],
        [touchpoint.overdue_at for touchpoint in owed],
        [touchpoint.id for touchpoint in owed],
        [touchpoint.id for touchpoint in touchpoints if touchpoint.status in (Status.DUE, Status.OVERDUE)],
        [touchpoint.id for touchpoint in touchpoints if touchpoint.status not in OPEN],
    )


def traces_of_planned(updates: Sequence[TouchpointUpdate]) -> list[str | None]:
    """The last array of SAVE_TIMES: the traces in which planned ones come due."""
    touchpoints = [update.touchpoint for update in updates]
    return traces().carriers(
        [touchpoint.account_id for touchpoint in touchpoints if touchpoint.status is Status.PLANNED]
    )


def touchpoint_values(update: TouchpointUpdate) -> tuple[object, ...]:
    """One row of SAVE."""
    touchpoint = update.touchpoint
    cancellation, outcome = touchpoint.cancellation, touchpoint.outcome
    is_open_occurrence = touchpoint.origin is Origin.RHYTHM and touchpoint.status in OPEN
    shares_content = is_open_occurrence and touchpoint.content is None
    outcome_values = (None,) * 5
    if outcome is not None:
        outcome_values = (outcome.kind, outcome.time, outcome.source, outcome.id, outcome.notes)
    return (
        touchpoint.id, touchpoint.account_id, touchpoint.type, touchpoint.origin, touchpoint.number,
        touchpoint.status, touchpoint.due_at, touchpoint.released_at, touchpoint.start_at, touchpoint.end_at,
        touchpoint.deadline, touchpoint.overdue_at, touchpoint.owner, touchpoint.csm_id, touchpoint.minutes,
        touchpoint.pinned, touchpoint.sequence, None if cancellation is None else cancellation.closure,
        touchpoint.shift if cancellation is None else cancellation.text, *outcome_values, touchpoint.follows,
        None if shares_content else write_content(update.content), touchpoint.group, touchpoint.move_reason,
        touchpoint.earliest_at, touchpoint.latest_at, touchpoint.soft_days,
    )  # fmt: skip


def rhythm_values(account_id: str, series: Series) -> tuple[object, ...]:
    """One row of SAVE_RHYTHMS; an array within an array travels as a text."""
    return (
        account_id, series.type, series.every_days, series.anchor, series.until, series.last_number, series.active,
        series.owner, series.csm_id, series.minutes, write_content(series.content),
        " ".join(map(format_instant, series.left_out)), FORMER.dump_json(series.former).decode(),
        *(series.phase or (None, None)),
        series.rrule,
    )  # fmt: skip
