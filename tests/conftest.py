"""Real parts for the tests that need them: one PostgreSQL and one Kafka per test process, in temporary folders."""

import asyncio
import itertools
import os
import shutil
import tempfile
from collections.abc import AsyncGenerator, Callable, Generator
from pathlib import Path

import asyncpg
import pytest
from hypothesis import settings

from migrations.chassis_tables import HALTS, LETTERS_OF_CLUSTERS, TABLES
from services.chassis import database
from services.chassis.collector import spare_the_collector
from services.chassis.database import Database
from services.chassis.settings import Kafka
from services.devstack.embedded.kafka import EmbeddedKafka
from services.devstack.embedded.postgres import EmbeddedPostgres

_numbers = itertools.count(1)
IS_SOAK = bool(os.environ.get("DRUMBEAT_SOAK"))
# `make check` has two minutes; `make soak` looks ten times as far, CI draws the
# same 30 each time. An example that takes long shows a busy machine.
settings.register_profile("usual", max_examples=500 if IS_SOAK else 50, deadline=None)
settings.register_profile("repeatable", settings.get_profile("usual"), derandomize=True, max_examples=30)
settings.load_profile("usual")


def examples(part: float) -> int:
    """A part of the examples of the profile, for a property whose examples take long."""
    return max(1, round(settings().max_examples * part))


for name in [name for name in os.environ if name.startswith("DRUMBEAT_") and name != "DRUMBEAT_SOAK"]:
    del os.environ[name]


def pytest_collection_finish() -> None:
    spare_the_collector()  # as every service does


PATIENCE = 4
"""How many times as long as on a quiet machine a test may take, and wait for a state, before it fails."""
# Of the tests' own sessions: a process that gets a tenth of a core is no frozen client.
database.TRANSACTION_TIMEOUT = f"{PATIENCE * 20}s"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    usual = float(config.getini("timeout"))
    for item in items:
        marker = item.get_closest_marker("timeout")
        seconds = usual if marker is None else float(marker.args[0])
        item.add_marker(pytest.mark.timeout(PATIENCE * seconds), append=False)
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session")
def folder() -> Generator[Path]:
    """A folder that the database's own user may walk into (pytest's own is closed to others)."""
    made = Path(tempfile.mkdtemp(prefix="drumbeat-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made, ignore_errors=True)


@pytest.fixture(scope="session")
def postgres(folder: Path) -> Generator[EmbeddedPostgres]:
    server = EmbeddedPostgres(folder / "postgres", durable=False)
    asyncio.run(server.start())
    yield server
    asyncio.run(server.stop())


@pytest.fixture(scope="session")
def kafka(folder: Path) -> Generator[EmbeddedKafka]:
    broker = EmbeddedKafka(folder / "kafka")
    asyncio.run(broker.start())
    yield broker
    asyncio.run(broker.stop())


@pytest.fixture
def kafka_settings(kafka: EmbeddedKafka) -> Kafka:
    return Kafka(bootstrap_servers=kafka.bootstrap)


@pytest.fixture
def topic_name() -> Callable[[str], str]:
    """A topic of this test's own."""
    return lambda stem: f"{stem}.{os.getpid()}.{next(_numbers)}"


@pytest.fixture
async def chassis_database(postgres: EmbeddedPostgres) -> AsyncGenerator[Database]:
    """An empty database that holds the tables of the chassis and nothing else."""
    name = f"chassis_{os.getpid()}_{next(_numbers)}"
    admin = await asyncpg.connect(postgres.url)
    await admin.execute(f'CREATE ROLE "{name}"')
    await admin.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
    opened = await Database.open(postgres.url, name)
    for statement in (*TABLES, HALTS, LETTERS_OF_CLUSTERS):
        await opened.pool.execute(statement)
    yield opened
    await opened.close()
    await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
    await admin.close()
