"""A running stack and a browser, one of each for a module of tests."""

import shutil
import tempfile
from collections.abc import AsyncGenerator
from datetime import UTC, datetime
from pathlib import Path

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright, expect

from tests.browser.visits import FLAGS, MARKUP, chromium
from tests.stack import Stack, event, until

MORNING = datetime(2026, 3, 2, 10, tzinfo=UTC)  # a Monday: CSMs are at work

expect.set_options(timeout=60_000)  # milliseconds that a busy machine may take


@pytest.fixture(scope="module")
def executable() -> str:
    return chromium()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(executable: str) -> AsyncGenerator[Stack]:
    folder = Path(tempfile.mkdtemp(prefix="drumbeat-console-"))
    folder.chmod(0o755)
    async with Stack(folder, start=MORNING) as running:
        # The notifier reads from the two before it, the console from all three.
        for names in (("rules_engine", "scheduler"), ("notifier",), ("console",)):
            await running.run(*names)
            for name, process in running.processes.items():
                running.environment[f"DRUMBEAT_{name.upper()}__PORT"] = str(process.port)
        now = await running.now()
        kim = {"name": "Kim", "email": "kim@x.example"}
        account = {"arr": 250_000, "csm_id": "csm-kim"}
        await running.tell(
            event("csm.described", "csm-kim", kim, id="c", time=now),
            event("account.described", "acme", {**account, "name": f"Acme {MARKUP}"}, id="a", time=now),
            event("account.described", "quiet", {**account, "name": "Quiet Co"}, id="q", time=now),
            event("health.scored", "acme", {"score": 20}, id="h", time=now),
        )
        await until(lambda: _due(running, "acme"), 60, "acme has something due")
        yield running
    shutil.rmtree(folder, ignore_errors=True)


async def _due(stack: Stack, account_id: str) -> bool:
    found = await stack.get("scheduler", "/v1/touchpoints", account_id=account_id, status="due")
    return bool(found["items"])


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def browser(executable: str) -> AsyncGenerator[Browser]:
    async with async_playwright() as playwright:
        launched = await playwright.chromium.launch(executable_path=executable, args=FLAGS.split())
        yield launched
        await launched.close()
