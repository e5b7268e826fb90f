"""Dead letters: records that could not be read or sent, stored with the reason, listed, replayed by hand.

A dead letter is a row beside the service's other state and a record on the topic `dead.letters`. Both are
written in the transaction that moves the offset past the record, or deletes it from the outbox.
"""

from typing import Any, NamedTuple

from services.chassis.database import Connection, Database
from services.chassis.outbox import Outbox, Raw
from services.chassis.telemetry import METRICS

TOPIC = "dead.letters"
UNSENT = -1  # the partition of a record of the outbox that was never sent; its offset is its id there

INSERT = """
INSERT INTO dead_letter (topic, part, record_offset, record_time, key, headers, value, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (topic, part, record_offset, record_time) DO NOTHING
RETURNING id
"""
LIST = """
SELECT id, topic, part AS partition, record_offset AS offset, key, headers, value, reason, buried_at, replayed_at
FROM dead_letter WHERE id < $1 AND ($2 OR replayed_at IS NULL) ORDER BY id DESC LIMIT $3
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


def headers_to_bytes(headers: tuple[tuple[str, bytes], ...]) -> list[bytes]:
    """Name, value, name, value, …; a header without a value, which Kafka allows, gets an empty one."""
    return [part for name, value in headers for part in (name.encode("utf-8", "replace"), value or b"")]


def headers_from_bytes(flat: list[bytes]) -> list[tuple[str, bytes]]:
    return [(flat[i].decode(errors="replace"), flat[i + 1]) for i in range(0, len(flat) - 1, 2)]


async def dead_letter_record(connection: Connection, outbox: Outbox, record: Record, *, reason: str) -> None:
    """Store a record with the reason and publish it on `dead.letters`; a repeated call changes nothing.

    An `UNSENT` one was too large for the broker: it is published without its headers and value.
    """
    plain_reason = reason.replace("\x00", "\\0")[:4000]
    headers = headers_to_bytes(record.headers)
    row = await connection.fetchval(
        INSERT,
        record.topic,
        record.partition,
        record.offset,
        record.timestamp_ms,  # another broker, or a topic created again, counts its offsets from the start
        record.key,
        headers,
        record.value,
        plain_reason,
    )
    if row is None:
        return
    METRICS.dead_letters.labels(record.topic).inc()
    origin = [
        ("drumbeat_reason", plain_reason.encode()),
        ("drumbeat_topic", record.topic.encode()),
        ("drumbeat_partition", str(record.partition).encode()),
        ("drumbeat_offset", str(record.offset).encode()),
    ]
    if record.partition != UNSENT:
        published = Raw(TOPIC, _text(record.key), [*headers_from_bytes(headers), *origin], record.value)
        await outbox.append(connection, [published])
    elif record.topic != TOPIC:
        await outbox.append(connection, [Raw(TOPIC, _text(record.key), origin, None)])


def _text(key: bytes | None) -> str:
    return (key or b"").decode("utf-8", "replace").replace("\x00", "�")


async def list_newest(database: Database, *, before: int, limit: int, replayed: bool) -> list[dict[str, Any]]:
    """Dead letters with ids below `before`, newest first; with `replayed` also those that were replayed."""
    return [
        {
            **row,
            "key": (row["key"] or b"").decode(errors="replace"),
            "headers": {
                name: text.decode(errors="replace") for name, text in headers_from_bytes(row["headers"])
            },
            "value": (row["value"] or b"")[:10_000].decode(errors="replace"),
        }
        for row in await database.pool.fetch(LIST, before, replayed, limit)
    ]


async def replay(database: Database, outbox: Outbox, row_id: int, statement: str = REPLAY) -> bool:
    """Publish a stored record again, unchanged, on its own topic; False when `statement` returns none of that id."""
    async with database.transaction() as connection:
        row = await connection.fetchrow(statement, row_id)
        if row is None:
            return False
        record = Raw(row["topic"], _text(row["key"]), headers_from_bytes(row["headers"]), row["value"])
        await outbox.append(connection, [record])
    return True
