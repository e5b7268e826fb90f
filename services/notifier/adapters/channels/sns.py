"""Amazon SNS: fetches its certificates and confirms the subscription to the topic of the deployment."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Final

import aiohttp
from cryptography import x509

from services.chassis.private_targets import PrivateTargets
from services.chassis.target_guard import ForbiddenUrl, GuardedResolver, check_url
from services.notifier.application.provider_proof import ProofUnavailable
from services.notifier.domain.sns_message import (
    ProofRejected,
    SnsMessage,
    check_claims,
    check_signature,
    is_sns_url,
)

DEADLINE_SECONDS: Final = 5.0
MOST_BYTES: Final = 64 * 1024
MOST_CERTIFICATES: Final = 16

Fetch = Callable[[str], Awaitable[bytes]]
"""The body at an address. Raises ProofUnavailable."""


class SnsVerifier:
    """Implements the port `SnsProof`. `topic_arn`: the one topic that is trusted; None: no message is."""

    def __init__(self, topic_arn: str | None, fetch: Fetch, now: Callable[[], datetime]) -> None:
        self._topic_arn, self._fetch, self._now = topic_arn, fetch, now
        self._certificates: dict[str, x509.Certificate] = {}

    async def check(self, message: SnsMessage) -> None:
        now = self._now()
        check_claims(message, self._topic_arn, now)
        check_signature(message, await self._certificate(message["SigningCertURL"]), now)

    async def confirm(self, message: SnsMessage) -> None:
        url = message["SubscribeURL"]
        if not is_sns_url(url):
            raise ProofRejected("SubscribeURL does not lead to SNS")
        await self._fetch(url)

    async def _certificate(self, url: str) -> x509.Certificate:
        known = self._certificates.get(url)
        if known is not None:
            return known
        try:
            certificate = x509.load_pem_x509_certificate(await self._fetch(url))
        except ValueError as problem:
            raise ProofRejected("SigningCertURL has no certificate") from problem
        if len(self._certificates) >= MOST_CERTIFICATES:
            self._certificates.clear()
        self._certificates[url] = certificate
        return certificate


def guarded_fetch(private: PrivateTargets) -> Fetch:
    """Fetches by the rules of webhooks: HTTPS, no redirects, no address of our own network."""

    async def fetch(url: str) -> bytes:
        try:
            check_url(url, private)
            async with asyncio.timeout(DEADLINE_SECONDS):
                return await _get(url, private)
        except (OSError, ForbiddenUrl, TimeoutError, aiohttp.ClientError, UnicodeError) as problem:
            raise ProofUnavailable(f"{url} cannot be fetched ({type(problem).__name__})") from problem

    return fetch


async def _get(url: str, private: PrivateTargets) -> bytes:
    connector = aiohttp.TCPConnector(use_dns_cache=False, resolver=GuardedResolver(private))
    async with (
        aiohttp.ClientSession(connector=connector, trust_env=False) as session,
        session.get(url, allow_redirects=False) as answer,
    ):
        if answer.status != 200:
            raise ProofUnavailable(f"{url} answers {answer.status}")
        body = await answer.content.read(MOST_BYTES + 1)
        while body and len(body) <= MOST_BYTES and (more := await answer.content.read(MOST_BYTES)):
            body += more
        if len(body) > MOST_BYTES:
            raise ProofUnavailable(f"{url} has more than {MOST_BYTES} bytes")
        return body
