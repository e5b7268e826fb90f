"""The stored databases of an earlier version: restore them, and read what an upgrade must keep."""

import asyncio
import json
import lzma
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import asyncpg

from services.chassis.database import database_url
from services.chassis.schema_versions import DATABASES
from services.devstack.embedded.postgres import binaries

FOLDER = Path(__file__).parent
EXPECTED: dict[str, Any] = json.loads((FOLDER / "expected.json").read_text())
STOPPED_AT = datetime.fromisoformat(EXPECTED["stopped_at"])

# Transaction ids order the feeds and belong to the server that was dumped (runbook, "Taking the data along", step 3).
# Times by which old rows are deleted are on the real clock: the directory counts as stopped a moment ago.
AFTER_RESTORE = {
    "rules_engine": "UPDATE receipt SET seen_at = clock_timestamp()",
    "scheduler": """
        TRUNCATE change;
        UPDATE touchpoint SET change_xid = '3';
        INSERT INTO change (xid, id, changed_at) SELECT '3', id, changed_at FROM touchpoint;
        UPDATE inbox SET seen_at = clock_timestamp();
        """,
    "notifier": """
        UPDATE feed SET xid = '3', heard_at = clock_timestamp();
        UPDATE withdrawn SET heard_at = clock_timestamp();
        """,
}
TABLES = """
SELECT relname FROM pg_class
WHERE relkind IN ('r', 'p') AND NOT relispartition AND relnamespace = 'public'::regnamespace
"""


@dataclass(frozen=True)
class Snapshot:
    """What an upgrade must not change."""

    plan_versions: dict[str, int]
    positions: dict[str, list[str | None]]
    """Account id -> segment, stage and colour."""
    touchpoints: dict[str, tuple[str, datetime, int]]
    """Touchpoint id -> status, due_at and sequence."""
    released: set[str]
    deliveries: dict[str, str]
    """Delivery id -> state."""


def stored_events() -> list[dict[str, Any]]:
    return [json.loads(line) for line in lzma.open(FOLDER / "events.ndjson.xz")]


async def fetch(server_url: str, service: str, statement: str, *values: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(database_url(server_url, DATABASES[service]))
    try:
        return await connection.fetch(statement, *values)
    finally:
        await connection.close()


async def restore(server_url: str) -> None:
    """Replace the databases of a server on which the roles exist by the stored ones, not migrated yet."""
    for name in DATABASES.values():
        connection = await asyncpg.connect(server_url)
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')
        await connection.execute(
            f'CREATE DATABASE "{name}" OWNER "{name}" ENCODING \'UTF8\' TEMPLATE template0'
        )
        await connection.close()
    await asyncio.gather(*(_restore_database(server_url, service) for service in DATABASES))


async def _restore_database(server_url: str, service: str) -> None:
    url = database_url(server_url, DATABASES[service])
    command = (str(binaries() / "psql"), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", url)
    process = await asyncio.create_subprocess_exec(
        *command,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    dump = lzma.decompress((FOLDER / f"{DATABASES[service]}.sql.xz").read_bytes())
    _, errors = await process.communicate(dump)
    assert process.returncode == 0, errors.decode()


async def adapt_to_server(server_url: str) -> None:
    """What the runbook asks for after a dump has moved to another server."""
    for service, statements in AFTER_RESTORE.items():
        connection = await asyncpg.connect(database_url(server_url, DATABASES[service]))
        await connection.execute(statements)
        await connection.close()


async def row_counts(server_url: str) -> dict[str, dict[str, int]]:
    """Database name -> table -> rows."""
    counts: dict[str, dict[str, int]] = {}
    for service, name in DATABASES.items():
        tables = [row[0] for row in await fetch(server_url, service, TABLES)]
        counts[name] = {
            table: (await fetch(server_url, service, f'SELECT count(*) FROM "{table}"'))[0][0]
            for table in sorted(tables)
        }
    return counts


async def take_snapshot(server_url: str) -> Snapshot:
    accounts = await fetch(
        server_url, "rules_engine", "SELECT account_id, plan_version, segment, stage, color FROM account"
    )
    touchpoints = await fetch(
        server_url, "scheduler", "SELECT id::text, status, due_at, sequence, released_at FROM touchpoint"
    )
    deliveries = await fetch(server_url, "notifier", "SELECT id::text, state FROM delivery")
    return Snapshot(
        plan_versions={row["account_id"]: row["plan_version"] for row in accounts},
        positions={row["account_id"]: [row["segment"], row["stage"], row["color"]] for row in accounts},
        touchpoints={row["id"]: (row["status"], row["due_at"], row["sequence"]) for row in touchpoints},
        released={row["id"] for row in touchpoints if row["released_at"] is not None},
        deliveries={row["id"]: row["state"] for row in deliveries},
    )


async def restore_policy(server_url: str, folder: Path) -> None:
    """Write the policy that was in force as files, under the names it was stored with."""
    statement = "SELECT files::text FROM policy WHERE hash = $1"
    rows = await fetch(server_url, "rules_engine", statement, EXPECTED["policy"])
    folder.mkdir()
    for name, text in json.loads(rows[0][0]).items():
        (folder / name).write_text(text, encoding="utf-8")
