"""A stack, a receiver and a ledger for each test of this folder."""

import tempfile
from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.ledger import Ledger
from tests.faults.stories import csms
from tests.stack import Stack, receiving

MONDAY_MORNING = datetime(2026, 3, 2, 10, tzinfo=UTC)
OpenStack = Callable[..., AbstractAsyncContextManager[Ledger]]


@pytest.fixture
def open_stack() -> OpenStack:
    """Opens a stack on which everything runs and one subscription listens to what comes due."""

    @asynccontextmanager
    async def opened(
        *, rate: float = 1.0, nodes: int = 1, start: datetime = MONDAY_MORNING
    ) -> AsyncGenerator[Ledger]:
        with tempfile.TemporaryDirectory(prefix="drumbeat-fault-", ignore_cleanup_errors=True) as name:
            folder = Path(name)
            folder.chmod(0o755)
            async with Stack(folder, rate=rate, start=start, nodes=nodes) as stack, receiving() as receiver:
                await stack.run()
                await stack.post(
                    "notifier",
                    "/v1/subscriptions",
                    {"url": receiver.url, "types": ["drumbeat.touchpoint.due.v1"]},
                )
                await stack.tell(*csms(start))
                yield Ledger(stack, receiver)

    return opened
