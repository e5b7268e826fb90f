"""Who reads which partition: lease rows in PostgreSQL, shared out evenly among the replicas that are alive.

A lease only saves wasted work. What makes a batch safe is the offset row: a claim raises its epoch, and a
batch commits only under the epoch it was claimed with, so a replica that was frozen past its lease writes
nothing when it wakes. (Why not Kafka's consumer groups: docs/adr.)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import asyncpg

from services.chassis.database import Connection, Database

TTL = 6.0  # real seconds without renewal until a replica's partitions are free for others

MEET = """
INSERT INTO consumer_member (grp, owner, seen_at) VALUES ($1, $2, clock_timestamp())
ON CONFLICT (grp, owner) DO UPDATE SET seen_at = excluded.seen_at
"""
FORGET = (
    "DELETE FROM consumer_member WHERE grp = $1 AND seen_at < clock_timestamp() - make_interval(secs => $2)"
)
RENEW = """
UPDATE consumer_lease SET leased_until = clock_timestamp() + make_interval(secs => $4)
WHERE cluster = $1 AND grp = $2 AND owner = $3 RETURNING topic, part, epoch
"""
FREE = """
SELECT topic, part FROM consumer_lease
WHERE cluster = $1 AND grp = $2 AND (owner IS NULL OR owner = $3 OR leased_until < clock_timestamp())
ORDER BY part, topic
"""
TAKE = """
UPDATE consumer_lease
SET owner = $3, epoch = epoch + 1, leased_until = clock_timestamp() + make_interval(secs => $6)
WHERE cluster = $1 AND grp = $2 AND topic = $4 AND part = $5
  AND (owner IS NULL OR owner = $3 OR leased_until < clock_timestamp())
RETURNING epoch
"""
FENCE = """
UPDATE consumer_offset SET epoch = $5
WHERE cluster = $1 AND grp = $2 AND topic = $3 AND part = $4 AND epoch < $5 RETURNING next_offset
"""
RELEASE = """
UPDATE consumer_lease SET owner = NULL
WHERE cluster = $1 AND grp = $2 AND owner = $3 AND topic = $4 AND part = $5 AND epoch = $6
"""

STORED = "SELECT topic, part, next_offset FROM consumer_offset WHERE cluster = $1 AND grp = $2"
ENROL_OFFSETS = """
INSERT INTO consumer_offset (cluster, grp, topic, part, next_offset)
SELECT $1, $2, * FROM unnest($3::text[], $4::int[], $5::bigint[]) ON CONFLICT DO NOTHING
"""
ENROL_LEASES = """
INSERT INTO consumer_lease (cluster, grp, topic, part)
SELECT $1, $2, * FROM unnest($3::text[], $4::int[]) ON CONFLICT DO NOTHING
"""

Place = tuple[str, int]


@dataclass(slots=True)
class Claim:
    """A partition this replica reads, from `next_offset` on, under `epoch`."""

    topic: str
    part: int
    epoch: int
    next_offset: int

    @property
    def place(self) -> Place:
        return self.topic, self.part


@dataclass(frozen=True, slots=True)
class Leases:
    """The lease rows of one consumer group on one cluster, as one replica sees them."""

    database: Database
    cluster: str
    group: str
    owner: str

    async def enrol(self, beginnings: Mapping[Place, int]) -> dict[Place, int]:
        """Make the rows that are missing, at the partitions' beginnings; answer every stored offset.

        Only what is missing is inserted: an insert would wait for whoever holds the row that is there.
        """
        async with self.database.transaction() as connection:
            held = await connection.fetch(STORED, self.cluster, self.group)
            offsets = {(row[0], row[1]): int(row[2]) for row in held}
            missing = [place for place in beginnings if place not in offsets]
            if missing:
                topics, parts = [place[0] for place in missing], [place[1] for place in missing]
                starts = [beginnings[place] for place in missing]
                await connection.execute(ENROL_OFFSETS, self.cluster, self.group, topics, parts, starts)
                await connection.execute(ENROL_LEASES, self.cluster, self.group, topics, parts)
                held = await connection.fetch(STORED, self.cluster, self.group)
        return {(row[0], row[1]): row[2] for row in held}

    async def renew(self) -> tuple[int, dict[Place, int]]:
        """Say that this replica lives; answer how many do, and the epochs of what it still holds."""
        async with self.database.transaction() as connection:
            await connection.execute(MEET, self.group, self.owner)
            await connection.execute(FORGET, self.group, TTL)
            members = await connection.fetchval(
                "SELECT count(*) FROM consumer_member WHERE grp = $1", self.group
            )
            rows = await connection.fetch(RENEW, self.cluster, self.group, self.owner, TTL)
        return max(1, int(members)), {(row[0], row[1]): row[2] for row in rows}

    async def take(self, count: int, held: Sequence[Place]) -> list[Claim]:
        """Claim up to `count` partitions that nobody reads."""
        free = await self.database.pool.fetch(FREE, self.cluster, self.group, self.owner)
        wanted = [place for place in ((row[0], row[1]) for row in free) if place not in held][:count]
        claims = [await self._claim_unless_busy(place) for place in wanted]
        return [claim for claim in claims if claim is not None]

    async def _claim_unless_busy(self, place: Place) -> Claim | None:
        """A zombie may hold the offset's row inside a transaction until its session is ended: try again later."""
        try:
            return await self._claim(place)
        except asyncpg.LockNotAvailableError:
            return None

    async def _claim(self, place: Place) -> Claim | None:
        async with self.database.transaction() as connection:
            await connection.execute("SET LOCAL lock_timeout = '300ms'")
            epoch = await connection.fetchval(TAKE, self.cluster, self.group, self.owner, *place, TTL)
            if epoch is None:
                return None
            next_offset = await connection.fetchval(FENCE, self.cluster, self.group, *place, epoch)
        return None if next_offset is None else Claim(*place, epoch=epoch, next_offset=next_offset)

    async def release(self, claim: Claim) -> None:
        await self.database.pool.execute(
            RELEASE, self.cluster, self.group, self.owner, claim.topic, claim.part, claim.epoch
        )

    async def leave(self) -> None:
        """A clean goodbye: the others take over at once instead of waiting for the lease to run out."""
        await self.database.pool.execute(
            "DELETE FROM consumer_member WHERE grp = $1 AND owner = $2", self.group, self.owner
        )


async def advance(connection: Connection, leases: Leases, claim: Claim, *, to: int) -> bool:
    """Move the offset in the caller's transaction; False when another replica owns the partition by now.

    It comes first in the transaction: its row lock makes a zombie wait here and then find the epoch changed.
    """
    moved = await connection.execute(
        "UPDATE consumer_offset SET next_offset = $7, updated_at = clock_timestamp()"
        " WHERE cluster = $1 AND grp = $2 AND topic = $3 AND part = $4 AND next_offset = $5 AND epoch = $6",
        leases.cluster,
        leases.group,
        claim.topic,
        claim.part,
        claim.next_offset,
        claim.epoch,
        to,
    )
    return moved == "UPDATE 1"


async def stored_offset(leases: Leases, claim: Claim) -> tuple[int, int]:
    """(next offset, epoch) as stored: tells after a lost connection whether the commit happened."""
    row = await leases.database.pool.fetchrow(
        "SELECT next_offset, epoch FROM consumer_offset"
        " WHERE cluster = $1 AND grp = $2 AND topic = $3 AND part = $4",
        leases.cluster,
        leases.group,
        claim.topic,
        claim.part,
    )
    return (row[0], row[1]) if row is not None else (-1, -1)
