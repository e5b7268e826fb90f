"""kill -9 at every fault point of every service: no acknowledged event is lost, no effect exists twice."""

import asyncio

import pytest

from services.chassis.faults import POINTS
from tests.conftest import IS_SOAK
from tests.faults.conftest import MONDAY_MORNING, OpenStack
from tests.faults.stories import LEADS_TO, troubled
from tests.stack import until

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(900)]

EVERY_SERVICE = [point for point in POINTS if point.split(".")[0] in ("consumer", "relay")]
OWN = {"rules_engine": ("ingest", "sweep"), "scheduler": ("release",), "notifier": ("sender",)}


def points_of(number: int, service: str) -> list[str]:
    """Those of the service, and those of the code that all share: in `make faults` all, else each in one service."""
    shared = EVERY_SERVICE if IS_SOAK else EVERY_SERVICE[number :: len(OWN)]
    return [*(point for point in POINTS if point.split(".")[0] in OWN[service]), *shared]


POINTS_OF = {service: points_of(number, service) for number, service in enumerate(OWN)}


def test_every_fault_point_is_tested_in_some_service() -> None:
    assert {point for points in POINTS_OF.values() for point in points} == set(POINTS)


@pytest.mark.parametrize("service", [*POINTS_OF])
async def test_a_kill_at_any_point_loses_and_repeats_nothing(open_stack: OpenStack, service: str) -> None:
    async with open_stack() as ledger:
        stack = ledger.stack
        for point in POINTS_OF[service]:
            stack.processes[service].child.terminate()
            stack.processes[service].child.wait()
            armed = stack.spawn(
                service, faults=f"{point}=kill@{1 if point.startswith(('ingest', 'sender')) else 2}"
            )
            await asyncio.sleep(0.5)
            posting = asyncio.create_task(ledger.post(troubled(3, MONDAY_MORNING), leads_to=LEADS_TO))
            await until(lambda armed=armed: armed.child.poll() is not None, 90, f"{service} dies at {point}")
            assert armed.child.returncode == -9, f"{point}: {armed.log.read_text()[-2000:]}"
            stack.spawn(service)
            await stack.ready(service)
            await posting

        await ledger.quiet()
        await ledger.check()
