"""The mode in force: switched here, read by every replica with the generation, published on `directory.mode`."""

from datetime import datetime
from typing import cast

from schemas.directory import MODE_DIRECTORY, ModeRecord
from schemas.vocabulary import Mode
from services.chassis.audit import AuditLog, Change
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.outbox import Outbox, Outgoing
from services.chassis.relay import Relay

READ = "SELECT mode, mode_since AS since, mode_setting AS setting, number AS epoch FROM epoch"
LOCK = "SELECT mode, mode_setting FROM epoch FOR UPDATE"
SET = "UPDATE epoch SET mode_setting = $1"
# Between `hold` and `observe` the period in which nothing reaches customers goes on.
SWITCH = """
UPDATE epoch SET number = number + 1, mode = $1, mode_since = $2,
    hold_from = CASE WHEN mode = 'live' THEN $2 ELSE hold_from END, hold_until = CASE WHEN $1 = 'live' THEN $2 END
WHERE mode <> $1
"""
AUDIT = AuditLog("rules_engine")
PUBLISHED = "SELECT mode, hold_from, hold_until FROM epoch"


class ModeRepository:
    """The `Modes` port. A switch raises the generation: every account is evaluated again."""

    def __init__(self, database: Database, outbox: Outbox, relay: Relay, clock: ServiceClock) -> None:
        self._database = database
        self._outbox = outbox
        self._relay = relay
        self._clock = clock

    async def open(self, setting: Mode) -> None:
        """At start-up of a replica: switch when the setting is not what it was at the last start; publish the mode."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(LOCK)
            if row is not None and row["mode_setting"] != setting:
                await connection.execute(SET, setting)
                await connection.execute(SWITCH, setting, self._clock.at(await real_now(connection)))
                await _record(connection, row["mode"], setting, "DRUMBEAT_MODE changed")
            await self._publish(connection, await real_now(connection))
        self._relay.wake()

    async def read(self) -> dict[str, object]:
        row = await self._database.pool.fetchrow(READ)
        return dict(row or {})

    async def switch(self, mode: Mode) -> dict[str, object]:
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(LOCK)
            changed = False
            if row is not None and row["mode"] != mode:
                changed = True
                real = await real_now(connection)
                await connection.execute(SWITCH, mode, self._clock.at(real))
                await _record(connection, row["mode"], mode)
                await self._publish(connection, real)
        self._relay.wake()
        return {**await self.read(), "changed": changed}

    async def _publish(self, connection: Connection, real: datetime) -> None:
        """Versions are milliseconds of the real clock, so that they also grow after a restored backup."""
        row = await connection.fetchrow(PUBLISHED)
        if row is None:
            return
        mode, version = cast("Mode", row["mode"]), int(real.timestamp() * 1000)
        record = ModeRecord(
            mode=mode, hold_from=row["hold_from"], hold_until=row["hold_until"], version=version
        )
        outgoing = Outgoing(
            "directory.mode", "mode", f"mode:{version}", MODE_DIRECTORY, self._clock.at(real), record.write()
        )
        await self._outbox.append(connection, [outgoing])


async def _record(connection: Connection, before: str, after: str, detail: str = "") -> None:
    if before != after:
        change = Change("mode.switched", "mode", {"mode": before}, {"mode": after}, detail)
        await AUDIT.record(connection, [change])
