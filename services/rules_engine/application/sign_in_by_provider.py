"""Sign in at an OIDC provider: authorization code (OpenID Connect Core 1.0) with state, nonce, PKCE (RFC 7636)."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.rules_engine.application.sign_in import SignInRefused
from services.rules_engine.domain.provider_identity import (
    Identity,
    IdentityRefused,
    IdentityRules,
    read_identity,
)
from services.rules_engine.domain.roles import Role


@dataclass(frozen=True, slots=True)
class Flow:
    """A sign-in under way, known to the browser that began it only. `expires_at` is of the real clock."""

    state: str
    nonce: str
    verifier: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ProviderAnswer:
    """What the provider sent back through the browser. `issuer`: the parameter `iss` (RFC 9207), "" without one."""

    state: str
    code: str = ""
    error: str = ""
    issuer: str = ""


class ProviderAway(Exception):
    """The provider does not answer, or not as one does; try again."""


class Provider(Protocol):
    @property
    def issuer(self) -> str: ...

    async def authorization_url(self, flow: Flow) -> str:
        """Where the browser goes. Raises ProviderAway."""
        ...

    async def redeem(self, code: str, flow: Flow) -> Mapping[str, object]:
        """The claims of the checked ID token and of UserInfo. Raises SignInRefused and ProviderAway."""
        ...


class Flows(Protocol):
    def begin(self, now: datetime) -> tuple[Flow, str]:
        """A new flow, and the same sealed, for the browser that begins it."""
        ...

    def open(self, sealed: str) -> Flow | None:
        """None for what was not sealed here."""
        ...

    async def spend(self, state: str) -> bool:
        """Whether this is the first answer with this state."""
        ...


class IdentityStore(Protocol):
    async def admit(self, identity: Identity, default_role: Role | None) -> str:
        """The id of the user, who is made or linked where that is due. Raises SignInRefused."""
        ...


@dataclass(frozen=True, slots=True)
class ProviderPorts:
    provider: Provider
    flows: Flows
    users: IdentityStore
    rules: IdentityRules


async def begin_at_provider(ports: ProviderPorts, now: datetime) -> tuple[str, str]:
    """(address at the provider, the sealed flow, which the browser keeps). Raises ProviderAway."""
    flow, sealed = ports.flows.begin(now)
    return await ports.provider.authorization_url(flow), sealed


async def finish_at_provider(sealed: str, answer: ProviderAnswer, ports: ProviderPorts, now: datetime) -> str:
    """The id of the user. Raises SignInRefused and ProviderAway."""
    flow = ports.flows.open(sealed)
    if flow is None:
        raise SignInRefused("No sign-in is under way in this browser. Begin again.")
    if now >= flow.expires_at:
        raise SignInRefused("The sign-in took too long. Begin again.")
    if not hmac.compare_digest(flow.state.encode(), answer.state.encode()):
        raise SignInRefused(
            "This answer belongs to another sign-in than the one that this browser began. Begin again."
        )
    if answer.issuer and answer.issuer != ports.provider.issuer:
        raise SignInRefused("This answer comes from another identity provider than the one that was asked.")
    if not await ports.flows.spend(flow.state):
        raise SignInRefused("This sign-in was used already. Begin again.")
    if answer.error or not answer.code:
        reason = answer.error[:100] if answer.error.isprintable() else ""
        raise SignInRefused(f"Your identity provider did not sign you in ({reason or 'it sent no code'}).")
    claims = await ports.provider.redeem(answer.code, flow)
    try:
        identity = read_identity(ports.provider.issuer, claims, ports.rules)
    except IdentityRefused as refused:
        raise SignInRefused(str(refused)) from refused
    return await ports.users.admit(identity, ports.rules.default_role)
