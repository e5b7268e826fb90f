"""One broker, one database and one rules engine for a module of this folder."""

import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from tests.stack import Stack, event, until

_numbers = count(1)


@asynccontextmanager
async def engine(**more: Any) -> AsyncGenerator["Engine"]:
    """A running rules engine; `more` goes to the Stack."""
    with tempfile.TemporaryDirectory(prefix="drumbeat-engine-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder, **more) as stack:
            await stack.run("rules_engine")
            yield Engine(stack)


class Engine:
    """A client of one running rules engine."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack

    @property
    def url(self) -> str:
        return self.stack.processes["rules_engine"].url

    async def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        return await self.stack.client.request(method, self.url + path, **more)

    async def get(self, path: str, **params: Any) -> Any:
        return await self.stack.get("rules_engine", path, **params)

    async def send(
        self, content: Any, media: str | None, *, query: str = "", **headers: str
    ) -> httpx.Response:
        """POST /v1/events; a header `ce_id` is sent as `ce-id`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        if media is not None:
            named["content-type"] = media
        return await self.request("POST", f"/v1/events{query}", content=content, headers=named)

    async def now(self) -> datetime:
        return await self.stack.now()

    async def make_event(
        self, kind: str, account: str, data: Mapping[str, object], **more: Any
    ) -> dict[str, Any]:
        """An event of a minute ago with an id of its own, not posted yet."""
        more.setdefault("time", await self.now() - timedelta(minutes=1))
        more.setdefault("id", fresh("event"))
        return event(kind, account, data, **more)

    async def post_event(
        self, kind: str, account: str, data: Mapping[str, object], **more: Any
    ) -> dict[str, Any]:
        """Post an event and wait until it is applied."""
        sent = await self.make_event(kind, account, data, **more)
        await self.stack.tell(sent)
        await self.wait_until_folded(sent)
        return sent

    async def receipt(self, sent: Mapping[str, Any]) -> dict[str, Any] | None:
        return await self.stack.find("rules_engine", "/v1/events", source=sent["source"], id=sent["id"])

    async def wait_until_folded(self, sent: Mapping[str, Any], seconds: float = 20) -> dict[str, Any]:
        async def read() -> dict[str, Any] | None:
            receipt = await self.receipt(sent)
            return receipt if receipt is not None and receipt["status"] == "folded" else None

        return await until(read, seconds, f"{sent['id']} folded")

    async def account(self, account_id: str) -> dict[str, Any]:
        return await self.get(f"/v1/accounts/{account_id}")

    async def metric(self, name: str, **labels: str) -> float:
        """The sum of a metric's samples that carry these labels."""
        text = (await self.request("GET", "/metrics")).text
        total = 0.0
        for line in text.splitlines():
            sample, _, value = line.rpartition(" ")
            if sample.partition("{")[0] == name and all(
                f'{label}="{wanted}"' in sample for label, wanted in labels.items()
            ):
                total += float(value)
        return total


def fresh(stem: str) -> str:
    """A name no other test of this process uses."""
    return f"{stem}-{next(_numbers)}"


def problem_of(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The problem document in an answer; fails when there is none."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert len(body["detail"]) > 10, body
    return body


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def running() -> AsyncGenerator[Engine]:
    """The engine that a module's tests share."""
    async with engine() as shared:
        yield shared


OpenEngine = Callable[..., Any]


@pytest.fixture
def open_engine() -> OpenEngine:
    """An engine of the test's own, entered with what the Stack takes."""
    return engine
