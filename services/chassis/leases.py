"""Which replica reads which partition: lease rows in PostgreSQL, spread evenly over the live replicas.

A lease only saves wasted work. Safety comes from the offset row: a claim raises its epoch, and a batch commits
only under the epoch of its claim, so a replica that was frozen beyond its lease writes nothing when it wakes.
(Why not Kafka's consumer groups: docs/adr/0002-partitions-by-lease-rows.md.)
"""

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import asyncpg
from aiokafka import TopicPartition

from services.chassis.database import Connection, Database

TTL = 6.0  # real seconds without renewal after which others may claim a replica's partitions

# The process that ran at this place before has ended: nobody has to wait for its leases.
TAKE_OVER_LEASES = """
UPDATE consumer_lease SET owner = NULL WHERE grp = $1 AND starts_with(owner, $2 || '/') AND owner <> $3
"""
TAKE_OVER_MEMBERS = (
    "DELETE FROM consumer_member WHERE grp = $1 AND starts_with(owner, $2 || '/') AND owner <> $3"
)
MEMBERS = """
SELECT count(*) FROM consumer_member WHERE grp = $1 AND seen_at > clock_timestamp() - make_interval(secs => $2)
"""
OWN = "SELECT topic, part, epoch FROM consumer_lease WHERE cluster = $1 AND grp = $2 AND owner = $3"
RENEW = """
WITH announced AS (
    INSERT INTO consumer_member (grp, owner, seen_at) VALUES ($2, $3, clock_timestamp())
    ON CONFLICT (grp, owner) DO UPDATE SET seen_at = excluded.seen_at
), silent AS (
    DELETE FROM consumer_member
    WHERE grp = $2 AND owner <> $3 AND seen_at < clock_timestamp() - make_interval(secs => $4)
)
UPDATE consumer_lease SET leased_until = clock_timestamp() + make_interval(secs => $4)
WHERE cluster = $1 AND grp = $2 AND owner = $3
"""
FREE = """
SELECT l.topic, l.part FROM consumer_lease l JOIN consumer_offset o USING (cluster, grp, topic, part)
WHERE l.cluster = $1 AND l.grp = $2 AND o.halted IS NULL
  AND (l.owner IS NULL OR l.owner = $3 OR l.leased_until < clock_timestamp())
ORDER BY l.part, l.topic
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
WHERE cluster = $1 AND grp = $2 AND topic = $3 AND part = $4 AND epoch < $5 AND halted IS NULL RETURNING next_offset
"""
RELEASE = """
UPDATE consumer_lease SET owner = NULL
WHERE cluster = $1 AND grp = $2 AND owner = $3 AND topic = $4 AND part = $5 AND epoch = $6
"""

OFFSETS = "SELECT topic, part, next_offset FROM consumer_offset WHERE cluster = $1 AND grp = $2"
INSERT_OFFSETS = """
INSERT INTO consumer_offset (cluster, grp, topic, part, next_offset, letters_after)
SELECT $1, $2, n.*, (SELECT coalesce(max(id), 0) FROM dead_letter)
FROM unnest($3::text[], $4::int[], $5::bigint[]) AS n ON CONFLICT DO NOTHING
"""
INSERT_LEASES = """
INSERT INTO consumer_lease (cluster, grp, topic, part)
SELECT $1, $2, * FROM unnest($3::text[], $4::int[]) ON CONFLICT DO NOTHING
"""
ADVANCE = """
UPDATE consumer_offset SET next_offset = $7, updated_at = clock_timestamp()
WHERE cluster = $1 AND grp = $2 AND topic = $3 AND part = $4 AND next_offset = $5 AND epoch = $6
RETURNING clock_timestamp()
"""
STORED_OFFSET = """
SELECT next_offset, epoch FROM consumer_offset WHERE cluster = $1 AND grp = $2 AND topic = $3 AND part = $4
"""


@dataclass(slots=True)
class PartitionClaim:
    """A partition this replica reads, from `next_offset` on, under `epoch`."""

    partition: TopicPartition
    epoch: int
    next_offset: int


