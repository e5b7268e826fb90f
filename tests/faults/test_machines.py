"""Issue 16.6: three brokers and three replicas of each service, on a network that delays, loses, resets and parts."""

import asyncio
from itertools import cycle

import pytest

from services.devstack.embedded import kafka_node
from tests.conftest import IS_SOAK
from tests.faults.conftest import MONDAY_MORNING, OpenStack
from tests.faults.ledger import Ledger
from tests.faults.machines import NUMBERS, Machines
from tests.faults.network import Network, Quality
from tests.faults.stories import LEADS_TO, troubled
from tests.stack import SERVICES, Stack, until

# Twelve processes want more than two cores give beside other tests.
pytestmark = [
    pytest.mark.integration,
    pytest.mark.long,
    pytest.mark.timeout(1800),
    pytest.mark.skipif(not IS_SOAK, reason="`make faults` runs it"),
]

OWNERS = "SELECT count(DISTINCT owner) FROM consumer_lease WHERE leased_until > clock_timestamp()"
PARTITIONS = 6
ISOLATED = NUMBERS
"""The machines that are cut off, one after the other."""
CUT_OFF_SECONDS = (
    12.0  # longer than a lease, than a broker's session, and than a request waits for the broker
)
BETWEEN_SECONDS = 4.0
RESET_SHARE = (
    0.2  # of all connections, at the first batch and at every fourth after it, also where the machine is slow
)


def name_of(service: str, number: int) -> str:
    return service if number == 1 else f"{service}#{number}"


async def start_replicas(stack: Stack, machines: Machines) -> None:
    """Those of the other machines, until each works at partitions."""
    others = [(service, number) for number in NUMBERS[1:] for service in SERVICES]
    for service, number in others:
        stack.environment |= machines.settings(number, stack)
        stack.spawn(name_of(service, number))
    for service, number in others:
        await stack.ready(name_of(service, number))


async def post_in_turns(ledger: Ledger, network: Network, ended: asyncio.Event) -> None:
    """Two accounts turn red every half a second, taken in by one replica after the other."""
    processes = ledger.stack.processes
    first = processes["rules_engine"]
    replicas = [processes[name_of("rules_engine", number)] for number in NUMBERS]
    for number, replica in enumerate(cycle(replicas)):
        if ended.is_set():
            break
        processes["rules_engine"] = replica
        if number % 4 == 0:
            network.reset(RESET_SHARE)
        await ledger.post(troubled(2, MONDAY_MORNING), leads_to=LEADS_TO)
        await asyncio.sleep(0.5)
    processes["rules_engine"] = first


async def test_three_machines_on_an_unkind_network_lose_and_repeat_nothing(
    open_stack: OpenStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Network(Quality(), seed=16) as network:
        machines = Machines(network)
        monkeypatch.setattr(kafka_node, "properties", machines.properties)
        async with open_stack(nodes=len(NUMBERS), machines=machines, partitions=PARTITIONS) as ledger:
            stack = ledger.stack
            await start_replicas(stack, machines)

            async def all_work() -> bool:
                counts = [(await ledger.rows(service, OWNERS))[0][0] for service in SERVICES]
                return counts == [len(NUMBERS)] * len(SERVICES)

            await until(all_work, 60, "partitions of every service with three replicas")
            ended = asyncio.Event()
            posting = asyncio.create_task(post_in_turns(ledger, network, ended))
            await asyncio.sleep(BETWEEN_SECONDS)
            for number in ISOLATED:
                with machines.isolated(number):
                    await asyncio.sleep(CUT_OFF_SECONDS)
                await asyncio.sleep(BETWEEN_SECONDS)
            ended.set()
            await posting

            await ledger.quiet(150)
            await ledger.check()
            assert all(process.child.poll() is None for process in stack.processes.values())
            counts = network.counts()
            assert counts["lost"] > 0, counts
            assert counts["reset"] > 0, counts
