"""Which accounts the horizon sweep looks at: those whose moment has come, in pieces, shared by replicas."""

from collections.abc import Mapping
from datetime import datetime

from services.chassis.database import Connection

PIECE = 200

CLAIM = """
SELECT account_id, plan FROM account_calendar WHERE extend_at <= $1 AND plan IS NOT NULL
ORDER BY extend_at, account_id LIMIT $2 FOR UPDATE SKIP LOCKED
"""


async def claim_accounts(connection: Connection, now: datetime) -> Mapping[str, bytes]:
    """The letters of the accounts to look at again, by account id, locked."""
    rows = await connection.fetch(CLAIM, now, PIECE)
    return {row["account_id"]: row["plan"] for row in rows}
