"""A record to be produced."""

from collections.abc import Sequence
from typing import NamedTuple

Headers = Sequence[tuple[str, bytes]]


class Message(NamedTuple):
    """A record to be produced. `value` None is a tombstone."""

    topic: str
    key: bytes
    value: bytes | None
    headers: Headers
