"""The mode that the rules engine published, read with the directory for every decision."""

from schemas.directory import ModeRecord
from services.chassis.database import Connection
from services.notifier.domain.mode import Mode

BEGIN = "INSERT INTO mode (mode, version) VALUES ($1, 0) ON CONFLICT DO NOTHING"
SAVE = """
INSERT INTO mode (mode, hold_from, hold_until, version) VALUES ($1, $2, $3, $4)
ON CONFLICT (one) DO UPDATE SET mode = excluded.mode, hold_from = excluded.hold_from,
    hold_until = excluded.hold_until, version = excluded.version
WHERE mode.version < excluded.version
"""
READ = "SELECT mode = 'live', hold_from, hold_until FROM mode"


async def begin(connection: Connection, setting: str) -> None:
    """The setting counts until the rules engine publishes the mode."""
    await connection.execute(BEGIN, setting)


async def save_mode(connection: Connection, record: ModeRecord) -> None:
    """Store the mode; an older version changes nothing."""
    await connection.execute(SAVE, record.mode, record.hold_from, record.hold_until, record.version)


async def load_mode(connection: Connection) -> Mode:
    row = await connection.fetchrow(READ)
    return Mode() if row is None else Mode(*row)
