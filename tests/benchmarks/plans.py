"""Plans of made-up accounts, and their way into the scheduler's calendar as its consumer takes it."""

import time
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import orjson

from services.calendar.plan import PlanCommand, read_plan
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.outbox import Outbox
from services.scheduler.adapters.calendar_repository import PostgresCalendarRepository
from services.scheduler.application.reconcile_calendar import accept_plans

CONSOLE = "http://127.0.0.1:8000"
REASON: dict[str, object] = {
    "rule": "steady",
    "policy": "bench",
    "facts": [],
    "text": "Accounts of this size are met regularly.",
}
ZONES = ("Europe/Berlin", "America/New_York", "Asia/Singapore", "Europe/London")
PERSON = """
INSERT INTO person (csm_id, version, name, email, timezone, weekly_minutes)
SELECT csm_id, 1, csm_id, csm_id || '@example.com', zone, $3
FROM unnest($1::text[], $2::text[]) u(csm_id, zone)
"""


class Calendars:
    """A scheduler's calendars on one database, at the pace of one consumer."""

    def __init__(self, database: Database, clock: ServiceClock) -> None:
        self.database = database
        self.clock = clock
        self.outbox = Outbox("/bench")

    def on(self, connection: Connection) -> PostgresCalendarRepository:
        return PostgresCalendarRepository(connection, self.outbox, CONSOLE)

    async def accept(self, commands: Sequence[PlanCommand], *, batch: int = 50) -> float:
        """Seconds for these plans, `batch` of them in a transaction."""
        began = time.perf_counter()
        for first in range(0, len(commands), batch):
            async with self.database.transaction() as connection:
                now = self.clock.at(await real_now(connection))
                await accept_plans(commands[first : first + batch], self.on(connection), now)
        return time.perf_counter() - began


async def describe_people(database: Database, csm_ids: Sequence[str], weekly_minutes: int = 2400) -> None:
    zones = [ZONES[number % len(ZONES)] for number in range(len(csm_ids))]
    await database.pool.execute(PERSON, list(csm_ids), zones, weekly_minutes)


def rhythm(touchpoint_type: str, every_days: int, **changed: object) -> dict[str, object]:
    return {
        "touchpoint_type": touchpoint_type,
        "every_days": every_days,
        "channel": "call",
        "owner": "csm",
        "reason": REASON,
        "purpose": "Hear how it goes and agree on the next step",
        "topic": "account",
        "minutes": 45,
        "urgency": "spread",
        "audience": ["champion"],
        **changed,
    }


def one_off(
    touchpoint_id: str, touchpoint_type: str, window: tuple[datetime, datetime], **changed: object
) -> dict[str, object]:
    return {
        "id": touchpoint_id,
        "touchpoint_type": touchpoint_type,
        "window": {"from": window[0], "to": window[1]},
        "channel": "call",
        "owner": "csm",
        "reason": REASON,
        "topic": "account",
        "minutes": 60,
        **changed,
    }


def plan(
    account_id: str, version: int, decided_at: datetime, rhythms: Iterable[Mapping[str, object]], **more: Any
) -> PlanCommand:
    return read_plan(
        orjson.dumps(
            {
                "account_id": account_id,
                "version": version,
                "policy": "bench",
                "decided_at": decided_at,
                "rhythms": list(rhythms),
                **more,
            }
        )
    )


def pause(start: datetime, days: int) -> dict[str, object]:
    """Two weeks in which the customer does not want to be met."""
    return {"name": "pause", "from": start, "to": start + timedelta(days=days), "text": "They asked for it."}
