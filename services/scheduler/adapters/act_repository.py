"""The last act by hand on each touchpoint, with the touchpoint as it was before it."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from services.chassis.database import Connection
from services.scheduler.adapters.rows import COLUMNS, Row, read_stored
from services.scheduler.application.ports import UndoableAct

REMEMBER = """
INSERT INTO hand_act AS h (touchpoint_id, account_id, acted_at, sequence, former, follow_up)
SELECT t.id, t.account_id, now(), t.sequence + 1, to_jsonb(t), $2::uuid FROM touchpoint t WHERE t.id = $1
ON CONFLICT (touchpoint_id) DO UPDATE SET account_id = excluded.account_id, acted_at = excluded.acted_at,
    sequence = excluded.sequence, former = excluded.former, follow_up = excluded.follow_up
RETURNING acted_at
"""
SELECT = f"""
SELECT {COLUMNS}, t.face, r.face AS rhythm_face, h.sequence AS acted_sequence, h.follow_up::text AS follow_up
FROM hand_act h, jsonb_populate_record(NULL::touchpoint, h.former) t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
"""
FIND = f"""{SELECT}
WHERE (h.touchpoint_id = $1 OR h.follow_up = $1) AND h.acted_at > clock_timestamp() - $2::interval
ORDER BY h.acted_at DESC LIMIT 1
"""
# Acts of one transaction have one time.
FIND_TOGETHER = f"""{SELECT}
WHERE h.touchpoint_id <> $1
    AND (h.account_id, h.acted_at) = (SELECT o.account_id, o.acted_at FROM hand_act o WHERE o.touchpoint_id = $1)
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
        return None if row is None else _read_act(row)

    async def find_together(self, touchpoint_id: str) -> Sequence[UndoableAct]:
        return [_read_act(row) for row in await self._connection.fetch(FIND_TOGETHER, touchpoint_id)]

    async def forget(self, touchpoint_id: str) -> None:
        await self._connection.execute(FORGET, touchpoint_id)


def _read_act(row: Row) -> UndoableAct:
    return UndoableAct(read_stored(row), row["acted_sequence"], row["follow_up"])
