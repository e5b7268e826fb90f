"""Kafka Connect with Debezium, as docs/telemetry.md configures them: rows of a warehouse become facts of accounts."""

import asyncio
import signal
import tempfile
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path

import asyncpg
import pytest

from services.chassis.database import Connection
from services.devstack.embedded import processes
from services.devstack.embedded.jars import class_path
from services.devstack.embedded.kafka import java_command
from services.devstack.embedded.ports import free_ports
from services.devstack.embedded.postgres import EmbeddedPostgres
from tests.integration.rules_engine.conftest import Engine, engine
from tests.integration.rules_engine.telemetry_senders import source_connector
from tests.stack import ROOT, until
from tests.unit.connectors.sources.test_otlp import DAY

pytestmark = pytest.mark.integration

CONNECT = ROOT / "tests" / "java" / "connect.lock"
MAIN = "org.apache.kafka.connect.cli.ConnectStandalone"
TABLE = """
CREATE TABLE usage_report (
    event_id text PRIMARY KEY, account_id text NOT NULL, reported_at timestamptz NOT NULL,
    period_start timestamptz NOT NULL, period_end timestamptz NOT NULL, active_users integer, seats integer)
"""


@asynccontextmanager
async def warehouse(folder: Path) -> AsyncGenerator[tuple[EmbeddedPostgres, Connection]]:
    """A PostgreSQL that tells its changes, as Debezium needs it."""
    async with EmbeddedPostgres(folder, durable=False) as server:
        connection = await asyncpg.connect(server.url)
        await connection.execute("ALTER SYSTEM SET wal_level = 'logical'")
        await connection.close()
        await server.stop()
        await server.start()
        connection = await asyncpg.connect(server.url)
        await connection.execute(TABLE)
        yield server, connection
        await connection.close()


@asynccontextmanager
async def connecting(folder: Path, bootstrap: str, source: str) -> AsyncGenerator[Path]:
    """A worker of Kafka Connect with this connector; yields its log."""
    (rest,) = free_ports(1)
    worker = {
        "bootstrap.servers": bootstrap,
        "key.converter": "org.apache.kafka.connect.storage.StringConverter",
        "value.converter": "org.apache.kafka.connect.json.JsonConverter",
        "offset.storage.file.filename": str(folder / "offsets"),
        "plugin.discovery": "service_load",
        "listeners": f"http://127.0.0.1:{rest}",
    }
    files = {"worker": "".join(f"{name}={value}\n" for name, value in worker.items()), "source": source}
    for name, text in files.items():
        (folder / f"{name}.properties").write_text(text)
    jars = await asyncio.to_thread(class_path, lock=CONNECT)
    logging = [jar for jar in class_path() if jar.name.startswith("slf4j-simple")]
    command = [*java_command((*jars, *logging), heap_mb=256), MAIN]
    command += [str(folder / f"{name}.properties") for name in files]
    log = folder / "connect.log"
    child = processes.spawn(command, log=log)
    try:
        yield log
    finally:
        await processes.end(child, signal.SIGTERM, 20)


async def test_rows_of_a_warehouse_become_facts_with_the_configuration_of_the_page() -> None:
    """Issue 14.3."""
    with tempfile.TemporaryDirectory(prefix="drumbeat-connect-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with engine() as running, warehouse(folder / "warehouse") as (server, rows):
            now = await running.now()
            await report(rows, "row-1", "before", now, 7)
            source = source_connector(
                **{
                    "database.hostname": "127.0.0.1",
                    "database.port": str(server.port),
                    "database.user": "postgres",
                    "database.dbname": "postgres",
                }
            )
            async with connecting(folder, running.stack.kafka.bootstrap, source) as log:
                await until(lambda: users(running, "before", 7), 120, f"the row that was there: {log}")
                await report(rows, "row-2", "after", now, 9)
                await until(lambda: users(running, "after", 9), 120, f"the row that came: {log}")
            await running.wait_until_folded({"source": "/warehouse/usage", "id": "row-2"})
            fact = (await running.account("after"))["facts"]["active_users"]
            assert datetime.fromisoformat(fact["time"]) == now, fact


async def report(rows: Connection, id_: str, account: str, now: datetime, active_users: int) -> None:
    await rows.execute(
        "INSERT INTO usage_report VALUES ($1, $2, $3, $4, $3, $5, 40)",
        id_,
        account,
        now,
        now - DAY,
        active_users,
    )


async def users(running: Engine, account_id: str, number: int) -> bool:
    account = await running.stack.find("rules_engine", f"/v1/accounts/{account_id}")
    return account is not None and account["facts"].get("active_users", {}).get("value") == number
