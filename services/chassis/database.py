"""PostgreSQL: one pool per service, on its own database and under its own role.

Sessions have time limits: an idle transaction, a hanging statement or a lock that is not granted would delay
all work (an old snapshot that stays open slows the release of touchpoints two to four times).
"""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from services.chassis.settings import CannotStart
from services.chassis.tracing import traces

if TYPE_CHECKING:
    Connection = asyncpg.Connection[asyncpg.Record]
else:
    Connection = asyncpg.Connection

# Errors of a lost or overloaded server: never caused by a message, always worth a retry.
INFRASTRUCTURE = (
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    asyncpg.SerializationError,
    asyncpg.DeadlockDetectedError,
    asyncpg.LockNotAvailableError,
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.InvalidAuthorizationSpecificationError,
    OSError,
    TimeoutError,
)


class DatabaseMissing(CannotStart):
    """The server answers but has no such database or role; the message says what to do."""


SESSION = {
    "jit": "off",
    "timezone": "UTC",
    "statement_timeout": "20s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "10s",
    # Hot tables are in memory; with the default of 4 the planner prefers sequential scans to their indexes.
    "random_page_cost": "1.1",
}


def database_url(server_url: str, name: str) -> str:
    """The URL of the database `name` on the server of `server_url`."""
    parts = urlsplit(server_url.replace("postgresql+asyncpg://", "postgresql://", 1))
    return urlunsplit(parts._replace(path=f"/{name}"))


def without_password(url: str) -> str:
    """A URL without its password, to be shown."""
    scheme, _, rest = url.partition("://")
    user, at, host = rest.rpartition("@")
    return f"{scheme}://{user.split(':')[0]}{at}{host}"


# To the server, a client that freezes between two messages of one statement is neither idle nor running, and
# it keeps its locks: only this limit ends it. PostgreSQL has it since version 17.
TRANSACTION_TIMEOUT = "20s"


async def _limits_of(url: str) -> dict[str, str]:
    connection = await asyncpg.connect(url, timeout=10)
    try:
        modern = connection.get_server_version().major >= 17
    finally:
        await connection.close()
    return {"transaction_timeout": TRANSACTION_TIMEOUT} if modern else {}


async def _open_pool(
    url: str, settings: dict[str, str], least: int, most: int
) -> "asyncpg.Pool[asyncpg.Record]":
    return await asyncpg.create_pool(
        url, min_size=least, max_size=most, command_timeout=30, server_settings=settings, reset=_keep_session
    )


async def _keep_session(_: object) -> None:
    """Instead of the round trip in which asyncpg resets a session that goes back to the pool.

    Nothing here outlives its transaction: settings are LOCAL, advisory locks are those of a transaction, and nobody
    listens. asyncpg still rolls a transaction back that was left open.
    """


@dataclass(frozen=True, slots=True)
class Database:
    """A service's database. Transactions are READ COMMITTED and short; only the relay does other I/O inside one.

    `reserved` has one connection, opened when it is first used, for what must not wait until the pool has a free one.
    `name`: that of the database, as spans show it.
    """

    pool: "asyncpg.Pool[asyncpg.Record]"
    reserved: "asyncpg.Pool[asyncpg.Record] | None" = None
    name: str = ""

    @classmethod
    async def open(cls, server_url: str, name: str, *, pool_size: int = 8) -> "Database":
        """Open the pool; each connection uses the role that has the database's name.

        Raises `DatabaseMissing` when the database or the role does not exist.
        """
        url = database_url(server_url, name)
        try:
            settings = {**SESSION, **await _limits_of(url), "application_name": name, "role": name}
            pool = await _open_pool(url, settings, min(2, pool_size), pool_size)
            reserved = await _open_pool(url, settings, 0, 1)
        except (asyncpg.InvalidCatalogNameError, asyncpg.InvalidParameterValueError) as problem:
            raise DatabaseMissing(
                f"The server has no database {name} under the role {name} ({problem}). Run `drumbeat migrate`."
            ) from problem
        return cls(pool, reserved, name)

    @asynccontextmanager
    async def transaction(self) -> AsyncGenerator[Connection]:
        attributes = {"db.system.name": "postgresql", "db.namespace": self.name}
        with traces().inner_span(f"transaction {self.name}", attributes):
            async with self.pool.acquire() as connection, connection.transaction():
                yield cast("Connection", connection)

    async def ping(self) -> None:
        await self.pool.fetchval("SELECT 1", timeout=3)

    async def close(self) -> None:
        """Close the pool; connections that do not finish within five seconds are aborted."""
        for pool in filter(None, (self.pool, self.reserved)):
            try:
                async with asyncio.timeout(5):
                    await pool.close()
            except TimeoutError:
                pool.terminate()


async def real_now(connection: Connection) -> datetime:
    """The server's real clock now, not at the transaction's start."""
    return cast("datetime", await connection.fetchval("SELECT clock_timestamp()"))
