"""Watches for halted partitions of all services, and mails operators when one halts and when it goes on.

What was told is in the mails themselves: the last one about a partition says what its readers know. They are kept for
thirty days after they were sent, so a partition that is still halted then is told of again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, cast

import orjson
import structlog

from services.chassis.database import Connection, Database, real_now
from services.chassis.halts import list_partitions
from services.chassis.loops import Loop
from services.notifier.adapters.clients.service_client import ServiceAway, ServiceClient
from services.notifier.adapters.service_mail_repository import ServiceMailRepository
from services.notifier.application.halt_news import HaltNews, Place, find_halt_news
from services.notifier.application.service_mail import MailKind

log = structlog.get_logger(__name__)

OWN: Final = "notifier"
WATCH_SECONDS: Final = 15.0
LAST: Final = """
SELECT DISTINCT ON (data->>'service', data->>'topic', data->>'partition') data
FROM service_mail WHERE kind = 'partition'
ORDER BY data->>'service', data->>'topic', data->>'partition', requested_at DESC, data->>'state'
"""
ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended('halt watch', 0))"


@dataclass(frozen=True, slots=True)
class HaltWatch:
    """`cluster`: of Kafka. `others`: the addresses of the other services by name. `address`: who is told."""

    database: Database
    cluster: str
    client: ServiceClient
    others: Mapping[str, str]
    mails: ServiceMailRepository
    address: str

    async def run_once(self) -> int:
        """Take in the mails about what has changed; returns how many."""
        rows = {OWN: await list_partitions(self.database, self.cluster)}
        for service, url in self.others.items():
            listed = await self._read(service, url)
            if listed is not None:
                rows[service] = listed
        halted = {
            Place(service, row["topic"], row["partition"]): str(row["halted"])
            for service, partitions in rows.items()
            for row in partitions
            if row["halted"] is not None
        }
        async with self.database.transaction() as connection:
            return await self._add_mails(connection, halted, rows)

    async def _add_mails(
        self, connection: Connection, halted: Mapping[Place, str], answered: Mapping[str, object]
    ) -> int:
        await connection.execute(ONE_AT_A_TIME)  # replicas watch side by side
        last = [HaltNews.read(row[0].encode()) for row in await connection.fetch(LAST)]
        at = await real_now(connection)
        found = find_halt_news(halted, answered.keys(), last, at)
        for news in found:
            await self.mails.add(connection, MailKind.PARTITION, self.address, news.write().decode(), at)
        return len(found)

    async def _read(self, service: str, url: str) -> list[dict[str, Any]] | None:
        """The partitions that another service reads. None: it does not say, and is asked again."""
        try:
            answer = await self.client.request("GET", f"{url}/v1/partitions")
            if answer.status_code != 200:
                raise ServiceAway(f"{url} answered {answer.status_code}")
            return cast("list[dict[str, Any]]", orjson.loads(answer.content)["items"])
        except (ServiceAway, orjson.JSONDecodeError, KeyError) as problem:
            log.debug("halt_watch.service_away", service_name=service, problem=str(problem))
            return None


def halt_watch_loop(watch: HaltWatch) -> Loop:
    """In real time: a halt is one of the machine, whatever the service clock shows."""

    async def run_once() -> float | None:
        await watch.run_once()
        return None

    return Loop("halt watch", interval=WATCH_SECONDS, run_once=run_once)
