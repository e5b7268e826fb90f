"""Lock accounts, then their touchpoints, and skip what others have locked: the order of all writers of calendars."""

from collections.abc import Collection

from services.calendar.person_book import PlannedTouch
from services.chassis.database import Connection
from services.scheduler.adapters import rows
from services.scheduler.application.ports import StoredTouchpoint

LOCK_ACCOUNTS = """
SELECT account_id FROM account_calendar WHERE account_id = ANY($1::text[]) ORDER BY account_id FOR UPDATE SKIP LOCKED
"""
LOCK_TOUCHPOINTS = f"""
SELECT {rows.COLUMNS}, t.face, r.face AS rhythm_face FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
WHERE t.id = ANY($1::uuid[]) AND t.account_id = ANY($2::text[]) ORDER BY t.id FOR UPDATE OF t SKIP LOCKED
"""


async def lock_accounts(connection: Connection, account_ids: Collection[str]) -> set[str]:
    """Those of these accounts that nobody else has locked."""
    return {row[0] for row in await connection.fetch(LOCK_ACCOUNTS, sorted(account_ids))}


def is_as_read(stored: StoredTouchpoint, read: PlannedTouch, csm_id: str) -> bool:
    """Whether it is planned, or gave way, where it was when the person's book was read, and theirs."""
    touchpoint = stored.touchpoint
    place = (touchpoint.due_at, touchpoint.start_at, touchpoint.earliest_at, touchpoint.latest_at)
    is_same_place = place == (read.due_at, read.target_at, read.earliest_at, read.latest_at)
    is_planned = touchpoint.status == "planned" and not touchpoint.pinned
    is_same_state = touchpoint.gave_way if read.has_yielded else is_planned
    return is_same_state and is_same_place and touchpoint.csm_id == csm_id
