"""Touchpoints and rhythms as rows. All statements take arrays, so that a batch is one round trip."""

from collections.abc import Sequence
from typing import Any

import orjson

from services.scheduler.application.ports import Kept
from services.scheduler.domain.recurrence import Series
from services.scheduler.domain.touchpoint import (
    HUMAN,
    OPEN,
    Closure,
    Face,
    Origin,
    Outcome,
    Owner,
    Status,
    Touchpoint,
    Verdict,
)

COLUMNS = """t.id::text AS id, t.account_id, t.type, t.origin, t.number, t.status, t.due_at, t.released_at,
t.start_at, t.end_at, t.deadline, t.owner, t.csm_id, t.minutes, t.pinned, t.sequence, t.closure, t.verdict,
t.outcome, t.outcome_time, t.outcome_source, t.outcome_id, t.outcome_notes, t.follows::text AS follows, t.face"""

KEEP = """
INSERT INTO touchpoint AS t (id, account_id, type, origin, number, status, due_at, released_at, start_at, end_at,
    deadline, lapses_at, owner, csm_id, minutes, pinned, sequence, closure, verdict, outcome, outcome_time,
    outcome_source, outcome_id, outcome_notes, follows, face, changed_at)
SELECT u.*, $27::timestamptz FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::int[], $6::text[],
    $7::timestamptz[], $8::timestamptz[], $9::timestamptz[], $10::timestamptz[], $11::timestamptz[],
    $12::timestamptz[], $13::text[], $14::text[], $15::int[], $16::boolean[], $17::int[], $18::text[],
    $19::text[], $20::text[], $21::timestamptz[], $22::text[], $23::text[], $24::text[], $25::uuid[],
    $26::text[]) u
ON CONFLICT (id) DO UPDATE SET
    status = excluded.status, due_at = excluded.due_at, released_at = excluded.released_at,
    start_at = excluded.start_at, end_at = excluded.end_at, deadline = excluded.deadline,
    lapses_at = excluded.lapses_at, owner = excluded.owner, csm_id = excluded.csm_id,
    minutes = excluded.minutes, pinned = excluded.pinned, sequence = excluded.sequence,
    closure = excluded.closure, verdict = excluded.verdict, outcome = excluded.outcome,
    outcome_time = excluded.outcome_time, outcome_source = excluded.outcome_source,
    outcome_id = excluded.outcome_id, outcome_notes = excluded.outcome_notes, follows = excluded.follows,
    face = excluded.face, changed_at = excluded.changed_at, change_xid = pg_current_xact_id()
WHERE t.account_id = excluded.account_id
"""

FORGET_TIMES = """
WITH planned AS (
    DELETE FROM agenda a USING touchpoint t WHERE t.id = ANY($1::uuid[]) AND a.at = t.due_at AND a.id = t.id
)
DELETE FROM lapsing l USING touchpoint t WHERE t.id = ANY($1::uuid[]) AND l.at = t.lapses_at AND l.id = t.id
"""
KEEP_TIMES = """
WITH planned AS (
    INSERT INTO agenda (at, id) SELECT * FROM unnest($1::timestamptz[], $2::uuid[]) ON CONFLICT DO NOTHING
), owed AS (
    INSERT INTO lapsing (at, id) SELECT * FROM unnest($3::timestamptz[], $4::uuid[]) ON CONFLICT DO NOTHING
)
INSERT INTO change (xid, id, changed_at)
SELECT pg_current_xact_id(), id, $6::timestamptz FROM unnest($5::uuid[]) id ON CONFLICT DO NOTHING
"""

KEEP_RHYTHMS = """
INSERT INTO rhythm (account_id, type, every_days, anchor_at, until_at, last_number, active, owner, csm_id,
    minutes, face, left_out)
SELECT u.account_id, u.type, u.every_days, u.anchor_at, u.until_at, u.last_number, u.active, u.owner, u.csm_id,
    u.minutes, u.face, u.left_out::timestamptz[]
FROM unnest($1::text[], $2::text[], $3::int[], $4::timestamptz[], $5::timestamptz[], $6::int[], $7::boolean[],
    $8::text[], $9::text[], $10::int[], $11::text[], $12::text[])
    u(account_id, type, every_days, anchor_at, until_at, last_number, active, owner, csm_id, minutes, face, left_out)
ON CONFLICT (account_id, type) DO UPDATE SET
    every_days = excluded.every_days, anchor_at = excluded.anchor_at, until_at = excluded.until_at,
    last_number = excluded.last_number, active = excluded.active, owner = excluded.owner,
    csm_id = excluded.csm_id, minutes = excluded.minutes, face = excluded.face, left_out = excluded.left_out
"""

