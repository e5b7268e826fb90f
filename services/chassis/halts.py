"""Halted partitions: too many dead letters among its last records halt a partition until an operator resumes it.

A producer, a schema or a release that is wrong makes every record unreadable. Without a limit all of them would become
dead letters, and the accounts would go on as if nothing had been sent. The halt is stored with the offset, so that it
outlives the process and concerns every replica; no replica reads a halted partition.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from aiokafka import TopicPartition

from services.chassis.database import Connection, Database
from services.chassis.settings import DeadLetters

OFFSET_MISSING: Final = "its stored offset is not on the broker"
"""The reason of a partition that halts because nobody can read on, not because of dead letters."""
# By the offset, not by the time: what was made before the operator resumed the partition counts no more. Nor do letters
# of before this cluster was read: their offsets are those of a former broker.
LETTERS = """
SELECT d.record_offset FROM dead_letter d
JOIN consumer_offset o ON o.cluster = $1 AND o.grp = $2 AND o.topic = d.topic AND o.part = d.part
WHERE d.id > o.letters_after AND d.topic = $3 AND d.part = $4
    AND d.record_offset BETWEEN greatest($5, o.counts_from) AND $6
GROUP BY d.record_offset ORDER BY d.record_offset
"""
HALT = """
UPDATE consumer_offset SET halted = $5 WHERE cluster = $1 AND grp = $2 AND topic = $3 AND part = $4 AND epoch = $6
"""
HALTED = (
    "SELECT topic, part, halted FROM consumer_offset WHERE cluster = $1 AND grp = $2 AND halted IS NOT NULL"
)
RESUME = """
UPDATE consumer_offset SET halted = NULL, counts_from = next_offset + $4, updated_at = clock_timestamp()
WHERE cluster = $1 AND topic = $2 AND part = $3 AND halted IS NOT NULL RETURNING next_offset
"""
LIST = """
SELECT o.grp AS "group", o.topic, o.part AS partition, o.next_offset, o.updated_at, o.halted, l.owner, l.leased_until
FROM consumer_offset o LEFT JOIN consumer_lease l USING (cluster, grp, topic, part)
WHERE o.cluster = $1 ORDER BY o.grp, o.topic, o.part
"""


class TooManyDeadLetters(Exception):
    """The batch would go over the limit: nothing of it is committed. The message is the reason for people."""


@dataclass(frozen=True, slots=True)
class Halts:
    """The halted partitions of one consumer group on one cluster."""

    database: Database
    cluster: str
    group: str
    limits: DeadLetters

    async def check(self, connection: Connection, partition: TopicPartition, offsets: Sequence[int]) -> None:
        """Raise `TooManyDeadLetters` if a batch of these offsets goes over the limit; in its transaction, at the end."""
        first, last = offsets[0] - self.limits.among + 1, offsets[-1]
        rows = await connection.fetch(LETTERS, self.cluster, self.group, *partition, first, last)
        letters = [int(row[0]) for row in rows]
        if goes_over(letters, self.limits):
            raise TooManyDeadLetters(
                f"more than {self.limits.most} dead letters among {self.limits.among} records "
                f"before offset {last + 1}; nothing from offset {offsets[0]} on was stored"
            )

    async def halt(self, partition: TopicPartition, epoch: int, reason: str) -> None:
        await self.database.pool.execute(HALT, self.cluster, self.group, *partition, reason, epoch)

    async def read(self) -> dict[TopicPartition, str]:
        """The halted partitions, with the reasons."""
        rows = await self.database.pool.fetch(HALTED, self.cluster, self.group)
        return {TopicPartition(row[0], row[1]): row[2] for row in rows}


def goes_over(letters: Sequence[int], limits: DeadLetters) -> bool:
    """Whether any `among` consecutive offsets have more than `most` dead letters; `letters` are ascending offsets."""
    return any(
        later - earlier < limits.among
        for earlier, later in zip(letters, letters[limits.most :], strict=False)
    )


async def list_partitions(database: Database, cluster: str) -> list[dict[str, Any]]:
    """Every partition that this service reads: its offset, who reads it, and why it is halted if it is."""
    return [dict(row) for row in await database.pool.fetch(LIST, cluster)]


async def resume_partition(
    database: Database, cluster: str, partition: TopicPartition, *, uncounted: int
) -> int | None:
    """Read a halted partition again; returns the offset it goes on from, None when it is not halted.

    Dead letters are counted anew, from `uncounted` records on: so many may become dead letters without another halt.
    """
    return await database.pool.fetchval(RESUME, cluster, *partition, uncounted)
