"""The inbox: the keys of the events that were processed. A key is a digest, which keeps the index narrow."""

from collections.abc import Sequence
from typing import cast

from services.chassis.database import Connection

INSERT_KEYS = """
INSERT INTO inbox (key) SELECT * FROM unnest($1::bytea[]) ON CONFLICT DO NOTHING RETURNING key
"""


async def fresh(connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
    """Store 16-byte keys in the caller's transaction; returns those that were not stored before."""
    if not keys:
        return set()
    rows = await connection.fetch(INSERT_KEYS, sorted(set(keys)))
    return {cast("bytes", row[0]) for row in rows}
