"""The calendar in one PostgreSQL transaction: locked, read, kept and told as whole batches."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from services.chassis.database import Connection
from services.chassis.outbox import Outbox
from services.scheduler.adapters.events import kept_events, settled_event
from services.scheduler.adapters.people import csm_hours, emails_of
from services.scheduler.adapters.rows import (
    COLUMNS,
    FORGET_TIMES,
    KEEP,
    KEEP_RHYTHMS,
    KEEP_TIMES,
    Row,
    columns_of,
    face_of,
    fragment,
    outcome_of,
    rhythm_columns,
    series_of,
    times_of,
    touchpoint_of,
)
from services.scheduler.application.ports import Account, Found, Kept, Page, Reworded
from services.scheduler.domain.calendar import Hours
from services.scheduler.domain.plan import Held, Plan
from services.scheduler.domain.recurrence import Series
from services.scheduler.domain.touchpoint import Outcome, Touchpoint

LONG_AGO = timedelta(days=400)  # no spacing and no interval looks further back for the last of a type

ENROL = """
INSERT INTO account_calendar (account_id) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING
"""
LOCK = """
SELECT account_id, version, shape, timezone, csm_id FROM account_calendar WHERE account_id = ANY($1::text[])
ORDER BY account_id FOR UPDATE
"""
HELD = f"""
SELECT {COLUMNS} FROM touchpoint t
WHERE (t.account_id = ANY($1::text[]) AND t.status IN ('planned', 'due', 'overdue')) OR t.id = ANY($2::uuid[])
ORDER BY t.id FOR UPDATE
"""
SERIES = "SELECT * FROM rhythm WHERE account_id = ANY($1::text[])"
LAST_DUE = """
SELECT account_id, type, max(due_at) AS due_at FROM touchpoint
WHERE account_id = ANY($1::text[]) AND due_at > $2 AND released_at IS NOT NULL GROUP BY account_id, type
"""
KEEP_ACCOUNTS = """
UPDATE account_calendar a SET version = greatest(a.version, u.version), plan = u.plan, shape = u.shape,
    extend_at = u.extend_at
FROM unnest($1::text[], $2::bigint[], $3::bytea[], $4::bytea[], $5::timestamptz[])
    u(account_id, version, plan, shape, extend_at)
WHERE a.account_id = u.account_id
"""
KEEP_LETTERS = """
UPDATE account_calendar a SET version = u.version, plan = u.plan
FROM unnest($1::text[], $2::bigint[], $3::bytea[]) u(account_id, version, plan) WHERE a.account_id = u.account_id
"""
KEEP_FACES = """
UPDATE rhythm r SET face = u.face FROM unnest($1::text[], $2::text[], $3::text[]) u(account_id, type, face)
WHERE r.account_id = u.account_id AND r.type = u.type AND r.face <> u.face
"""
FREEZE = """
UPDATE touchpoint t SET face = r.face
FROM unnest($1::text[], $2::text[], $3::text[]) u(account_id, type, face)
JOIN rhythm r ON r.account_id = u.account_id AND r.type = u.type AND r.face <> u.face
WHERE t.account_id = u.account_id AND t.type = u.type AND t.origin = 'rhythm' AND t.face IS NULL
    AND t.status IN ('due', 'overdue')
"""
FIND = f"""
SELECT {COLUMNS}, r.face AS rhythm_face FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
WHERE t.id = ANY($1::uuid[]) ORDER BY t.id FOR UPDATE OF t
"""
FIND_OPEN = f"""
SELECT {COLUMNS}, r.face AS rhythm_face FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
JOIN (SELECT DISTINCT * FROM unnest($1::text[], $2::text[]) k(account_id, type)) k
    ON t.account_id = k.account_id AND t.type = k.type
WHERE t.status IN ('due', 'overdue') ORDER BY t.id FOR UPDATE OF t
"""
REMEMBER_EARLY = """
INSERT INTO early_outcome AS e
    (touchpoint_id, account_id, outcome, outcome_time, outcome_source, outcome_id, outcome_notes)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::text[], $7::text[])
ON CONFLICT (touchpoint_id) DO UPDATE SET account_id = excluded.account_id, outcome = excluded.outcome,
    outcome_time = excluded.outcome_time, outcome_source = excluded.outcome_source,
    outcome_id = excluded.outcome_id, outcome_notes = excluded.outcome_notes
WHERE (e.outcome_time, e.outcome_source, e.outcome_id)
    < (excluded.outcome_time, excluded.outcome_source, excluded.outcome_id)