REASON = ',"reason":'

Row = Any  # an asyncpg record: columns by name


def fragment(face: Face) -> str:
    """A face as members of a JSON object, the reason last, ready to be joined to the rest of an event."""
    members = {
        "channel": face.channel,
        "purpose": face.purpose,
        "topic": face.topic,
        "audience": face.audience,
    }
    return orjson.dumps(members)[1:-1].decode() + REASON + face.reason


def face_of(text: str) -> Face:
    members, _, reason = text.partition(REASON)
    read = orjson.loads("{" + members + "}")
    return Face(read["channel"], read["purpose"], read["topic"], tuple(read["audience"]), reason)


def touchpoint_of(row: Row) -> Touchpoint:
    """A touchpoint from its columns; its face is parsed only where it has one of its own.

    The text of a verdict without a closure is why it was moved out of a time to avoid.
    """
    verdict = None if row["closure"] is None else Verdict(Closure(row["closure"]), row["verdict"])
    return Touchpoint(
        id=row["id"],
        account_id=row["account_id"],
        type=row["type"],
        origin=Origin(row["origin"]),
        status=Status(row["status"]),
        due_at=row["due_at"],
        start=row["start_at"],
        end=row["end_at"],
        deadline=row["deadline"],
        owner=Owner(row["owner"]),
        csm_id=row["csm_id"],
        minutes=row["minutes"],
        number=row["number"],
        pinned=row["pinned"],
        sequence=row["sequence"],
        released_at=row["released_at"],
        face=None if row["face"] is None else face_of(row["face"]),
        verdict=verdict,
        outcome=None if row["outcome"] is None else outcome_of(row),
        follows=row["follows"],
        shift=row["verdict"] if verdict is None else None,
    )


def outcome_of(row: Row) -> Outcome:
    return Outcome(
        row["outcome"], row["outcome_time"], row["outcome_source"], row["outcome_id"], row["outcome_notes"]
    )


def series_of(row: Row) -> Series:
    return Series(
        type=row["type"],
        every_days=row["every_days"],
        anchor=row["anchor_at"],
        until=row["until_at"],
        last_number=row["last_number"],
        active=row["active"],
        face=face_of(row["face"]),
        owner=Owner(row["owner"]),
        csm_id=row["csm_id"],
        minutes=row["minutes"],
        left_out=tuple(row["left_out"]),
    )


def times_of(kept: Sequence[Kept]) -> tuple[list[object], ...]:
    """The first arrays of KEEP_TIMES: when and which planned ones come due, and owed ones lapse."""
    touchpoints = [each.touchpoint for each in kept]
    planned = [each for each in touchpoints if each.status is Status.PLANNED]
    open_ones = (each for each in touchpoints if each.status in (Status.PLANNED, Status.DUE))
    owed = [each for each in open_ones if each.owner in HUMAN and each.lapses_at is not None]
    return (
        [each.due_at for each in planned],
        [each.id for each in planned],
        [each.lapses_at for each in owed],
        [each.id for each in owed],
    )


def columns_of(kept: Sequence[Kept]) -> list[list[object]]:
    """The arrays of KEEP, one for each column."""
    return [list(column) for column in zip(*(_values(each) for each in kept), strict=True)]


def _values(kept: Kept) -> tuple[object, ...]:
    each = kept.touchpoint
    spoken_for = each.origin is Origin.RHYTHM and each.face is None and each.status in OPEN
    verdict, outcome = each.verdict, each.outcome
    said = (None,) * 5
    if outcome is not None:
        said = (outcome.kind, outcome.time, outcome.source, outcome.id, outcome.notes)
    return (
        each.id, each.account_id, each.type, each.origin, each.number, each.status, each.due_at, each.released_at,
        each.start, each.end, each.deadline, each.lapses_at, each.owner, each.csm_id, each.minutes, each.pinned,
        each.sequence, None if verdict is None else verdict.closure, each.shift if verdict is None else verdict.text,
        *said, each.follows, None if spoken_for else fragment(kept.face),
    )  # fmt: skip


def rhythm_columns(rhythms: Sequence[tuple[str, Series]]) -> list[list[object]]:
    """The arrays of KEEP_RHYTHMS."""
    values = [
        (
            account_id, each.type, each.every_days, each.anchor, each.until, each.last_number, each.active,
            each.owner, each.csm_id, each.minutes, fragment(each.face),
            "{" + ",".join(moment.isoformat() for moment in each.left_out) + "}",
        )
        for account_id, each in rhythms
    ]  # fmt: skip
    return [list(column) for column in zip(*values, strict=True)]
