"""The transactional outbox: a message exists if and only if the change that caused it was committed.

The relay has no cursor (identity values are not commit order): it reads the oldest rows, produces them and
deletes them after the acknowledgement. One relay at a time per database, by a transaction-scoped advisory
lock: a replica that dies or freezes loses the lock with its session. A crash between acknowledgement and
delete repeats records with the same id and content; readers are idempotent.
"""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import structlog

from services.chassis.database import INFRASTRUCTURE, Connection, Database
from services.chassis.faults import fault
from services.chassis.kafka import Message, Producer
from services.chassis.telemetry import METRICS

log = structlog.get_logger(__name__)

RELAY_LOCK = 0x6472756D  # "drum": the advisory lock that makes one relay per database
BATCH = 2000
FALLBACK_POLL = 0.5  # seconds; the relay is woken in process, this only catches what another replica left

APPEND = """
INSERT INTO outbox (topic, key, headers, payload)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
"""
OLDEST = "SELECT id, topic, key, headers, payload FROM outbox ORDER BY id LIMIT $1"
DELETE = "DELETE FROM outbox WHERE id = ANY($1::bigint[])"
# A text column holds no NUL, and three more characters have a meaning here: a foreign header may hold them all.
ESCAPES = {each: f"\x1b{chr(each + 0x40)}" for each in (0x00, 0x1B, 0x1E, 0x1F)}


class Outgoing(NamedTuple):
    """A CloudEvent to be published: `data` is its JSON, None a tombstone of a compacted topic."""

    topic: str
    key: str
    id: str
    type: str
    time: datetime
    data: bytes | None


class Raw(NamedTuple):
    """A record to be published as it is, with its own headers (a dead letter, a replay)."""

    topic: str
    key: str
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`; microseconds only where there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Outbox:
    """Appends to the outbox of one service; `source` is the CloudEvents source of its events."""

    def __init__(self, source: str) -> None:
        self._source = source

    async def append(self, connection: Connection, rows: Sequence[Outgoing | Raw]) -> None:
        """Write the rows in the caller's transaction. Lock the account's row first: ids are its order."""
        if not rows:
            return
        times: dict[datetime, str] = {}
        await connection.execute(
            APPEND,
            [row.topic for row in rows],
            [row.key for row in rows],
            [self._pack(row, times) for row in rows],
            [_value(row) for row in rows],
        )

    def _pack(self, row: Outgoing | Raw, times: dict[datetime, str]) -> str:
        """The record's headers in one text column, as their UTF-8 bytes in Latin-1."""
        if isinstance(row, Raw):
            return "\x1e".join(
                f"{name.translate(ESCAPES)}\x1f{value.decode('latin-1').translate(ESCAPES)}"
                for name, value in row.headers
            )
        time = times.get(row.time)
        if time is None:
            time = times[row.time] = timestamp(row.time)
        packed = (
            f"ce_specversion\x1f1.0\x1ece_id\x1f{row.id}\x1ece_source\x1f{self._source}\x1ece_type\x1f{row.type}"
            f"\x1ece_subject\x1f{row.key}\x1ece_time\x1f{time}\x1econtent-type\x1fapplication/json"
        )
        return packed if packed.isascii() else packed.encode().decode("latin-1")


def _value(row: Outgoing | Raw) -> bytes | None:
    return row.data if isinstance(row, Outgoing) else row.value


def unpack(headers: str) -> list[tuple[str, bytes]]:
    pairs = (part.split("\x1f", 1) for part in headers.split("\x1e")) if headers else ()
    return [(_unescaped(name), _unescaped(value).encode("latin-1")) for name, value in pairs]


def _unescaped(text: str) -> str:
    if "\x1b" not in text:
        return text
    first, *rest = text.split("\x1b")
    return first + "".join(chr(ord(part[0]) - 0x40) + part[1:] for part in rest)


class Relay:
    """Carries the outbox to Kafka, oldest first."""

    def __init__(self, database: Database, producer: Producer) -> None:
        self._database = database
        self._producer = producer
        self._bell = asyncio.Event()
        self._stopping = False

    def wake(self) -> None:
        self._bell.set()

    def stop(self) -> None:
        self._stopping = True
        self._bell.set()

    async def run(self) -> None:
        """Relay until stopped; trouble with the database or the broker is waited out."""
        pause = 0.1
        while not self._stopping:
            self._bell.clear()
            try:
                moved = await self.run_once()
            except INFRASTRUCTURE as problem:
                log.warning("relay.interrupted", problem=repr(problem))
                await asyncio.sleep(pause)
                pause = min(pause * 2, 5.0)
                continue
            pause = 0.1
            if not moved:
                await self._wait()

    async def _wait(self) -> None:
        try:
            async with asyncio.timeout(FALLBACK_POLL):
                await self._bell.wait()
        except TimeoutError:
            return

    async def run_once(self) -> int:
        """Move one batch; answer how many records were acknowledged and deleted."""
        async with self._database.transaction() as connection:
            await connection.execute("SELECT pg_advisory_xact_lock($1)", RELAY_LOCK)
            rows = await connection.fetch(OLDEST, BATCH)
            if not rows:
                return 0
            messages = [Message(row[1], row[2].encode(), row[4], unpack(row[3])) for row in rows]
            fault("relay.before_produce")
            acknowledged = await self._producer.send(messages, timeout=7)
            fault("relay.after_produce")
            # Only the confirmed prefix goes: what follows an unknown record is sent again after it.
            prefix = next((i for i, sure in enumerate(acknowledged) if not sure), len(rows))
            await connection.execute(DELETE, [row[0] for row in rows[:prefix]])
        fault("relay.after_delete")
        METRICS.outbox_relayed.inc(prefix)
        if prefix < len(rows):
            raise TimeoutError("the broker did not acknowledge the outbox")
        return prefix
