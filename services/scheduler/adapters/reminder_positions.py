"""Up to where reminders were sent, and those that an announcement brings with it because it comes too late for a pass."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import orjson

from services.chassis.database import Connection
from services.scheduler.application.ports import TouchpointUpdate
from services.scheduler.domain.reminding import Hours, HoursByType, Position, find_immediate

HOURS: Final = """
SELECT kind::text
FROM policy_in_force, jsonb_array_elements((record -> 'touchpoint_types')::jsonb) kind
WHERE key = 'policy' AND jsonb_array_length(kind -> 'remind_hours') > 0
"""
# A pass waits for whoever reads the positions, and then sees what they stored: one of the two reminds.
SHARE_POSITIONS: Final = """
SELECT hours, due_at, touchpoint_id::text FROM reminder_position ORDER BY hours FOR SHARE
"""
ANNOUNCED: Final = ("scheduled", "moved")


async def load_remind_hours(connection: Connection) -> HoursByType:
    """The reminders of each type that has any; empty until the rules engine has published a policy."""
    kinds = [orjson.loads(row[0]) for row in await connection.fetch(HOURS)]
    return {kind["touchpoint_type"]: kind["remind_hours"] for kind in kinds}


async def find_missed_by_passes(
    connection: Connection, updates: Sequence[TouchpointUpdate], now: datetime
) -> list[TouchpointUpdate]:
    """The reminders of what is announced at a new time, before the position of its hours."""
    announced = [
        update
        for update in updates
        if update.event_kind in ANNOUNCED and update.previous_due_at != update.touchpoint.due_at
    ]
    if not announced:
        return []
    by_type = await load_remind_hours(connection)
    announced = [update for update in announced if update.touchpoint.type in by_type]
    if not announced:
        return []
    positions = {row[0]: Position(row[1], row[2]) for row in await connection.fetch(SHARE_POSITIONS)}
    reminders = [
        (update, find_immediate(update.touchpoint, by_type[update.touchpoint.type], positions, now))
        for update in announced
    ]
    return [_reminder(update, reminder.hours) for update, reminder in reminders if reminder is not None]


def _reminder(update: TouchpointUpdate, hours: Hours) -> TouchpointUpdate:
    return TouchpointUpdate(update.touchpoint, update.content, "reminder", reminder_hours=hours)
