"""The clocks of a real database and a real broker against this host's, which a test moves by its argument (A10)."""

from datetime import datetime, timedelta

import pytest

from services.chassis.clock import real_now
from services.chassis.clock_skew import describe_skew, measure_broker_skew, measure_database_skew
from services.chassis.settings import Kafka
from services.devstack.embedded.postgres import EmbeddedPostgres

pytestmark = pytest.mark.integration


def slow() -> datetime:
    """A host whose clock is ten minutes behind."""
    return real_now() - timedelta(minutes=10)


async def test_a_clock_that_is_behind_the_servers_is_measured_and_described(
    postgres: EmbeddedPostgres, kafka_settings: Kafka
) -> None:
    assert abs(await measure_database_skew(postgres.url)) < 1
    assert await measure_database_skew(postgres.url, now=slow) == pytest.approx(600, abs=1)

    assert abs(await measure_broker_skew(kafka_settings)) < 1
    skew = await measure_broker_skew(kafka_settings, now=slow)
    assert skew == pytest.approx(600, abs=1)

    assert describe_skew("the broker", 0.4) is None
    described = describe_skew("the broker", skew) or ""
    assert described.startswith("the clock of the broker is ")
    assert "ahead of this machine's: synchronise both by NTP" in described
