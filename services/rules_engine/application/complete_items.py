"""Ask the provider for what its webhook leaves out: only where a token is configured, and a fact would come of it."""

import asyncio
from collections.abc import Collection, Sequence
from typing import Final, Protocol

from services.connectors.lookups import Lookup, complete, lookup_of, missing_token
from services.connectors.source import Source
from services.connectors.sources.items import Item

AT_A_TIME: Final = 10
"""Questions to a provider of one request at the same time."""
PROBLEM: Final = "drumbeat_lookup_problem"
"""The member of an item that says why its provider did not answer."""


class ProviderAway(Exception):
    """The provider does not answer for now: the webhook is to be sent again."""


class LookupRefused(Exception):
    """The provider refuses the question; asking again changes nothing before somebody acts."""


class Provider(Protocol):
    async def look_up(self, source: Source, lookup: Lookup) -> Item:
        """The object. Raises ProviderAway and LookupRefused."""
        ...


async def complete_items(source: Source, items: Sequence[Item], provider: Provider) -> list[Item]:
    """The items in their order, completed where they lack something. Raises ProviderAway.

    One for which there is no token, or of which the provider refuses to tell, comes back with the reason under `PROBLEM`.
    """
    lookups = [lookup_of(source.mapping, item) for item in items]
    answers = await _look_up_all(source, {lookup for lookup in lookups if lookup is not None}, provider)
    return [
        item if lookup is None else _completed(source, item, answers[lookup])
        for item, lookup in zip(items, lookups, strict=True)
    ]


def _completed(source: Source, item: Item, answer: Item | LookupRefused) -> Item:
    if isinstance(answer, LookupRefused):
        return {**item, PROBLEM: str(answer)}
    return complete(source.mapping, item, answer)


async def _look_up_all(
    source: Source, lookups: Collection[Lookup], provider: Provider
) -> dict[Lookup, Item | LookupRefused]:
    """Each object is asked for once, however many items of the request are about it. Raises ProviderAway."""
    if source.token is None:
        refusal = LookupRefused(missing_token(source.name))
        return dict.fromkeys(lookups, refusal)
    gate = asyncio.Semaphore(AT_A_TIME)

    async def look_up(lookup: Lookup) -> Item | LookupRefused | ProviderAway:
        async with gate:
            try:
                return await provider.look_up(source, lookup)
            except (LookupRefused, ProviderAway) as problem:
                return problem

    ordered = list(lookups)
    answers: dict[Lookup, Item | LookupRefused] = {}
    for lookup, answer in zip(ordered, await asyncio.gather(*map(look_up, ordered)), strict=True):
        if isinstance(answer, ProviderAway):
            raise answer
        answers[lookup] = answer
    return answers
