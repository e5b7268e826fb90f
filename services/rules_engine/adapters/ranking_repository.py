"""Ranks of revenue: the cut-offs that say which share of the book an account belongs to.

They are worked out only while somebody reads them, at most once a service day, and sooner only while the book still
doubles. Every change of the cut-offs decides everybody again, so what moved by less than half a percent stays.
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import cast

from services.chassis.clock import ServiceClock, monotonic
from services.chassis.database import Connection, Database, real_now

SHARES = [percent / 100 for percent in range(1, 100)]
MOVED = 0.005
GOOD_FOR = timedelta(days=1)
LONGEST = 600.0  # real seconds
READ_A_SECOND = 2_000  # rows of the index, on average, spent on seeing whether the book has doubled

PATIENT = "SELECT set_config(name, $1, true) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')"
CLAIM = "SELECT arr_percentiles, ranked, ranked_at FROM book FOR UPDATE SKIP LOCKED"
KNOWN = "arr IS NOT NULL AND stage <> 'churned'"
MANY = f"SELECT count(*) FROM (SELECT 1 FROM account WHERE {KNOWN} LIMIT $1) AS found"
RANK = f"""
SELECT percentile_cont($1::float8[]) WITHIN GROUP (ORDER BY arr), count(*) FROM account WHERE {KNOWN}
"""
STORE = "UPDATE book SET arr_percentiles = $1, ranked = $2, ranked_at = $3"


class Ranking:
    """A loop's pass: rank anew when it is time. One replica does it, the others see the epoch move."""

    def __init__(self, database: Database, clock: ServiceClock, wanted: Callable[[], bool]) -> None:
        self._database = database
        self._clock = clock
        self._wanted = wanted
        self._look_again = 0.0

    async def run_once(self) -> float | None:
        if not self._wanted():
            return None
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(CLAIM)
            if row is None:
                return None
            held, ranked, at = cast("tuple[list[float], int, datetime | None]", tuple(row))
            now = self._clock.at(await real_now(connection))
            await connection.execute(PATIENT, f"{LONGEST:.0f}s")
            if at is None or now - at >= GOOD_FOR or await self._doubled(connection, ranked):
                await _rank(connection, held, now)
        return None

    async def _doubled(self, connection: Connection, ranked: int) -> bool:
        if monotonic() < self._look_again:
            return False
        self._look_again = monotonic() + 2 * ranked / READ_A_SECOND
        many = max(1, 2 * ranked)
        return await connection.fetchval(MANY, many) == many


async def _rank(connection: Connection, held: Sequence[float], now: datetime) -> None:
    row = await connection.fetchrow(RANK, SHARES, timeout=LONGEST)
    found, ranked = cast("tuple[list[float] | None, int]", tuple(row or (None, 0)))
    fresh = found or []
    if moved(held, fresh):
        await connection.execute("UPDATE epoch SET number = number + 1")
    else:
        fresh = list(held)
    await connection.execute(STORE, fresh, ranked, now)


def moved(held: Sequence[float], found: Sequence[float]) -> bool:
    """Did a cut-off move by enough to decide everybody again?"""
    if len(held) != len(found):
        return True
    return any(abs(old - new) > MOVED * max(abs(old), abs(new)) for old, new in zip(held, found, strict=True))
