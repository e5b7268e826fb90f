"""Asks a provider for what its webhook leaves out, through the guard of addresses and within seconds."""

import asyncio
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlsplit

import aiohttp

from schemas.problems import Malformed
from services.chassis.private_targets import PrivateTargets
from services.chassis.target_guard import ForbiddenUrl, GuardedResolver, check_url
from services.connectors.lookups import Lookup
from services.connectors.source import Source
from services.connectors.sources.items import Item, mapping_of, parse_body
from services.rules_engine.application.complete_items import LookupRefused, ProviderAway

DEADLINE_SECONDS: Final = 3.0
"""Real time for one answer: HubSpot waits five seconds for that to its webhook."""
MOST_BYTES: Final = 1 << 20
BUSY: Final = frozenset({408, 425, 429, 500, 502, 503, 504})
"""Statuses after which the same question may be answered."""


class ProviderClient:
    """Implements the port `Provider`."""

    def __init__(self, private: PrivateTargets) -> None:
        self._private = private

    async def look_up(self, source: Source, lookup: Lookup) -> Item:
        url = f"{source.api_url}{lookup.path}"
        host = urlsplit(url).netloc
        try:
            check_url(source.api_url, self._private)
            async with asyncio.timeout(DEADLINE_SECONDS):
                status, body = await self._get(url, {"Authorization": f"Bearer {source.token}"})
        except ForbiddenUrl as problem:
            raise LookupRefused(f"{host}: {problem}") from problem
        except (OSError, TimeoutError, aiohttp.ClientError) as problem:
            raise ProviderAway(f"{host} does not answer ({type(problem).__name__})") from problem
        if status in BUSY:
            raise ProviderAway(f"{host} answers {status}")
        if status != 200:
            raise LookupRefused(f"{host} answers {status} to {lookup.path.partition('?')[0]}")
        try:
            return mapping_of(parse_body(body))
        except Malformed as problem:
            raise LookupRefused(f"{host}: {problem}") from problem

    async def _get(self, url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        connector = aiohttp.TCPConnector(use_dns_cache=False, resolver=GuardedResolver(self._private))
        async with (
            aiohttp.ClientSession(connector=connector, trust_env=False) as session,
            session.get(url, headers=headers, allow_redirects=False) as answer,
        ):
            body = b""
            while part := await answer.content.read(MOST_BYTES):
                body += part
                if len(body) > MOST_BYTES:
                    raise ProviderAway(f"the answer has more than {MOST_BYTES} bytes")
            return answer.status, body
