"""Dead letters: records that could not be read or sent, stored with the reason, listed, replayed by hand.

A dead letter is a row beside the service's other state and a record on the topic `dead.letters`. Both are
written in the transaction that moves the offset past the record, or deletes it from the outbox.
"""

import json
import re
from collections.abc import AsyncIterator, Collection, Iterator
from datetime import datetime
from typing import Any, NamedTuple, cast

from services.chassis.database import Connection, Database
from services.chassis.kafka_message import Message
from services.chassis.outbox import Outbox, Raw
from services.chassis.telemetry import METRICS

TOPIC = "dead.letters"
ORIGIN = ("drumbeat_reason", "drumbeat_topic", "drumbeat_partition", "drumbeat_offset")
LONGEST_KEY = 1000  # characters of the key of a record that is published without its value
# Excerpts of the record: in quotes (cut ones have no second quote), numbers as long as a telephone's, addresses.
EXCERPTS = re.compile(
    r"""(?<!\w)'(?:[^'\\]|\\.)*(?:'|$)|(?<!\w)"(?:[^"\\]|\\.)*(?:"|$)|\+?\d[\d ().-]{5,}\d|[^\s<>'"]+@[^\s<>'"]+"""
)
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
AFTER = """
SELECT id, topic, part, record_offset, key, headers, value, reason, buried_at FROM dead_letter
WHERE id > $1 ORDER BY id LIMIT $2
"""
BATCH = 500


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

    An `UNSENT` one was too large for the broker: it is published without its headers and value, and with the first
    characters of its key.
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
    place = (record.topic, str(record.partition), str(record.offset))
    origin = [
        (name, value.encode())
        for name, value in zip(ORIGIN, (without_excerpts(plain_reason), *place), strict=True)
    ]
    if record.partition != UNSENT:
        published = Raw(TOPIC, _text(record.key), [*headers_from_bytes(headers), *origin], record.value)
        await outbox.append(connection, [published])
    elif record.topic != TOPIC:
        await outbox.append(connection, [Raw(TOPIC, _text(record.key)[:LONGEST_KEY], origin, None)])


def without_excerpts(reason: str) -> str:
    """A reason without what it quotes of the record: headers name nobody. The stored letter has it whole."""
    return EXCERPTS.sub("…", reason)


def announce_alone(message: Message) -> Raw | None:
    """What is published instead of a dead letter that is itself too large: where it came from and why, not the record.

    The record is stored. None for another message, and for one without a value, which would be no smaller.
    """
    origin = [(name, value) for name, value in message.headers if name in ORIGIN]
    if message.topic != TOPIC or message.value is None or len(origin) < len(ORIGIN):
        return None
    return Raw(TOPIC, _text(message.key)[:LONGEST_KEY], origin, None)


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


class DeadLetter(NamedTuple):
    """A stored dead letter. `stored_at`: real time."""

    id: int
    record: Record
    reason: str
    stored_at: datetime


async def letters_about(connection: Connection, names: Collection[str]) -> AsyncIterator[list[DeadLetter]]:
    """The dead letters about one of these names, which are ids or addresses, in batches.

    A letter is about a name when its key, one of its headers, or any text of its JSON is that name. Of a value that is
    no JSON, the name has to stand in it as a word of its own.
    """
    last = 0
    while rows := await connection.fetch(AFTER, last, BATCH):
        last = rows[-1]["id"]
        letters = [
            DeadLetter(row["id"], _stored_record(row), row["reason"], row["buried_at"]) for row in rows
        ]
        yield [letter for letter in letters if is_about(letter.record, names)]


async def erase_dead_letters(connection: Connection, names: Collection[str]) -> list[Record]:
    """Delete the dead letters about one of these names (see `letters_about`); returns what was deleted."""
    erased: list[Record] = []
    async for letters in letters_about(connection, names):
        if letters:
            await connection.execute(
                "DELETE FROM dead_letter WHERE id = ANY($1::bigint[])", [each.id for each in letters]
            )
            erased += [each.record for each in letters]
    return erased


def letter_document(letter: DeadLetter) -> dict[str, object]:
    """A dead letter as an export shows it: its value as text, at most 10,000 bytes of it."""
    record = letter.record
    return {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "stored_at": letter.stored_at,
        "reason": letter.reason,
        "value": (record.value or b"")[:10_000].decode(errors="replace"),
    }


def is_about(record: Record, names: Collection[str]) -> bool:
    """Whether a record names one of these ids or addresses; see `letters_about`."""
    if _text(record.key) in names:
        return True
    if any(value.decode(errors="replace") in names for _, value in record.headers if value):
        return True
    value = record.value or b""
    try:
        return any(text in names for text in _texts(json.loads(value)))
    except (ValueError, RecursionError):
        text = value.decode(errors="replace")
        return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name in names)


def _texts(document: object) -> Iterator[str]:
    """Every text of a JSON document, keys included."""
    waiting = [document]
    while waiting:
        part = waiting.pop()
        if isinstance(part, str):
            yield part
        elif isinstance(part, dict):
            waiting += [each for pair in cast("dict[str, object]", part).items() for each in pair]
        elif isinstance(part, list):
            waiting += cast("list[object]", part)


def _stored_record(row: Any) -> Record:
    headers = tuple(headers_from_bytes(row["headers"]))
    return Record(row["topic"], row["part"], row["record_offset"], row["key"], row["value"], headers, 0)
