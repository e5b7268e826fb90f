"""HTTP: signing in by password or at the OIDC provider. These calls need no key: they bring their own proof."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Annotated, Any, Final, Protocol

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from schemas.base import Text
from schemas.patterns import ONE_LINE
from services.chassis.clock import real_now
from services.chassis.problems import Problem
from services.chassis.web import CHALLENGE
from services.rules_engine.application.sign_in import SignInRefused, TooManyAttempts
from services.rules_engine.application.sign_in_by_provider import (
    ProviderAnswer,
    ProviderAway,
    ProviderPorts,
    begin_at_provider,
    finish_at_provider,
)
from services.rules_engine.metrics import SIGN_INS

PASSWORD, PROVIDER = "password", "provider"
REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    401: {"description": "nobody is signed in; `detail` says why"},
    429: {"description": "too many attempts for this name, or at once: `Retry-After`"},
}
Line = Annotated[str, Field(max_length=2_000, pattern=ONE_LINE)]
CheckPassword = Callable[[str, str], Awaitable[str]]
"""The id of the user with this login and password. Raises SignInRefused and TooManyAttempts."""


class PasswordSignIn(BaseModel):
    model_config = ConfigDict(extra="forbid")

    login: Line = Field(min_length=1, max_length=254, description="the login or the mail address of the user")
    password: str = Field(min_length=1, max_length=1_000)
    client: Text = Field(default="", max_length=300, description="what signs in, to recognise it in a list")


class ProviderSignIn(BaseModel):
    """What came back from the provider, with the `flow` with which this browser began."""

    model_config = ConfigDict(extra="forbid")

    flow: Line
    state: Line
    code: Line = ""
    error: Line = ""
    iss: Line = ""
    client: Text = Field(default="", max_length=300)


class UserSessions(Protocol):
    async def begin_for_user(self, user_id: str, client: str, method: str) -> dict[str, object]:
        """Raises SignInRefused for a user who is disabled."""
        ...


class KnownUsers(Protocol):
    async def has_passwords(self) -> bool: ...


@dataclass(frozen=True, slots=True)
class SignInServices:
    """`provider`: None without one; `provider_name` as people know it; `with_key`: whether API keys open sessions."""

    check_password: CheckPassword
    sessions: UserSessions
    users: KnownUsers
    provider: ProviderPorts | None
    provider_name: str
    with_key: bool

    def the_provider(self) -> ProviderPorts:
        if self.provider is None:
            raise Problem(404, "No identity provider is set up: DRUMBEAT_OIDC__ISSUER is not set.")
        return self.provider

    async def begin(self, user: Awaitable[str], client: str, method: str) -> dict[str, object]:
        """A session of the user, or a problem; both are counted."""
        outcome = "failed"
        try:
            begun = await self.sessions.begin_for_user(await user, client, method)
            outcome = "signed_in"
        except SignInRefused as refused:
            outcome = "refused"
            raise Problem(401, str(refused), headers=CHALLENGE) from refused
        except TooManyAttempts as refused:
            outcome = "throttled"
            raise Problem(429, str(refused), headers={"Retry-After": str(refused.retry_after)}) from refused
        except ProviderAway as away:
            raise _away(away) from away
        finally:
            SIGN_INS.labels(method, outcome).inc()
        return begun


def sign_in_routes(services: SignInServices) -> APIRouter:
    router = APIRouter(prefix="/v1/sign-in", tags=["people"])

    @router.get("", summary="The ways in which people sign in")
    async def get_ways() -> dict[str, object]:
        shown = {"name": services.provider_name} if services.provider is not None else None
        return {"password": await services.users.has_passwords(), "key": services.with_key, "provider": shown}

    @router.post(
        "/password", summary="Sign in with a name and a password", status_code=201, responses=REFUSED
    )
    async def sign_in_with_password(wanted: PasswordSignIn) -> dict[str, object]:
        user = services.check_password(wanted.login, wanted.password)
        return await services.begin(user, wanted.client, PASSWORD)

    @router.post(
        "/provider",
        summary="Begin to sign in at the OIDC provider",
        description="`flow` is kept by the browser, `url` is where it goes; ten minutes later both are void.",
        status_code=201,
        responses={404: {"description": "no provider is set up"}},
    )
    async def begin_sign_in() -> dict[str, object]:
        try:
            url, flow = await begin_at_provider(services.the_provider(), real_now())
        except ProviderAway as away:
            raise _away(away) from away
        return {"url": url, "flow": flow}

    @router.post(
        "/provider/finish",
        summary="Finish it with what the provider sent back",
        status_code=201,
        responses={**REFUSED, 404: {"description": "no provider is set up"}},
    )
    async def finish_sign_in(wanted: ProviderSignIn) -> dict[str, object]:
        answer = ProviderAnswer(wanted.state, wanted.code, wanted.error, wanted.iss)
        user = finish_at_provider(wanted.flow, answer, services.the_provider(), real_now())
        return await services.begin(user, wanted.client, PROVIDER)

    return router


def _away(away: ProviderAway) -> Problem:
    detail = f"The identity provider cannot be used at this moment: {away}."
    return Problem(503, detail, headers={"Retry-After": "5"})
