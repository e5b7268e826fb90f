"""Take what another system sent: map its items to facts, find their accounts, send them, and record what became of it.

Nothing here is counted twice: facts have the provider's ids, and an item that is refused is stored under its own.
"""

import asyncio
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

from schemas.times import format_instant
from services.connectors.mapping.facts import map_item
from services.connectors.mapping.model import AccountRef, MappedFact, MappedItem
from services.connectors.source import Source
from services.connectors.sources.items import Item
from services.rules_engine.application.complete_items import PROBLEM, Provider, complete_items

FEW_ITEMS = 20
"""More are mapped beside the event loop."""
Event = dict[str, object]


class NotAcknowledged(Exception):
    """The broker did not acknowledge some facts in time: the sender is to send the request again."""


class Link(NamedTuple):
    """`account_ids`: the accounts that have the external id. `begun`: one exists that has it as its own id."""

    account_ids: tuple[str, ...]
    begun: bool


class AccountLinks(Protocol):
    async def find(self, external_ids: Collection[str]) -> Mapping[str, Link]:
        """External id, as `system:id` -> what is known of it; those of which nothing is known are left out."""
        ...


class SentEvent(NamedTuple):
    """`status`: accepted, refused (then with a problem) or unknown: the broker did not acknowledge it."""

    status: str
    problem: str | None


class EventSender(Protocol):
    async def __call__(self, source: str, events: Sequence[Event]) -> Sequence[SentEvent]:
        """Check events and send them; the results are in their order."""
        ...


@dataclass(frozen=True, slots=True)
class RefusedItem:
    """An item of which something could not be made, with every reason. `index`: its place in the request."""

    index: int
    id: str
    item: Item
    reason: str


@dataclass(frozen=True, slots=True)
class WebhookResult:
    """`facts`: type -> how many were accepted. `unmapped`: what nothing of the mapping reads -> how often it came."""

    received: int
    facts: Mapping[str, int]
    refused: Sequence[RefusedItem]
    unmapped: Mapping[str, int]


class WebhookRecords(Protocol):
    async def find_applied(self, event_source: str, ids: Collection[str]) -> Collection[str]:
        """Those of these ids of events whose events were applied before."""
        ...

    async def record(self, source: str, result: WebhookResult) -> None:
        """Store the counts, and the refused items with their reasons."""
        ...


@dataclass(frozen=True, slots=True)
class WebhookPorts:
    provider: Provider
    links: AccountLinks
    send: EventSender
    records: WebhookRecords


@dataclass(slots=True)
class _Taken:
    """An item on its way: what the mapping made of it, and why something was not made."""

    index: int
    item: Item
    mapped: MappedItem
    problems: list[str] = field(default_factory=list[str])


async def take_webhook(
    source: Source, items: Sequence[Item], ports: WebhookPorts, received_at: datetime
) -> WebhookResult:
    """`received_at`: service time. Raises NotAcknowledged and ProviderAway: the sender has to send the request again."""
    result = await take_items(source, items, ports, received_at)
    await ports.records.record(source.name, result)
    return result


async def take_items(
    source: Source, items: Sequence[Item], ports: WebhookPorts, received_at: datetime
) -> WebhookResult:
    """The same without recording it."""
    taken = await _map(source, items, await complete_items(source, items, ports.provider), received_at)
    wanted = {
        fact.account.external_id
        for each in taken
        for fact in each.mapped.facts
        if fact.account.external_system
    }
    links = await ports.links.find(wanted)
    pairs = list(_events(source, taken, links))
    repeated = await _find_repeated(source, taken, ports.records)
    accepted = Counter(str(event["type"]) for _, event, _ in pairs if event["id"] in repeated)
    new = [pair for pair in pairs if pair[1]["id"] not in repeated]
    sent = await ports.send(source.name, [event for _, event, _ in new]) if new else ()
    for (item, event, rule), outcome in zip(new, sent, strict=True):
        if outcome.status == "unknown":
            raise NotAcknowledged
        if outcome.status == "accepted":
            accepted[str(event["type"])] += 1
        else:
            item.problems.append(f"{rule}: {outcome.problem}")
    refused = [
        RefusedItem(each.index, each.mapped.id, each.item, "; ".join(dict.fromkeys(each.problems)))
        for each in taken
        if each.problems
    ]
    unmapped = Counter(name for each in taken for name in each.mapped.unmapped)
    return WebhookResult(len(items), accepted, refused, unmapped)


async def _find_repeated(source: Source, taken: Sequence[_Taken], records: WebhookRecords) -> Collection[str]:
    """The ids of facts without a time of their own that were told before: their first telling has the earlier moment.

    Told again with the moment of now they would come after what was said since.
    """
    untimed = {fact.id for each in taken for fact in each.mapped.facts if not fact.is_timed}
    return await records.find_applied(source.event_source, untimed) if untimed else ()


async def _map(
    source: Source, items: Sequence[Item], completed: Sequence[Item], received_at: datetime
) -> list[_Taken]:
    """`items` as they came: one that is refused is stored so, and completed anew when it is mapped again."""

    def map_all() -> list[_Taken]:
        return [
            _taken(source, index, item, whole, received_at)
            for index, (item, whole) in enumerate(zip(items, completed, strict=True))
        ]

    return map_all() if len(items) <= FEW_ITEMS else await asyncio.to_thread(map_all)


def _taken(source: Source, index: int, item: Item, whole: Item, received_at: datetime) -> _Taken:
    mapped = map_item(source.mapping, whole, received_at)
    lookup_problem = whole.get(PROBLEM)
    is_why = lookup_problem is not None and not mapped.facts
    return _Taken(index, item, mapped, [str(lookup_problem)] if is_why else list(mapped.problems))


def _events(
    source: Source, taken: Sequence[_Taken], links: Mapping[str, Link]
) -> Iterator[tuple[_Taken, Event, str]]:
    """(Item, event, rule) of each fact. An account that begins with an external id is described by it first."""
    described = set[str]()
    for each in taken:
        for fact in each.mapped.facts:
            link = links.get(fact.account.external_id, Link((), begun=False))
            if fact.account.external_system is None:
                yield each, _event(source, fact, fact.account.id), fact.rule
            elif len(link.account_ids) > 1:
                accounts = " and ".join(map(repr, link.account_ids[:5]))
                each.problems.append(
                    f"{fact.rule}: account: {accounts} both have the external id {fact.account.external_id!r};"
                    " take it from one of them, or merge them"
                )
            else:
                begins = not link.account_ids and not link.begun and fact.account.external_id not in described
                if begins:
                    described.add(fact.account.external_id)
                    yield each, _describing(source, fact.account, fact), fact.rule
                yield (
                    each,
                    _event(source, fact, next(iter(link.account_ids), fact.account.external_id)),
                    fact.rule,
                )


def _event(source: Source, fact: MappedFact, account_id: str) -> Event:
    return {
        "specversion": "1.0",
        "id": fact.id,
        "source": source.event_source,
        "type": fact.type,
        "subject": account_id,
        "time": format_instant(fact.time),
        "data": fact.data,
    }


def _describing(source: Source, account: AccountRef, fact: MappedFact) -> Event:
    """The event by which the account of an external id that nobody has begins: it states that id."""
    return {
        **_event(source, fact, account.external_id),
        "id": f"external/{account.external_id}"[:255],
        "type": "drumbeat.account.described.v1",
        "data": {"external_ids": {account.external_system: account.id}},
    }
