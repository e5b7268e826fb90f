"""Ports of tests for webhooks: what was sent and recorded, and what is known of external ids."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from services.connectors.lookups import Lookup
from services.connectors.mapping.load import SHIPPED, load_mapping
from services.connectors.signatures.request import Proof
from services.connectors.source import Source
from services.connectors.sources.items import Item
from services.rules_engine.application.complete_items import LookupRefused, ProviderAway
from services.rules_engine.application.take_webhook import Event, Link, SentEvent, WebhookPorts, WebhookResult


def source_of(name: str, token: str | None = None) -> Source:
    return Source(name, load_mapping(SHIPPED / f"{name}.yaml"), Proof(("s",)), "https://x.example", token)


@dataclass
class Recorder:
    """All ports. `links`: what is known; `answers`: path -> answer of the provider, or None: it is away."""

    known: dict[str, Link] = field(default_factory=dict[str, Link])
    outcomes: dict[str, SentEvent] = field(default_factory=dict[str, SentEvent])
    answers: dict[str, Item | None] = field(default_factory=dict[str, Item | None])
    asked: list[str] = field(default_factory=list[str])
    sent: list[Event] = field(default_factory=list[Event])
    recorded: list[WebhookResult] = field(default_factory=list[WebhookResult])

    @property
    def ports(self) -> WebhookPorts:
        return WebhookPorts(self, self, self.send, self)

    async def look_up(self, source: Source, lookup: Lookup) -> Item:
        path = lookup.path.partition("?")[0]
        self.asked.append(path)
        if path not in self.answers:
            raise LookupRefused("api.example answers 404")
        answer = self.answers[path]
        if answer is None:
            raise ProviderAway("api.example does not answer")
        return answer

    async def find(self, external_ids: Collection[str]) -> Mapping[str, Link]:
        return {name: self.known[name] for name in external_ids if name in self.known}

    async def send(self, source: str, events: Sequence[Event]) -> Sequence[SentEvent]:
        self.sent += events
        return [self.outcomes.get(str(event["type"]), SentEvent("accepted", None)) for event in events]

    async def find_applied(self, event_source: str, ids: Collection[str]) -> Collection[str]:
        """Everything that was sent before."""
        return {str(event["id"]) for event in self.sent if event["source"] == event_source} & set(ids)

    async def record(self, source: str, result: WebhookResult) -> None:
        self.recorded.append(result)
