"""Ranks of revenue: the percentiles that tell where an account lies among all accounts.

They are computed only while a condition reads them, at most once per service day, and sooner only when the number of
accounts has doubled. Every change has all accounts evaluated again, so percentiles that moved by less than 0.5% stay.
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
READ_A_SECOND = 2_000  # rows of the index, on average, read to see whether the number of accounts has doubled

PATIENT = "SELECT set_config(name, $1, true) FROM pg_settings WHERE name IN ('statement_timeout', 'transaction_timeout')"
CLAIM = "SELECT arr_percentiles, ranked, ranked_at FROM book FOR UPDATE SKIP LOCKED"
KNOWN = "arr IS NOT NULL AND stage <> 'churned'"
MANY = f"SELECT count(*) FROM (SELECT 1 FROM account WHERE {KNOWN} LIMIT $1) AS found"
RANK = f"""
SELECT percentile_cont($1::float8[]) WITHIN GROUP (ORDER BY arr), count(*) FROM account WHERE {KNOWN}
"""
STORE = "UPDATE book SET arr_percentiles = $1, ranked = $2, ranked_at = $3"


class Ranking:
    """One pass of a loop: rank again when it is time. One replica does it; the others see the generation change."""

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
            percentiles, ranked, at = cast("tuple[list[float], int, datetime | None]", tuple(row))
            now = self._clock.at(await real_now(connection))
            await connection.execute(PATIENT, f"{LONGEST:.0f}s")
            if at is None or now - at >= GOOD_FOR or await self._doubled(connection, ranked):
                await _rank(connection, percentiles, now)
        return None

    async def _doubled(self, connection: Connection, ranked: int) -> bool:
        if monotonic() < self._look_again:
            return False
        self._look_again = monotonic() + 2 * ranked / READ_A_SECOND
        many = max(1, 2 * ranked)
        return await connection.fetchval(MANY, many) == many


async def _rank(connection: Connection, percentiles: Sequence[float], now: datetime) -> None:
    row = await connection.fetchrow(RANK, SHARES, timeout=LONGEST)
    computed, ranked = cast("tuple[list[float] | None, int]", tuple(row or (None, 0)))
    fresh = computed or []
    if has_moved(percentiles, fresh):
        await connection.execute("UPDATE epoch SET number = number + 1")
    else:
        fresh = list(percentiles)
    await connection.execute(STORE, fresh, ranked, now)


def has_moved(before: Sequence[float], after: Sequence[float]) -> bool:
    """Whether a percentile moved by enough to evaluate all accounts again."""
    if len(before) != len(after):
        return True
    return any(
        abs(old - new) > MOVED * max(abs(old), abs(new)) for old, new in zip(before, after, strict=True)
    )
