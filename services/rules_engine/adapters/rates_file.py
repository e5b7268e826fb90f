"""The file of exchange rates that `DRUMBEAT_RATES` names: read at the start and whenever it changes.

What it says is stored, so that all replicas evaluate at the same rates. A file with other rates raises the generation:
every account is evaluated again. A file that becomes unreadable leaves the rates as they are.
"""

import asyncio
from datetime import date
from pathlib import Path

import orjson
import structlog

from services.cadence.rates import NO_RATES, Rates, RatesRefused, load_rates
from services.chassis.database import Database

log = structlog.get_logger(__name__)

STORE = "UPDATE book SET rates = $1::text::jsonb WHERE rates IS DISTINCT FROM $1::text::jsonb RETURNING true"
RAISE = "UPDATE epoch SET number = number + 1"


class RatesFile:
    """`path`: None for no file, then amounts in other currencies than the policy's are unknown."""

    def __init__(self, path: Path | None, database: Database) -> None:
        self._path = path
        self._database = database
        self._seen: tuple[int, int] | None = None

    async def open(self) -> None:
        """Put the rates of the file in force. Raises RatesRefused."""
        await self._store(await asyncio.to_thread(self._read))

    async def run_once(self) -> None:
        """One pass of a loop: put them in force again when the file has changed."""
        if self._path is None or await asyncio.to_thread(_version_of, self._path) == self._seen:
            return
        try:
            rates = await asyncio.to_thread(self._read)
        except RatesRefused as refused:
            log.error("rates.refused", reason=str(refused))  # noqa: TRY400
            return
        await self._store(rates)

    def _read(self) -> Rates:
        if self._path is None:
            return NO_RATES
        self._seen = _version_of(self._path)
        return load_rates(self._path)

    async def _store(self, rates: Rates) -> None:
        document = {"on": rates.on, "base": rates.base, "worth": dict(rates.worth)} if rates.on else {}
        async with self._database.transaction() as connection:
            if await connection.fetchval(STORE, orjson.dumps(document).decode()):
                await connection.execute(RAISE)
                log.info("rates.in_force", on=str(rates.on), currencies=len(rates.worth))


def read_stored_rates(stored: str | None) -> Rates:
    """The rates that are in force, as the database has them."""
    document = orjson.loads(stored or "{}")
    if not document:
        return NO_RATES
    return Rates(date.fromisoformat(document["on"]), document["base"], document["worth"])


def _version_of(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
