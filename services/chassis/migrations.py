"""The database schemas: each service's database, role and Alembic history, upgraded by `drumbeat migrate`."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from services.chassis.database import Database, database_url, without_password
from services.chassis.settings import CannotStart

DATABASES: Final = {
    "rules_engine": "drumbeat_rules",
    "scheduler": "drumbeat_scheduler",
    "notifier": "drumbeat_notifier",
}
FOLDER = Path(__file__).resolve().parents[2] / "migrations"
MIGRATION_LOCK = 0x64727563


class CannotMigrate(CannotStart):
    """The databases cannot be created or upgraded; the message says why and what to do."""


class SchemaMismatch(CannotMigrate):
    """A database's schema is older or newer than the code; the message says which and what to do."""


def history(service: str) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(service))


def _config(service: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("version_locations", str(FOLDER / service))
    config.set_main_option("path_separator", "os")
    return config


async def migrate(server_url: str, services: Sequence[str] = tuple(DATABASES)) -> None:
    """Create missing roles and databases, and upgrade every schema to the code's. Raises `CannotMigrate`."""
    try:
        await _create_databases(server_url, [DATABASES[service] for service in services])
        for service in services:
            await _upgrade(server_url, service)
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as problem:
        raise CannotMigrate(
            f"The databases on {without_password(server_url)} could not be prepared ({problem}): check "
            f"DRUMBEAT_DATABASE__URL, and that its user may create roles and databases."
        ) from problem


async def _create_databases(server_url: str, names: Sequence[str]) -> None:
    connection = await asyncpg.connect(server_url, timeout=30)
    try:
        await connection.execute("SELECT pg_advisory_lock($1)", MIGRATION_LOCK)
        for name in names:
            if not await connection.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", name):
                await connection.execute(f'CREATE ROLE "{name}" NOLOGIN')
                await connection.execute(f'GRANT "{name}" TO CURRENT_USER')
            if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
                await connection.execute(
                    f'CREATE DATABASE "{name}" OWNER "{name}" ENCODING \'UTF8\' TEMPLATE template0'
                )
                await connection.execute(f'REVOKE CONNECT ON DATABASE "{name}" FROM PUBLIC')
                await connection.execute(f'GRANT CONNECT ON DATABASE "{name}" TO CURRENT_USER')
    finally:
        await connection.close()


async def _upgrade(server_url: str, service: str) -> None:
    name = DATABASES[service]
    engine = create_async_engine(
        database_url(server_url, name).replace("postgresql://", "postgresql+asyncpg://", 1),
        connect_args={"server_settings": {"role": name}},
    )
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.run_sync(_run_upgrade, service)
    finally:
        await engine.dispose()


def _run_upgrade(connection: SyncConnection, service: str) -> None:
    config = _config(service)
    config.attributes["connection"] = connection
    stored = connection.scalar(text("SELECT to_regclass('alembic_version')"))
    if stored is not None:
        _refuse_newer(service, connection.scalar(text("SELECT version_num FROM alembic_version")))
    command.upgrade(config, "head")


def _refuse_newer(service: str, stored: str | None) -> None:
    if stored is not None and stored not in {rev.revision for rev in history(service).walk_revisions()}:
        raise SchemaMismatch(
            f"The database {DATABASES[service]} is at schema {stored}, which this version of Drumbeat does not have:"
            " a newer one made it. Run that version, or restore a backup from before the upgrade."
        )


async def check_schema(database: Database, service: str) -> None:
    """Raise `SchemaMismatch` unless the database's schema is that of the code."""
    name = DATABASES[service]
    head = await asyncio.to_thread(lambda: history(service).get_current_head())
    if await database.pool.fetchval("SELECT to_regclass('alembic_version')") is None:
        raise SchemaMismatch(f"The database {name} has no schema yet. Run `drumbeat migrate`.")
    stored = await database.pool.fetchval("SELECT version_num FROM alembic_version")
    if stored != head:
        _refuse_newer(service, stored)
        raise SchemaMismatch(
            f"The database {name} is at schema {stored}, the code needs {head}. Run `drumbeat migrate`."
        )
