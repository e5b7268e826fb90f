"""The database schemas: each service's database, role and Alembic history, upgraded by `drumbeat migrate`."""

from collections.abc import Sequence

import asyncpg
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as SyncConnection
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from services.chassis.database import database_url, without_password
from services.chassis.schema_versions import (
    COMPATIBLE,
    DATABASES,
    FOLDER,
    CannotMigrate,
    read_revisions,
    refuse_newer,
)

MIGRATION_LOCK = 0x64727563


def config_of(service: str) -> Config:
    """Where Alembic finds the migrations of a service."""
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
    url = database_url(server_url, name)

    async def connect() -> "asyncpg.Connection[asyncpg.Record]":
        # SQLAlchemy would hand what the URL says of TLS to asyncpg as arguments that it does not have.
        return await asyncpg.connect(url, server_settings={"role": name})

    engine = create_async_engine("postgresql+asyncpg://", async_creator=connect)
    try:
        async with engine.begin() as connection:
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
            await connection.run_sync(_run_upgrade, service)
    finally:
        await engine.dispose()


def _run_upgrade(connection: SyncConnection, service: str) -> None:
    config = config_of(service)
    config.attributes["connection"] = connection
    stored = connection.scalar(text("SELECT to_regclass('alembic_version')"))
    if stored is not None:
        refuse_newer(service, connection.scalar(text("SELECT version_num FROM alembic_version")))
    command.upgrade(config, "head")
    _record_compatible(connection, service)


def _record_compatible(connection: SyncConnection, service: str) -> None:
    """Name the revisions whose code works on this schema: replicas of the version before may start again meanwhile."""
    connection.execute(text(f"CREATE TABLE IF NOT EXISTS {COMPATIBLE} (revision text PRIMARY KEY)"))
    connection.execute(text(f"DELETE FROM {COMPATIBLE}"))
    rows = [{"revision": revision} for revision in read_revisions(service).compatible]
    connection.execute(text(f"INSERT INTO {COMPATIBLE} VALUES (:revision)"), rows)
