"""Ask the provider for what its webhook leaves out: only where a token is configured, and a fact would come of it."""

import asyncio
from collections.abc import Sequence
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
    gate = asyncio.Semaphore(AT_A_TIME)

    async def complete_one(item: Item) -> Item:
        lookup = lookup_of(source.mapping, item)
        if lookup is None:
            return item
        if source.token is None:
            return {**item, PROBLEM: missing_token(source.name)}
        async with gate:
            try:
                return complete(source.mapping, item, await provider.look_up(source, lookup))
            except LookupRefused as problem:
                return {**item, PROBLEM: str(problem)}

    return list(await asyncio.gather(*map(complete_one, items)))
