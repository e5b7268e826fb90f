"""An entry is written as its published model reads it, by whoever makes the call."""

import asyncio
from datetime import UTC, datetime
from typing import Any, cast

from schemas.audit import AUDIT_RECORDED, AuditEntry
from services.chassis.audit import OURSELVES, TOPIC, TYPE, AuditLog, Change, acts_as
from services.chassis.database import Connection

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


class Statements:
    """Keeps what was executed; its clock stands."""

    def __init__(self) -> None:
        self.rows: list[tuple[Any, ...]] = []

    async def fetchval(self, _: str) -> datetime:
        return NOW

    async def execute(self, _: str, *columns: list[Any]) -> None:
        self.rows += zip(*columns, strict=True)


async def recorded(*changes: Change) -> list[AuditEntry]:
    statements = Statements()
    await AuditLog("notifier").record(cast("Connection", statements), changes)
    assert {(row[0], row[1]) for row in statements.rows} <= {(TOPIC, "notifier")}
    assert all(TYPE in row[2] for row in statements.rows)
    return [AuditEntry.read(row[3]) for row in statements.rows]


async def test_an_entry_has_who_what_and_when() -> None:
    change = Change(
        "key.created", "key/1", None, {"scopes": frozenset({"read", "act"}), "expires_at": NOW}, "x" * 9000
    )
    acts_as("1a2b3c4d")
    (entry,) = await recorded(change)
    assert TYPE == AUDIT_RECORDED
    assert (entry.actor, entry.action, entry.object) == ("1a2b3c4d", "key.created", "key/1")
    assert (entry.at, entry.service, entry.before) == (NOW, "notifier", None)
    assert entry.after == {"scopes": ["act", "read"], "expires_at": "2026-03-02T10:00:00Z"}
    assert len(entry.detail) == 2000


async def test_each_request_has_its_own_actor_and_what_no_call_asked_for_is_ours() -> None:
    async def call(actor: str) -> str:
        acts_as(actor)
        await asyncio.sleep(0)
        return (await recorded(Change("mode.switched", "mode")))[0].actor

    async def nobody() -> str:
        return (await recorded(Change("mode.switched", "mode")))[0].actor

    tasks = [asyncio.create_task(each) for each in (call("a"), nobody(), call("b"))]
    assert await asyncio.gather(*tasks) == ["a", OURSELVES, "b"]


async def test_no_change_writes_nothing() -> None:
    assert await recorded() == []
