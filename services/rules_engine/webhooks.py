"""Composes what takes webhooks of other systems: sources, the accounts behind external ids, and what is recorded."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import APIRouter

from services.chassis import dead_letters
from services.chassis.clock import real_now
from services.chassis.dead_letter_routes import REPLAYED
from services.chassis.keys import ApiKey
from services.chassis.service import Runtime
from services.connectors.source import Source
from services.connectors.sources.items import Item
from services.rules_engine import settings
from services.rules_engine.adapters.external_ids import ExternalIds
from services.rules_engine.adapters.provider_client import ProviderClient
from services.rules_engine.adapters.webhook_repository import WebhookRepository
from services.rules_engine.application.complete_items import ProviderAway
from services.rules_engine.application.take_webhook import (
    Event,
    NotAcknowledged,
    SentEvent,
    WebhookPorts,
    WebhookResult,
    take_items,
    take_webhook,
)
from services.rules_engine.entrypoints.http_ingest import Ingest
from services.rules_engine.entrypoints.http_webhooks import try_later, webhook_routes

SCOPES = frozenset({"signals", "directory", "consent"})
"""What a source may say: the same as a key for events."""


@dataclass(frozen=True, slots=True)
class Webhooks:
    """The routes, and how a dead letter is replayed: one of a webhook is mapped again."""

    runtime: Runtime
    ingest: Ingest

    @property
    def _records(self) -> WebhookRepository:
        return WebhookRepository(
            self.runtime.database, self.runtime.outbox, self.runtime.relay.wake, real_now
        )

    @property
    def _ports(self) -> WebhookPorts:
        provider = ProviderClient(self.runtime.settings.webhook_allow_private)
        return WebhookPorts(provider, ExternalIds(self.runtime.database), self._send, self._records)

    def router(self) -> APIRouter:
        sources = settings.webhook_sources(self.runtime.settings)
        return webhook_routes(sources, self._take, self._records)

    async def replay(self, letter_id: int) -> str | None:
        """Publish a dead letter again, or map its item again: `replayed`, or why it is refused again; None: no such one.

        Raises a `Problem`, 503, when it is to be tried later.
        """
        letter = await self._records.read_letter(letter_id)
        if letter is None:
            found = await dead_letters.replay(self.runtime.database, self.runtime.outbox, letter_id)
            return REPLAYED if found else None
        source = settings.webhook_sources(self.runtime.settings).get(letter.source)
        if source is None:
            return f"refused: the source {letter.source!r} is not configured"
        try:
            result = await take_items(source, [letter.item], self._ports, self.runtime.clock.now())
        except (NotAcknowledged, ProviderAway) as later:
            raise try_later(later) from later
        if result.refused:
            return f"refused: {result.refused[0].reason}"
        await self._records.mark_replayed(letter_id)
        return REPLAYED

    async def _take(self, source: Source, items: Sequence[Item]) -> WebhookResult:
        return await take_webhook(source, items, self._ports, self.runtime.clock.now())

    async def _send(self, source: str, events: Sequence[Event]) -> list[SentEvent]:
        sender = ApiKey(f"webhook {source}", "", SCOPES)
        return [SentEvent(item.status, item.problem) for item in await self.ingest.take(events, sender)]
