"""The pollers of open pages: one for each key, account, search and person, dropped a minute after its last use."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from services.chassis.clock import ServiceClock, real_now
from services.console.client import AsyncApiClient
from services.console.poller import Poller

_KEPT: Final = timedelta(minutes=1)
_FRESH: Final = timedelta(seconds=1.5)  # real time; pages read again every two seconds
_MOST: Final = 1_000


@dataclass(slots=True)
class _Entry:
    poller: Poller
    used_at: datetime
    read_at: datetime | None = None
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


class Pollers:
    """Pages that show the same share a poller, and what it has read."""

    def __init__(self, apis: AsyncApiClient, clock: ServiceClock) -> None:
        self._apis, self._clock = apis, clock
        self._entries: dict[tuple[str, str, str, str], _Entry] = {}

    async def refreshed(self, key: str, account_id: str, search: str, csm_id: str = "") -> Poller:
        """The poller, with answers that are at most 1.5 real seconds old. `csm_id`: only what is theirs; "": all."""
        now = real_now()
        self._prune(now)
        name = (key, account_id, search, csm_id)
        entry = self._entries.get(name)
        if entry is None:
            poller = Poller(self._apis, key, self._clock, csm_id)
            poller.select(account_id)
            poller.accounts.query = search
            entry = self._entries[name] = _Entry(poller, now)
        entry.used_at = now
        async with entry.lock:
            if entry.read_at is None or now - entry.read_at > _FRESH:
                await entry.poller.refresh()
                entry.read_at = real_now()
        return entry.poller

    def _prune(self, now: datetime) -> None:
        if len(self._entries) >= _MOST:
            self._entries.clear()
        for name in [name for name, entry in self._entries.items() if now - entry.used_at > _KEPT]:
            del self._entries[name]
