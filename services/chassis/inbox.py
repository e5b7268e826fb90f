"""The inbox: what was heard before. Its key is a digest, so that the index stays narrow."""

from collections.abc import Sequence
from typing import cast

from services.chassis.database import Connection

REMEMBER = """
INSERT INTO inbox (key) SELECT * FROM unnest($1::bytea[]) ON CONFLICT DO NOTHING RETURNING key
"""


async def fresh(connection: Connection, keys: Sequence[bytes]) -> set[bytes]:
    """Remember the 16-byte keys in the caller's transaction; answer those not heard before."""
    if not keys:
        return set()
    rows = await connection.fetch(REMEMBER, sorted(set(keys)))
    return {cast("bytes", row[0]) for row in rows}
