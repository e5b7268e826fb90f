"""The audit log in the engine's database: appended to in one chain, searched, verified, and shortened at its old end."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from datetime import timedelta
from typing import Any, cast

import orjson

from schemas.audit import AuditEntry
from services.chassis.database import Connection, Database, real_now
from services.rules_engine.application.read_audit import AuditFilter, Verification
from services.rules_engine.domain.audit_chain import ChainBroken, ChainedEntry, ChainEnd, follow_chain

BATCH = 2_000
COLUMNS = "seq, id, at, service, actor, action, object, before, after, detail"
LOCK = "SELECT last_seq, last_hash FROM audit_chain FOR UPDATE"
KNOWN = "SELECT id FROM audit_entry WHERE id = ANY($1)"
ADD = f"INSERT INTO audit_entry ({COLUMNS}, hash) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)"
EXTEND = "UPDATE audit_chain SET last_seq = $1, last_hash = $2"
# A session's actor begins with the id of its key or user. Names are looked up: the log itself has none of people.
NAMES = """
LEFT JOIN console_user AS u ON u.user_id = split_part(actor, '~', 1)
LEFT JOIN api_key AS k ON k.key_id = split_part(actor, '~', 1)
LEFT JOIN console_user AS o ON 'user/' || o.user_id = object
"""
NAMED = f"""
{COLUMNS}, encode(hash, 'hex') AS hash, coalesce(u.name, k.name) AS actor_name, o.name AS object_name
"""
OF_USER = """
split_part(actor, '~', 1) IN (
    SELECT user_id FROM console_user WHERE login = lower($2) OR email = lower($2) OR strpos(lower(name), lower($2)) > 0
)
"""
SEARCH = f"""
SELECT {NAMED} FROM audit_entry {NAMES}
WHERE seq < $1 AND ($2::text IS NULL OR starts_with(actor, $2) OR {OF_USER})
    AND ($3::text IS NULL OR starts_with(action, $3))
    AND ($4::text[] IS NULL OR object = ANY($4)) AND ($5::timestamptz IS NULL OR at >= $5)
    AND ($6::timestamptz IS NULL OR at < $6)
ORDER BY seq DESC LIMIT $7
"""
ENDS = "SELECT last_seq, last_hash, dropped_seq, dropped_hash FROM audit_chain"
ROWS = f"SELECT {COLUMNS}, hash FROM audit_entry WHERE seq > $1 AND seq <= $2 ORDER BY seq LIMIT $3"
HASH = "SELECT hash FROM audit_entry WHERE seq = $1"
# The oldest entries, up to the first that is to be kept.
OLD = f"""
SELECT seq, hash FROM (SELECT seq, hash, at FROM audit_entry ORDER BY seq LIMIT {BATCH}) AS oldest
WHERE seq < coalesce((SELECT min(seq) FROM audit_entry WHERE at >= $1), 9223372036854775807) ORDER BY seq DESC LIMIT 1
"""
DROP = "DELETE FROM audit_entry WHERE seq <= $1"
REMEMBER_DROPPED = "UPDATE audit_chain SET dropped_seq = $1, dropped_hash = $2"


async def append_entries(connection: Connection, entries: Sequence[AuditEntry]) -> None:
    """Add the entries that are not in the chain yet; one transaction at a time does."""
    row = await connection.fetchrow(LOCK)
    assert row is not None  # noqa: S101 - the migration wrote it
    end = ChainEnd(row[0], row[1])
    known = {known[0] for known in await connection.fetch(KNOWN, [entry.id for entry in entries])}
    rows: list[tuple[object, ...]] = []
    for entry in entries:
        if entry.id in known:
            continue
        known.add(entry.id)
        chained = _chained(entry, end.seq + 1)
        end = ChainEnd(chained.seq, chained.hash_after(end.hash))
        rows.append((*astuple(chained), end.hash))
    if rows:
        await connection.executemany(ADD, rows)
        await connection.execute(EXTEND, end.seq, end.hash)


def _chained(entry: AuditEntry, seq: int) -> ChainedEntry:
    return ChainedEntry(
        seq=seq,
        id=entry.id,
        at=entry.at,
        service=entry.service,
        actor=entry.actor,
        action=entry.action,
        object=entry.object,
        before=_json(entry.before),
        after=_json(entry.after),
        detail=entry.detail,
    )


def _json(document: Mapping[str, object] | None) -> str | None:
    return None if document is None else orjson.dumps(document, option=orjson.OPT_SORT_KEYS).decode()


class AuditRepository:
    """The `Audit` port, and the loop that drops old entries."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def search(self, wanted: AuditFilter, *, before: int, limit: int) -> list[dict[str, object]]:
        rows = await self._database.pool.fetch(
            SEARCH, before, wanted.actor, wanted.action, wanted.objects, wanted.from_, wanted.to, limit
        )
        return [{**row, "before": _read(row["before"]), "after": _read(row["after"])} for row in rows]

    async def verify(self, head: tuple[int, bytes] | None) -> Verification:
        """Every entry that is kept, both ends, and the noted head, as of one moment."""
        async with (
            self._database.pool.acquire() as acquired,
            acquired.transaction(isolation="repeatable_read", readonly=True),
        ):
            connection = cast("Connection", acquired)
            ends = await connection.fetchrow(ENDS)
            if ends is None:
                return Verification(0, 0, 0, "", "the ends of the chain are missing")
            end, last = ChainEnd(ends[2], ends[3]), ChainEnd(ends[0], ends[1])
            first = end.seq + 1
            try:
                end = await _follow(connection, end, last.seq)
                if end != last:
                    raise ChainBroken(f"the entries {end.seq + 1} to {last.seq} are missing")
                await _find_head(connection, head, ChainEnd(ends[2], ends[3]))
            except ChainBroken as broken:
                return Verification(end.seq - first + 1, first, last.seq, last.hash.hex(), str(broken))
        return Verification(last.seq - first + 1, first, last.seq, last.hash.hex(), None)

    async def drop_old(self, keep: timedelta) -> float | None:
        """One batch of entries older than that; the hash of the last one stays. 0 when there may be more."""
        async with self._database.transaction() as connection:
            await connection.execute(LOCK)
            row = await connection.fetchrow(OLD, await real_now(connection) - keep)
            if row is None:
                return None
            await connection.execute(REMEMBER_DROPPED, row[0], row[1])
            await connection.execute(DROP, row[0])
        return 0


async def _find_head(connection: Connection, head: tuple[int, bytes] | None, dropped: ChainEnd) -> None:
    """A chain that was written anew from some entry on fits in itself, but not to a head that was noted before."""
    if head is None or head[0] < dropped.seq:
        return
    stored = dropped.hash if head[0] == dropped.seq else await connection.fetchval(HASH, head[0])
    if stored != head[1]:
        raise ChainBroken(f"entry {head[0]} has not the hash that was noted; the log was written anew")


async def _follow(connection: Connection, end: ChainEnd, last_seq: int) -> ChainEnd:
    while rows := await connection.fetch(ROWS, end.seq, last_seq, BATCH):
        end = await asyncio.to_thread(follow_chain, end, [_row(row) for row in rows])
    return end


def _row(row: Any) -> tuple[ChainedEntry, bytes]:
    return ChainedEntry(*row[:10]), row[10]


def _read(stored: str | None) -> object:
    return None if stored is None else orjson.loads(stored)
