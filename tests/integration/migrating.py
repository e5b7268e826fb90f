"""Upgrade a database of one test to a revision, so that rows can be stored as an earlier version did."""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection as SyncConnection
from sqlalchemy.ext.asyncio import create_async_engine

from services.chassis.database import database_url
from services.chassis.schema_versions import FOLDER


async def upgrade_to(server_url: str, database: str, service: str, revision: str) -> None:
    """Upgrade the database to a revision of the service, or to `head`."""
    engine = create_async_engine(database_url(server_url, database).replace("://", "+asyncpg://", 1))
    async with engine.begin() as connection:
        await connection.run_sync(_upgrade, service, revision)
    await engine.dispose()


def _upgrade(connection: SyncConnection, service: str, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("version_locations", str(FOLDER / service))
    config.set_main_option("path_separator", "os")
    config.attributes["connection"] = connection
    command.upgrade(config, revision)
