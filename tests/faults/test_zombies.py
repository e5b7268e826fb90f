"""Frozen replicas: others take over their work, and a replica that wakes overwrites nothing."""

import asyncio

import pytest

from tests.conftest import IS_SOAK
from tests.faults.conftest import MONDAY_MORNING, OpenStack
from tests.faults.ledger import Ledger
from tests.faults.stories import LEADS_TO, troubled
from tests.stack import SERVICES, stopped, until

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(600)]


BETWEEN_POSTS_SECONDS = 0.25 if IS_SOAK else 1.0


async def post_for_a_while(ledger: Ledger, seconds: float) -> None:
    """Three accounts turn red every second, in `make faults` four times as many."""
    until_then = asyncio.get_running_loop().time() + seconds
    while asyncio.get_running_loop().time() < until_then:
        await ledger.post(troubled(3, MONDAY_MORNING), leads_to=LEADS_TO)
        await asyncio.sleep(BETWEEN_POSTS_SECONDS)


async def test_a_frozen_replica_of_each_service_is_replaced_and_writes_nothing_when_it_wakes(
    open_stack: OpenStack,
) -> None:
    async with open_stack() as ledger:
        stack = ledger.stack
        seconds = [f"{service}#2" for service in SERVICES]
        for name in seconds:
            stack.spawn(name)
        await asyncio.gather(*(stack.ready(name) for name in seconds))
        posting = asyncio.create_task(post_for_a_while(ledger, 20))
        await asyncio.sleep(3)

        for name in seconds:
            stack.freeze(name)
        await asyncio.sleep(10)
        for name in seconds:
            stack.thaw(name)

        await posting
        await ledger.quiet(120)
        await ledger.check()


@pytest.mark.parametrize("service", SERVICES if IS_SOAK else SERVICES[:1])  # all share the code of leases
async def test_two_zombies_on_one_partition_leave_one_effect(open_stack: OpenStack, service: str) -> None:
    """Both replicas stop inside a batch's transaction, one after the other, and wake while a third works."""
    async with open_stack() as ledger:
        stack = ledger.stack
        stack.processes[service].child.terminate()
        stack.processes[service].child.wait()
        first = stack.spawn(service, faults="consumer.before_commit=stop@1")
        ledger.produce(troubled(5, MONDAY_MORNING), leads_to=LEADS_TO)
        await until(lambda: stopped(first.child.pid), 60, f"{service} freezes in its transaction")
        second = stack.spawn(f"{service}#2", faults="consumer.before_commit=stop@1")
        await until(lambda: stopped(second.child.pid), 120, f"the second {service} freezes too")
        stack.spawn(f"{service}#3")
        await stack.ready(f"{service}#3")
        stack.processes[service], stack.processes["zombie"] = stack.processes[f"{service}#3"], first

        stack.thaw("zombie")
        stack.thaw(f"{service}#2")

        await ledger.quiet(120)
        await ledger.check()
