"""An OIDC provider: found by discovery (OpenID Connect Discovery 1.0), its keys, the claims behind a code."""

import asyncio
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Final, cast
from urllib.parse import quote_plus, urlencode

import httpx
import orjson
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from services.chassis.clock import monotonic, real_now
from services.rules_engine.adapters.id_token import Expected, KeyUnknown, TokenRefused, read_id_token
from services.rules_engine.application.sign_in import SignInRefused
from services.rules_engine.application.sign_in_by_provider import Flow, ProviderAway

ANSWER_SECONDS: Final = 5.0
MOST_BYTES: Final = 1 << 20
METADATA_SECONDS: Final = 3_600.0  # real seconds for which addresses and keys are not read again
NEW_KEYS_SECONDS: Final = (
    30.0  # at least between two readings of the keys: tokens under unknown ones are cheap to send
)
NOT_VALID: Final = (
    "The answer of your identity provider is not valid: {}. Begin again; if it stays so, tell an admin."
)
Document = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Client:
    """How this deployment is known at the provider. `secret`: None for a public client, which has PKCE alone."""

    issuer: str
    client_id: str
    secret: str | None
    scopes: str
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class _Known:
    metadata: Document
    keys: KeySet
    read_at: float  # monotonic


class IdentityProvider:
    """The port `Provider`. Redirects of the provider's own endpoints are not followed."""

    def __init__(self, client: Client) -> None:
        self.issuer: Final = client.issuer
        self._client = client
        self._known: _Known | None = None
        self._reading = asyncio.Lock()

    async def authorization_url(self, flow: Flow) -> str:
        metadata = (await self._read()).metadata
        challenge = urlsafe_b64encode(sha256(flow.verifier.encode()).digest()).decode().rstrip("=")
        query = {
            "response_type": "code",
            "client_id": self._client.client_id,
            "redirect_uri": self._client.redirect_uri,
            "scope": self._client.scopes,
            "state": flow.state,
            "nonce": flow.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        address = _address(metadata, "authorization_endpoint")
        return f"{address}{'&' if '?' in address else '?'}{urlencode(query)}"

    async def redeem(self, code: str, flow: Flow) -> Document:
        known = await self._read()
        tokens = await self._exchange(known.metadata, code, flow)
        token = tokens.get("id_token")
        if not isinstance(token, str):
            raise SignInRefused(NOT_VALID.format("it has no ID token"))
        claims = await self._check(token, flow)
        return await self._with_userinfo(known.metadata, tokens, claims)

    async def _check(self, token: str, flow: Flow) -> Document:
        now = int(real_now().timestamp())
        expected = Expected(self.issuer, self._client.client_id, flow.nonce, now)
        known = await self._read()
        try:
            try:
                return read_id_token(token, known.keys, expected)
            except KeyUnknown:  # the provider has changed its keys
                known = await self._read(newer_than=known)
                return read_id_token(token, known.keys, expected)
        except KeyUnknown as unknown:
            raise SignInRefused(
                NOT_VALID.format("it is signed under a key that is not the provider's")
            ) from unknown
        except TokenRefused as refused:
            raise SignInRefused(NOT_VALID.format(refused)) from refused

    async def _exchange(self, metadata: Document, code: str, flow: Flow) -> Document:
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": self._client.redirect_uri,
            "code_verifier": flow.verifier,
        }
        headers: dict[str, str] = {}
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        if self._client.secret is None:
            form["client_id"] = self._client.client_id
        elif isinstance(methods, list) and "client_secret_basic" not in methods:
            form |= {"client_id": self._client.client_id, "client_secret": self._client.secret}
        else:
            headers["Authorization"] = _basic(self._client.client_id, self._client.secret)
        status, document = await self._request("POST", _address(metadata, "token_endpoint"), headers, form)
        if status in (400, 401):
            raise SignInRefused(_refusal(document))
        if status != 200:
            raise ProviderAway(f"{self.issuer} answers {status} to the code")
        return document

    async def _with_userinfo(self, metadata: Document, tokens: Document, claims: Document) -> Document:
        """With the claims that the provider gives at its UserInfo endpoint only, which are about the same person."""
        access_token = tokens.get("access_token")
        if "userinfo_endpoint" not in metadata or not isinstance(access_token, str):
            return claims
        headers = {"Authorization": f"Bearer {access_token}"}
        status, more = await self._request("GET", _address(metadata, "userinfo_endpoint"), headers)
        if status != 200:
            raise ProviderAway(f"{self.issuer} answers {status} at its UserInfo endpoint")
        if more.get("sub") != claims.get("sub"):
            raise SignInRefused(NOT_VALID.format("its UserInfo is about somebody else"))
        return {**more, **claims}

    async def _read(self, newer_than: _Known | None = None) -> _Known:
        async with self._reading:
            known, now = self._known, monotonic()
            if known is not None:
                age = now - known.read_at
                is_wanted = known is newer_than and age >= NEW_KEYS_SECONDS
                if age < METADATA_SECONDS and not is_wanted:
                    return known
            self._known = known = _Known(*await self._discover(), now)
            return known

    async def _discover(self) -> tuple[Document, KeySet]:
        url = f"{self.issuer.rstrip('/')}/.well-known/openid-configuration"
        status, metadata = await self._request("GET", url, {})
        if status != 200:
            raise ProviderAway(f"{self.issuer} answers {status} at {url}")
        if metadata.get("issuer") != self.issuer:
            raise ProviderAway(
                f"{self.issuer} says that it is {str(metadata.get('issuer'))[:200]!r}: set DRUMBEAT_OIDC__ISSUER to that"
            )
        status, keys = await self._request("GET", _address(metadata, "jwks_uri"), {})
        try:
            return metadata, KeySet.import_key_set(cast("dict[str, list[dict[str, str | list[str]]]]", keys))  # pyright: ignore[reportArgumentType]
        except (JoseError, ValueError, TypeError, KeyError) as problem:
            raise ProviderAway(
                f"the keys of {self.issuer} cannot be read ({type(problem).__name__})"
            ) from problem

    async def _request(
        self, method: str, url: str, headers: Mapping[str, str], form: Mapping[str, str] | None = None
    ) -> tuple[int, Document]:
        """The status and the JSON object of an answer, {} for another body. Raises ProviderAway."""
        accepting = {"Accept": "application/json", **headers}
        try:
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                httpx.AsyncClient(timeout=ANSWER_SECONDS, trust_env=False) as client,
                client.stream(method, url, headers=accepting, data=form) as answer,
            ):
                body = b""
                async for part in answer.aiter_bytes():
                    body += part
                    if len(body) > MOST_BYTES:
                        raise ProviderAway(f"the answer of {self.issuer} has more than {MOST_BYTES} bytes")
        except (httpx.HTTPError, httpx.InvalidURL, TimeoutError) as problem:
            raise ProviderAway(f"{self.issuer} does not answer ({type(problem).__name__})") from problem
        try:
            document: object = orjson.loads(body)
        except ValueError:
            document = {}
        return answer.status_code, cast("Document", document) if isinstance(document, dict) else {}


def _address(metadata: Document, name: str) -> str:
    address = metadata.get(name)
    if not isinstance(address, str) or not address.startswith(("https://", "http://")):
        raise ProviderAway(f"the provider names no {name}")
    return address


def _basic(client_id: str, secret: str) -> str:
    """RFC 6749, 2.3.1: both are form-encoded before they are joined."""
    return f"Basic {b64encode(f'{quote_plus(client_id)}:{quote_plus(secret)}'.encode()).decode()}"


def _refusal(document: Document) -> str:
    """RFC 6749, 5.2."""
    match document.get("error"):
        case "invalid_grant":
            return "The code of your identity provider has expired, or was used already. Begin again."
        case "invalid_client":
            return "Your identity provider does not know this deployment: an admin has to check the client id and secret."
        case error:
            return f"Your identity provider did not sign you in ({str(error)[:100]})."
