"""A partition that halts in any service is announced by mail, once, and so is its going on."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from services.notifier.adapters.clients.service_client import ServiceClient
from services.notifier.adapters.halt_watch import HaltWatch
from services.notifier.adapters.service_mail_repository import ServiceMailRepository
from tests.integration.notifier.conftest import ADDRESSES, BOX, Notifier

pytestmark = pytest.mark.integration

CLUSTER = "a cluster"
HALT = """
INSERT INTO consumer_offset (cluster, grp, topic, part, next_offset, halted)
VALUES ($1, 'drumbeat.notifier', 'touchpoint.events', 3, 42, 'more than 100 dead letters')
"""


@dataclass
class OtherService:
    """A service on a real socket that lists its partitions. `status` other than 200: that is its answer."""

    halted: str | None = None
    status: int = 200
    server: TestServer = field(init=False)

    def __post_init__(self) -> None:
        app = web.Application()
        app.router.add_get("/v1/partitions", self.list_partitions)
        self.server = TestServer(app)

    async def list_partitions(self, request: web.Request) -> web.Response:
        assert request.headers["authorization"].startswith("Bearer ")
        items: list[dict[str, Any]] = [
            {"topic": "account.signals", "partition": 5, "halted": self.halted},
            {"topic": "account.signals", "partition": 6, "halted": None},
        ]
        return web.json_response({"items": items}, status=self.status)


@pytest.fixture
async def engine() -> AsyncGenerator[OtherService]:
    other = OtherService()
    await other.server.start_server()
    yield other
    await other.server.close()


async def announced(notifier: Notifier) -> list[tuple[str, str]]:
    """To whom mails went since this was last asked, and their subjects."""
    await notifier.send_service_mails()
    found = [(mail.to, mail.message.subject) for mail in notifier.mailer.mails]
    notifier.mailer.mails.clear()
    return sorted(found)


@pytest.fixture
async def client(tmp_path: Path) -> AsyncGenerator[ServiceClient]:
    key_file = tmp_path / "api-key"
    key_file.write_text("db_test_key")
    opened = ServiceClient(key_file)
    yield opened
    await opened.close()


async def test_a_halt_and_its_end_are_one_mail_each_although_services_go_away(
    notifier: Notifier, engine: OtherService, client: ServiceClient
) -> None:
    others = {"rules_engine": str(engine.server.make_url("")).rstrip("/")}
    mails = ServiceMailRepository(notifier.database, BOX, ADDRESSES)
    watch = HaltWatch(notifier.database, CLUSTER, client, others, mails, "ops@vendor.example")
    assert await watch.run_once() == 0

    engine.halted = "its stored offset is not on the broker"
    await notifier.database.pool.execute(HALT, CLUSTER)
    assert await watch.run_once() == 2
    assert await announced(notifier) == [
        ("ops@vendor.example", "Partition account.signals/5 is halted"),
        ("ops@vendor.example", "Partition touchpoint.events/3 is halted"),
    ]
    assert await watch.run_once() == 0

    engine.status, engine.halted = 503, None
    await notifier.database.pool.execute("UPDATE consumer_offset SET halted = NULL")
    assert await watch.run_once() == 1, "of a service that does not answer nothing is known"
    assert await announced(notifier) == [("ops@vendor.example", "Partition touchpoint.events/3 goes on")]

    engine.status = 200
    assert await watch.run_once() == 1
    assert await announced(notifier) == [("ops@vendor.example", "Partition account.signals/5 goes on")]
    assert await watch.run_once() == 0
