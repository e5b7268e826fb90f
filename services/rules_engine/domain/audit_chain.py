"""The chain of audit entries: each has the SHA-256 over the hash before it and its own canonical JSON."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from hashlib import sha256

import orjson

from schemas.times import format_instant


@dataclass(frozen=True, slots=True)
class ChainedEntry:
    """An entry at its place. `before` and `after` are JSON texts; `at` is of the real clock."""

    seq: int
    id: str
    at: datetime
    service: str
    actor: str
    action: str
    object: str
    before: str | None
    after: str | None
    detail: str

    def hash_after(self, previous: bytes) -> bytes:
        document = {**asdict(self), "at": format_instant(self.at)}
        return sha256(previous + orjson.dumps(document, option=orjson.OPT_SORT_KEYS)).digest()


@dataclass(frozen=True, slots=True)
class ChainEnd:
    """The number and the hash of an entry; 0 and no bytes before the first."""

    seq: int = 0
    hash: bytes = b""


class ChainBroken(Exception):
    """The chain is not as it was written; the message names the entry and what is wrong with it."""


def follow_chain(end: ChainEnd, rows: Iterable[tuple[ChainedEntry, bytes]]) -> ChainEnd:
    """The end of the chain after these rows of (entry, stored hash). Raises `ChainBroken`."""
    for entry, stored in rows:
        if entry.seq != end.seq + 1:
            raise ChainBroken(f"entry {end.seq + 1} is missing: {entry.seq} follows {end.seq}")
        expected = entry.hash_after(end.hash)
        if stored != expected:
            raise ChainBroken(
                f"entry {entry.seq} was changed, or is not where it was written: its hash does not fit"
            )
        end = ChainEnd(entry.seq, expected)
    return end
