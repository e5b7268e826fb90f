"""An outage is one line when it begins and one when it ends, however many notice it."""

import asyncpg
import pytest
from aiokafka.errors import KafkaConnectionError
from structlog.testing import capture_logs

from services.chassis import outages
from services.chassis.loops import Loop
from services.chassis.outages import KafkaAway, Outages


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that the module sees, to be changed by the test."""
    now = [0.0]
    monkeypatch.setattr(outages, "monotonic", lambda: now[0])
    return now


def test_many_failures_of_many_are_one_outage_that_ends_when_all_of_them_work(clock: list[float]) -> None:
    seen = Outages()
    with capture_logs() as lines:
        for second in range(60):
            clock[0] = float(second)
            assert seen.report("relay", KafkaAway("no answer"))
            assert seen.report("sweep", asyncpg.InterfaceError("closed"))
            assert seen.report("keys", ConnectionRefusedError())
        clock[0] = 60.0
        seen.works("relay")
        seen.works("sweep")  # `keys` does not work yet
        clock[0] = 70.0
        seen.works("others")
        seen.works("keys")
        seen.works("keys")
    assert [(line["event"], line["part"], line.get("seconds")) for line in lines] == [
        ("outage.began", "Kafka", None),
        ("outage.began", "PostgreSQL", None),
        ("outage.ended", "Kafka", 59.0),
        ("outage.ended", "PostgreSQL", 59.0),
    ]


def test_who_fails_again_at_once_makes_no_second_outage(clock: list[float]) -> None:
    seen = Outages()
    with capture_logs() as lines:
        for second in range(10):
            clock[0] = float(second)
            seen.report("producer", KafkaConnectionError())
            seen.works("producer")
    assert [line["event"] for line in lines] == ["outage.began"]


def test_a_part_that_fails_once_more_while_it_comes_back_makes_no_second_outage(clock: list[float]) -> None:
    """Issue 11, A13 c: the broker is asked every five seconds, and an answer may take two."""
    seen = Outages()
    with capture_logs() as lines:
        for failed_at in (0.0, 7.0, 14.0):
            clock[0] = failed_at
            seen.report("broker", KafkaAway("no answer"))
            clock[0] = failed_at + 5.0
            seen.works("broker")
        clock[0] = 30.0
        seen.works("broker")
    assert [(line["event"], line.get("seconds")) for line in lines] == [
        ("outage.began", None),
        ("outage.ended", 14.0),
    ]


@pytest.mark.parametrize(
    "problem", [ValueError("a bug"), asyncpg.DeadlockDetectedError("two"), asyncpg.LockNotAvailableError("")]
)
def test_what_says_nothing_of_a_part_is_no_outage(problem: Exception) -> None:
    seen = Outages()
    with capture_logs() as lines:
        assert not seen.report("relay", problem)
    assert not lines


async def test_a_loop_writes_one_line_for_an_outage_and_each_error_of_its_own_with_a_traceback() -> None:
    results: list[Exception | None] = [
        *(ConnectionRefusedError() for _ in range(5)), ValueError("a bug"), None
    ]  # fmt: skip

    async def run_once() -> float | None:
        problem = results.pop(0)
        if problem is not None:
            raise problem
        loop.stop()
        return None

    loop = Loop("of a test", interval=0.001, run_once=run_once)
    with capture_logs() as lines:
        await loop.run()
    assert [line["event"] for line in lines] == ["outage.began", "loop.failed"]
    assert isinstance(lines[1]["exc_info"], ValueError)