@dataclass(frozen=True, slots=True)
class Leases:
    """The lease rows of one consumer group on one cluster, as one replica uses them.

    `owner` names the process, below the place where it runs (`Replica.owner`).
    """

    database: Database
    cluster: str
    group: str
    owner: str

    async def take_over(self) -> None:
        """Free the leases of the process that ran in this place before, instead of waiting until they end."""
        seat = self.owner.rpartition("/")[0]
        if not seat:
            return
        async with self.database.transaction() as connection:
            for statement in (TAKE_OVER_LEASES, TAKE_OVER_MEMBERS):
                await connection.execute(statement, self.group, seat, self.owner)

    async def enrol(self, beginnings: Mapping[TopicPartition, int]) -> dict[TopicPartition, int]:
        """Insert the missing rows, with the partitions' beginnings as offsets; returns every stored offset.

        Only missing rows are inserted: an insert of an existing row would wait for whoever locks it.
        """
        async with self.database.transaction() as connection:
            rows = await connection.fetch(OFFSETS, self.cluster, self.group)
            stored = {TopicPartition(row[0], row[1]) for row in rows}
            missing = [partition for partition in beginnings if partition not in stored]
            if missing:
                topics, parts = [tp.topic for tp in missing], [tp.partition for tp in missing]
                starts = [beginnings[partition] for partition in missing]
                await connection.execute(INSERT_OFFSETS, self.cluster, self.group, topics, parts, starts)
                await connection.execute(INSERT_LEASES, self.cluster, self.group, topics, parts)
                rows = await connection.fetch(OFFSETS, self.cluster, self.group)
        return {TopicPartition(row[0], row[1]): int(row[2]) for row in rows}

    async def renew(self) -> None:
        """Announce that this replica lives, and renew its leases, on a connection that no batch can occupy."""
        pool = self.database.reserved or self.database.pool
        await pool.execute(RENEW, self.cluster, self.group, self.owner, TTL)

    async def survey(self) -> tuple[int, dict[TopicPartition, int]]:
        """How many replicas live, and the epochs of this one's partitions."""
        members = await self.database.pool.fetchval(MEMBERS, self.group, TTL)
        rows = await self.database.pool.fetch(OWN, self.cluster, self.group, self.owner)
        return max(1, int(members)), {TopicPartition(row[0], row[1]): row[2] for row in rows}

    async def take(self, count: int, own: Sequence[TopicPartition]) -> list[PartitionClaim]:
        """Claim up to `count` partitions that nobody reads; `own` are those this replica reads already."""
        rows = await self.database.pool.fetch(FREE, self.cluster, self.group, self.owner)
        free = [partition for partition in (TopicPartition(*row) for row in rows) if partition not in own]
        claims: list[PartitionClaim | None] = []
        for partition in free[:count]:
            # A frozen replica may lock the offset row until its session ends: the claim is tried again later.
            with contextlib.suppress(asyncpg.LockNotAvailableError):
                claims.append(await self._claim(partition))
        return [claim for claim in claims if claim is not None]

    async def _claim(self, partition: TopicPartition) -> PartitionClaim | None:
        async with self.database.transaction() as connection:
            await connection.execute("SET LOCAL lock_timeout = '300ms'")
            epoch = await connection.fetchval(TAKE, self.cluster, self.group, self.owner, *partition, TTL)
            if epoch is None:
                return None
            next_offset = await connection.fetchval(FENCE, self.cluster, self.group, *partition, epoch)
        return None if next_offset is None else PartitionClaim(partition, epoch, next_offset)

    async def release(self, claim: PartitionClaim) -> None:
        await self.database.pool.execute(
            RELEASE, self.cluster, self.group, self.owner, *claim.partition, claim.epoch
        )

    async def leave(self) -> None:
        """Leave the group: the others take over at once instead of waiting for the lease to expire."""
        await self.database.pool.execute(
            "DELETE FROM consumer_member WHERE grp = $1 AND owner = $2", self.group, self.owner
        )


async def advance(
    connection: Connection, leases: Leases, claim: PartitionClaim, *, to: int
) -> datetime | None:
    """Move the offset in the caller's transaction; the database's real clock, None when another replica owns it.

    It is the first statement of the transaction: on its row lock an outdated replica waits, and then it finds
    that the epoch changed.
    """
    return await connection.fetchval(
        ADVANCE, leases.cluster, leases.group, *claim.partition, claim.next_offset, claim.epoch, to
    )


async def stored_offset(leases: Leases, claim: PartitionClaim) -> tuple[int, int]:
    """(next offset, epoch) as stored; after a lost connection they show whether the commit happened."""
    row = await leases.database.pool.fetchrow(STORED_OFFSET, leases.cluster, leases.group, *claim.partition)
    return (row[0], row[1]) if row is not None else (-1, -1)
