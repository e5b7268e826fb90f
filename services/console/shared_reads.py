"""Reads of the APIs that all open pages share: equal reads within a short time are made once."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from services.chassis.clock import real_now
from services.console.client import Answer, AsyncApiClient, Failure, Query, Service
from services.console.json_fields import Json

_KEPT: Final = timedelta(minutes=5)
_MAX_READS: Final = 5_000
_Name = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Read:
    """The last good answer, the error of the newest attempt ("" when it succeeded) and its HTTP status."""

    document: Json | None = None
    error: str = ""
    status: int | None = None
    read_at: datetime | None = None
    """Real time of `document`."""


class SharedReads:
    """Answers by key, service, path and query. An answer is forgotten five minutes after its last read."""

    def __init__(self, apis: AsyncApiClient) -> None:
        self._apis = apis
        self._reads: dict[_Name, tuple[datetime, Read]] = {}
        self._under_way: dict[_Name, asyncio.Task[Read]] = {}

    async def read(
        self, key: str, service: Service, path: str, query: Query | None = None, *, max_age: float = 1.0
    ) -> Read:
        """An answer that is at most `max_age` real seconds old. A failure keeps the last good answer."""
        name = (key, service, path, repr(sorted((query or {}).items())))
        return await self._read(name, lambda: self._apis.get(key, service, path, query), max_age)

    async def ask(self, key: str, service: Service, path: str, body: Json, *, max_age: float) -> Read:
        """The same for a question that is sent as the body of a POST."""
        name = (key, service, path, repr(body))
        return await self._read(name, lambda: self._apis.ask(key, service, path, body), max_age)

    async def _read(self, name: _Name, fetch: Callable[[], Awaitable[Answer]], max_age: float) -> Read:
        stored = self._reads.get(name)
        if stored is not None and real_now() - stored[0] <= timedelta(seconds=max_age):
            return stored[1]
        task = self._under_way.get(name)
        if task is None:
            task = asyncio.create_task(self._fetch(name, fetch))
            self._under_way[name] = task
            task.add_done_callback(lambda _: self._under_way.pop(name, None))
        return await asyncio.shield(task)

    def forget(self, key: str) -> None:
        """Make the next read of this key a new one; called after the reader has changed something."""
        for name, (_, read) in list(self._reads.items()):
            if name[0] == key:
                self._reads[name] = (datetime.min.replace(tzinfo=real_now().tzinfo), read)

    async def _fetch(self, name: _Name, fetch: Callable[[], Awaitable[Answer]]) -> Read:
        answer = await fetch()
        now = real_now()
        if isinstance(answer, Failure):
            last = self._reads.get(name, (now, Read()))[1]
            kept = last if answer.status not in (401, 403, 404) else Read()
            read = replace(kept, error=answer.text, status=answer.status)
        else:
            read = Read(answer, read_at=now)
        self._prune(now)
        self._reads[name] = (now, read)
        return read

    def _prune(self, now: datetime) -> None:
        if len(self._reads) >= _MAX_READS:
            self._reads.clear()
        for name in [name for name, (at, _) in self._reads.items() if now - at > _KEPT]:
            del self._reads[name]