"""
TAKE_EARLY = """
DELETE FROM early_outcome WHERE touchpoint_id = ANY($1::uuid[])
RETURNING touchpoint_id::text AS id, outcome, outcome_time, outcome_source, outcome_id, outcome_notes
"""


class PostgresCalendar:
    """Calendar and Ledger of the application, on one open transaction."""

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self._connection = connection
        self._outbox = outbox

    async def lock(self, account_ids: Collection[str]) -> Mapping[str, Account]:
        names = sorted(set(account_ids))
        await self._connection.execute(ENROL, names)
        rows = await self._connection.fetch(LOCK, names)
        return {row[0]: Account(row[0], row[1], row[2], row[3], row[4]) for row in rows}

    async def held(self, plans: Sequence[Plan], now: datetime) -> Mapping[str, Held]:
        names = [plan.account_id for plan in plans]
        one_offs = [each.id for plan in plans for each in plan.one_offs]
        touchpoints: dict[str, list[Touchpoint]] = defaultdict(list)
        for row in await self._connection.fetch(HELD, names, one_offs):
            touchpoints[row["account_id"]].append(touchpoint_of(row))
        series: dict[str, dict[str, Series]] = defaultdict(dict)
        for row in await self._connection.fetch(SERIES, names):
            series[row["account_id"]][row["type"]] = series_of(row)
        last_due: dict[str, dict[str, datetime]] = defaultdict(dict)
        for row in await self._connection.fetch(LAST_DUE, names, now - LONG_AGO):
            last_due[row[0]][row[1]] = row[2]
        return {name: Held(touchpoints[name], series[name], last_due[name]) for name in names}

    async def hours(self, csm_ids: Collection[str]) -> Mapping[str, Hours]:
        return await csm_hours(self._connection, csm_ids)

    async def keep_pages(self, pages: Sequence[Page], now: datetime) -> None:
        await self.keep([each for page in pages for each in page.touchpoints], now)
        rhythms = [(page.wish.plan.account_id, each) for page in pages for each in page.series]
        if rhythms:
            await self._freeze([(name, each.type, fragment(each.face)) for name, each in rhythms])
            await self._connection.execute(KEEP_RHYTHMS, *rhythm_columns(rhythms))
        await self._connection.execute(
            KEEP_ACCOUNTS,
            [page.wish.plan.account_id for page in pages],
            [page.wish.plan.version for page in pages],
            [page.wish.letter for page in pages],
            [page.shape for page in pages],
            [page.extend_at for page in pages],
        )

    async def keep_reworded(self, reworded: Sequence[Reworded]) -> None:
        if not reworded:
            return
        names = [each.wish.plan.account_id for each in reworded]
        versions = [each.wish.plan.version for each in reworded]
        letters = [each.wish.letter for each in reworded]
        await self._connection.execute(KEEP_LETTERS, names, versions, letters)
        faces = [
            (each.wish.plan.account_id, name, fragment(face))
            for each in reworded
            for name, face in each.faces.items()
        ]
        if faces:
            await self._freeze(faces)
            await self._connection.execute(KEEP_FACES, *map(list, zip(*faces, strict=True)))

    async def _freeze(self, faces: Sequence[tuple[str, str, str]]) -> None:
        """What has come due keeps the reason it came due for, when its rhythm gets another."""
        await self._connection.execute(FREEZE, *map(list, zip(*faces, strict=True)))

    async def keep(self, kept: Sequence[Kept], now: datetime) -> None:
        if not kept:
            return
        changed = [each.touchpoint.id for each in kept]
        known = [each.touchpoint.id for each in kept if each.touchpoint.sequence > 1 or each.tell is None]
        if known:
            await self._connection.execute(FORGET_TIMES, known)
        await self._connection.execute(KEEP, *columns_of(kept), now)
        await self._connection.execute(KEEP_TIMES, *times_of(kept), changed, now)
        people = {each.touchpoint.csm_id for each in kept if each.tell and each.touchpoint.csm_id}
        emails = await emails_of(self._connection, people)
        await self._outbox.append(self._connection, kept_events(kept, emails, now))

    async def find(self, ids: Collection[str]) -> Mapping[str, Found]:
        if not ids:
            return {}
        rows = await self._connection.fetch(FIND, sorted(set(ids)))
        return {row["id"]: _found(row) for row in rows}

    async def find_open(self, kinds: Collection[tuple[str, str]]) -> Sequence[Found]:
        accounts, types = [each[0] for each in kinds], [each[1] for each in kinds]
        return [_found(row) for row in await self._connection.fetch(FIND_OPEN, accounts, types)]

    async def remember_early(self, outcomes: Mapping[str, tuple[str, Outcome]]) -> None:
        if not outcomes:
            return
        values = [
            (name, account_id, each.kind, each.time, each.source, each.id, each.notes)
            for name, (account_id, each) in sorted(outcomes.items())
        ]
        await self._connection.execute(REMEMBER_EARLY, *map(list, zip(*values, strict=True)))

    async def take_early_outcomes(self, ids: Sequence[str]) -> Mapping[str, Outcome]:
        if not ids:
            return {}
        return {row["id"]: outcome_of(row) for row in await self._connection.fetch(TAKE_EARLY, ids)}

    async def tell_settled(self, touchpoint: Touchpoint, outcome: Outcome, to: datetime | None) -> None:
        await self._outbox.append(self._connection, [settled_event(touchpoint, outcome, to)])


def _found(row: Row) -> Found:
    touchpoint = touchpoint_of(row)
    return Found(touchpoint, touchpoint.face or face_of(row["rhythm_face"]))
