"""A stack, a receiver and a ledger for each test of this folder."""

import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.conftest import IS_SOAK
from tests.faults.ledger import Ledger
from tests.faults.machines import Machines
from tests.faults.stories import csms
from tests.stack import AS_SHIPPED, FEW, Stack, receiving

MONDAY_MORNING = datetime(2026, 3, 2, 10, tzinfo=UTC)
SMALL_POLICY = Path(__file__).parent / "policy.yaml"
"""A policy with one trigger and two rhythms: these tests are about exactly-once effects, not about their number."""

OpenStack = Callable[..., AbstractAsyncContextManager[Ledger]]


@pytest.fixture
def open_stack() -> OpenStack:
    """Opens a stack with all services and one webhook subscription to due touchpoints.

    `policy` None: the shipped one. `machines`: on whose first one the services run, in place of this one.
    """

    @asynccontextmanager
    async def opened(
        *,
        nodes: int = 1,
        start: datetime = MONDAY_MORNING,
        policy: Path | None = SMALL_POLICY,
        machines: Machines | None = None,
        partitions: int = AS_SHIPPED if IS_SOAK else FEW,
    ) -> AsyncGenerator[Ledger]:
        with tempfile.TemporaryDirectory(prefix="drumbeat-fault-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            folder.chmod(0o755)
            settings = {} if policy is None else {"DRUMBEAT_POLICY": str(policy)}
            async with (
                Stack(folder, start=start, nodes=nodes, partitions=partitions, settings=settings) as stack,
                receiving() as receiver,
            ):
                if machines is not None:
                    stack.environment |= machines.settings(1, stack)
                await stack.run()
                await stack.post(
                    "notifier",
                    "/v1/subscriptions",
                    {"url": receiver.url, "types": ["drumbeat.touchpoint.due.v1"]},
                )
                await stack.tell(*csms(start))
                yield Ledger(stack, receiver)

    return opened
