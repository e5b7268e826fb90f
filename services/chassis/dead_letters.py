"""Dead letters: records that could not be read, kept with the reason, listed, and driven again by hand.

A dead letter is a row beside the service's other state and a record on the topic `dead.letters`; both come
into being in the transaction that moves the offset past the bad record.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from services.chassis.database import Connection, Database
from services.chassis.outbox import Outbox, Raw
from services.chassis.telemetry import METRICS

TOPIC = "dead.letters"

BURY = """
INSERT INTO dead_letter (topic, part, record_offset, record_time, key, headers, value, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (topic, part, record_offset, record_time) DO NOTHING
RETURNING id
"""
LIST = """
SELECT id, topic, part, record_offset, key, headers, value, reason, buried_at, replayed_at FROM dead_letter
WHERE id < $1 AND ($2 OR replayed_at IS NULL) ORDER BY id DESC LIMIT $3
"""
REPLAY = """
UPDATE dead_letter SET replayed_at = clock_timestamp() WHERE id = $1 RETURNING topic, key, headers, value
"""


class Record(NamedTuple):
    """A Kafka record as it was read."""

    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp_ms: int


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A dead letter as it is shown to people."""

    id: int
    topic: str
    partition: int
    offset: int
    key: str
    headers: dict[str, str]
    value: str
    reason: str
    buried_at: datetime
    replayed_at: datetime | None


def headers_to_bytes(headers: tuple[tuple[str, bytes], ...]) -> list[bytes]:
    """Name, value, name, value, …; Kafka knows headers without a value, which become empty ones."""
    return [part for name, value in headers for part in (name.encode("utf-8", "replace"), value or b"")]


def headers_from_bytes(flat: list[bytes]) -> list[tuple[str, bytes]]:
    return [(flat[i].decode(errors="replace"), flat[i + 1]) for i in range(0, len(flat) - 1, 2)]


async def bury(connection: Connection, outbox: Outbox, record: Record, *, reason: str) -> None:
    """Keep a record that cannot be read, with the reason. The second burial of one record changes nothing."""
    plain_reason = reason.replace("\x00", "\\0")[:4000]
    headers = headers_to_bytes(record.headers)
    row = await connection.fetchval(
        BURY,
        record.topic,
        record.partition,
        record.offset,
        record.timestamp_ms,  # another broker, or a topic made anew, counts its offsets from the start again
        record.key,
        headers,
        record.value,
        plain_reason,
    )
    if row is None:
        return
    METRICS.buried.labels(record.topic).inc()
    origin = (
        ("drumbeat_reason", plain_reason.encode()),
        ("drumbeat_topic", record.topic.encode()),
        ("drumbeat_partition", str(record.partition).encode()),
        ("drumbeat_offset", str(record.offset).encode()),
    )
    key = (record.key or b"").decode("utf-8", "replace").replace("\x00", "�")
    await outbox.append(connection, [Raw(TOPIC, key, (*headers_from_bytes(headers), *origin), record.value)])


async def listed(database: Database, *, before: int, limit: int, replayed: bool) -> list[DeadLetter]:
    """Newest first, those with an id below `before`; with `replayed` also those driven again already."""
    rows = await database.pool.fetch(LIST, before, replayed, limit)
    return [
        DeadLetter(
            id=row["id"],
            topic=row["topic"],
            partition=row["part"],
            offset=row["record_offset"],
            key=(row["key"] or b"").decode(errors="replace"),
            headers={n: v.decode(errors="replace") for n, v in headers_from_bytes(row["headers"])},
            value=(row["value"] or b"")[:10_000].decode(errors="replace"),
            reason=row["reason"],
            buried_at=row["buried_at"],
            replayed_at=row["replayed_at"],
        )
        for row in rows
    ]


async def replay(database: Database, outbox: Outbox, letter_id: int) -> bool:
    """Publish the record again, as it was, on the topic it came from; False when there is no such letter."""
    async with database.transaction() as connection:
        row = await connection.fetchrow(REPLAY, letter_id)
        if row is None:
            return False
        headers = headers_from_bytes(row["headers"])
        key = (row["key"] or b"").decode("utf-8", "replace").replace("\x00", "�")
        await outbox.append(connection, [Raw(row["topic"], key, headers, row["value"])])
    return True
