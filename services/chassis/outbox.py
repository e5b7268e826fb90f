"""The transactional outbox: a message exists if and only if the change that caused it was committed."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from services.chassis.database import Connection
from services.chassis.kafka_message import Headers
from services.chassis.tracing import traces

APPEND = """
INSERT INTO outbox (topic, key, headers, payload)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::bytea[])
"""
# A text column holds no NUL, and three more characters have a meaning here; a foreign header may contain all four.
ESCAPES = {code: f"\x1b{chr(code + 0x40)}" for code in (0x00, 0x1B, 0x1E, 0x1F)}

NOT_OURS = ("drumbeat_foreign", b"1")
"""Header of a row that repeats a record: the relay takes it off, and signs nothing that others said."""


class Outgoing(NamedTuple):
    """A CloudEvent to be published: `data` is its JSON, None a tombstone of a compacted topic.

    `headers`: more than those of CloudEvents, with ASCII values.
    """

    topic: str
    key: str
    id: str
    type: str
    time: datetime
    data: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Raw(NamedTuple):
    """A record to be published as it is, with its own headers (a dead letter, a replay)."""

    topic: str
    key: str
    headers: Sequence[tuple[str, bytes]]
    value: bytes | None


def timestamp(moment: datetime) -> str:
    """RFC 3339 in UTC with `Z`; microseconds only when there are any."""
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


class Outbox:
    """Appends to the outbox of one service; `source` is the CloudEvents source of its events."""

    def __init__(self, source: str) -> None:
        self.source = source

    async def append(self, connection: Connection, rows: Sequence[Outgoing | Raw]) -> None:
        """Insert the rows in the caller's transaction.

        The order of an account's messages is that of their ids: lock the account's row first.
        """
        if not rows:
            return
        times: dict[datetime, str] = {}
        await connection.execute(
            APPEND,
            [row.topic for row in rows],
            [row.key for row in rows],
            [self._pack(row, times) for row in rows],
            [row.data if isinstance(row, Outgoing) else row.value for row in rows],
        )

    def _pack(self, row: Outgoing | Raw, times: dict[datetime, str]) -> str:
        """The record's headers in one text column, as their UTF-8 bytes in Latin-1."""
        if isinstance(row, Raw):
            return "\x1e".join(
                f"{name.translate(ESCAPES)}\x1f{value.decode('latin-1').translate(ESCAPES)}"
                for name, value in (*row.headers, NOT_OURS)
            )
        time = times.get(row.time)
        if time is None:
            time = times[row.time] = timestamp(row.time)
        packed = (
            f"ce_specversion\x1f1.0\x1ece_id\x1f{row.id}\x1ece_source\x1f{self.source}\x1ece_type\x1f{row.type}"
            f"\x1ece_subject\x1f{row.key}\x1ece_time\x1f{time}\x1econtent-type\x1fapplication/json"
        )
        for name, value in _with_trace(row) if traces().is_on else row.headers:
            packed += f"\x1e{name}\x1f{value.decode('ascii')}"
        return packed if packed.isascii() else packed.encode().decode("latin-1")


def _with_trace(row: Outgoing) -> Headers:
    """The headers of the row with the trace in which it is written, unless it goes on in another one."""
    if any(name == "traceparent" for name, _ in row.headers):
        return row.headers
    return (*row.headers, *traces().headers_of(row.key))


def unpack(headers: str) -> list[tuple[str, bytes]]:
    pairs = (part.split("\x1f", 1) for part in headers.split("\x1e")) if headers else ()
    return [(_unescape(name), _unescape(value).encode("latin-1")) for name, value in pairs]


def _unescape(text: str) -> str:
    if "\x1b" not in text:
        return text
    first, *rest = text.split("\x1b")
    return first + "".join(chr(ord(part[0]) - 0x40) + part[1:] for part in rest)
