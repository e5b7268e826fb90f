"""The last act by hand on each touchpoint, with the touchpoint as it was before it."""

from datetime import datetime, timedelta

from services.chassis.database import Connection
from services.scheduler.adapters.rows import COLUMNS, read_stored
from services.scheduler.application.ports import UndoableAct

REMEMBER = """
INSERT INTO hand_act AS h (touchpoint_id, account_id, acted_at, sequence, former, follow_up)
SELECT t.id, t.account_id, clock_timestamp(), t.sequence + 1, to_jsonb(t), $2::uuid FROM touchpoint t WHERE t.id = $1
ON CONFLICT (touchpoint_id) DO UPDATE SET account_id = excluded.account_id, acted_at = excluded.acted_at,
    sequence = excluded.sequence, former = excluded.former, follow_up = excluded.follow_up
RETURNING acted_at
"""
FIND = f"""
SELECT {COLUMNS}, t.face, r.face AS rhythm_face, h.sequence AS acted_sequence, h.follow_up::text AS follow_up
FROM hand_act h, jsonb_populate_record(NULL::touchpoint, h.former) t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
WHERE (h.touchpoint_id = $1 OR h.follow_up = $1) AND h.acted_at > clock_timestamp() - $2::interval
ORDER BY h.acted_at DESC LIMIT 1
"""
FORGET = "DELETE FROM hand_act WHERE touchpoint_id = $1"


class PostgresActs:
    """ActRepository on one open transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def remember(self, touchpoint_id: str, follow_up: str | None) -> datetime:
        return await self._connection.fetchval(REMEMBER, touchpoint_id, follow_up)

    async def find(self, touchpoint_id: str, within: timedelta) -> UndoableAct | None:
        row = await self._connection.fetchrow(FIND, touchpoint_id, within)
        if row is None:
            return None
        return UndoableAct(read_stored(row), row["acted_sequence"], row["follow_up"])

    async def forget(self, touchpoint_id: str) -> None:
        await self._connection.execute(FORGET, touchpoint_id)
