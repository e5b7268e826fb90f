"""Settings of access: sessions, the OIDC provider, rates of keys, mail providers, calendars, limits of policy checks."""

from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field, model_validator

from services.chassis.setting_group import Group

Role = Literal["csm", "manager", "ops", "admin"]


class Sessions(Group):
    """Sessions of the console: how long one lasts. `with_key`: whether an API key opens one."""

    hours: int = Field(default=12, ge=1, le=720)
    with_key: bool = True


def check_issuer(value: str) -> str:
    """An https address; http on this machine only, where nobody listens in. Raises ValueError."""
    parts = urlsplit(value)
    is_local = parts.hostname in ("127.0.0.1", "::1", "localhost")
    if not parts.hostname or parts.query or parts.fragment:
        raise ValueError("has to be the address of an OIDC provider, like https://login.example.com")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise ValueError("has to be an https address, like https://login.example.com")
    return value


class Oidc(Group):
    """The OIDC provider at which people sign in; without an issuer there is none.

    `roles`: values of the claim `role_claim` -> role, as a JSON object; without any, roles are given in Drumbeat.
    """

    issuer: Annotated[str, AfterValidator(check_issuer)] | None = None
    name: str = Field(default="", max_length=60, description="on the button: Sign in with NAME")
    client_id: str | None = Field(default=None, min_length=1, max_length=500)
    client_secret_file: Path | None = None
    scopes: str = Field(default="openid email profile", pattern=r"^openid( [!#-\[\]-~]+)*$")
    role_claim: str = Field(default="groups", min_length=1, max_length=200)
    roles: dict[str, Role] = Field(default_factory=dict[str, Role])
    default_role: Role | None = None
    allowed_domains: str = Field(default="", max_length=2000, description="of mail addresses, with commas")
    require_verified_email: bool = True

    @model_validator(mode="after")
    def _check_client(self) -> "Oidc":
        if (self.issuer is None) != (self.client_id is None):
            raise ValueError("an issuer and a client id belong together: set both, or none")
        return self

    def shown_name(self) -> str:
        return self.name or urlsplit(self.issuer or "").hostname or ""

    def domains(self) -> frozenset[str]:
        parts = (part.strip().casefold().removeprefix("@") for part in self.allowed_domains.split(","))
        return frozenset(filter(None, parts))


class PolicyChecks(Group):
    """Limits of one check or comparison of a policy, and how many wait before more are refused."""

    seconds: float = Field(default=40, gt=0, le=600)
    megabytes: int = Field(default=1024, ge=256)
    most_waiting: int = Field(default=4, ge=0, le=1000)
    readers_share: float = Field(default=0.25, gt=0, le=1, description="of a processor, for explanations")


class Simulations(Group):
    """Limits of one simulation of the book, and how many wait before more are refused."""

    seconds: float = Field(default=300, gt=0, le=3_600)
    megabytes: int = Field(default=4_096, ge=512)
    most_waiting: int = Field(default=1, ge=0, le=100)
    processes: int = Field(default=2, ge=1, le=16)


class BusyCalendars(Group):
    """The calendars of CSMs, whose busy time is kept free: how often each is read, and how long what was read counts."""

    every_seconds: float = Field(default=900, ge=1, le=86_400, description="real time between two readings")
    kept_days: float = Field(
        default=7, gt=0, le=90, description="real time for which busy time counts that cannot be read again"
    )


class Inbound(Group):
    """What proves that events about mail come from the provider; without it they are refused."""

    postmark_secret: str | None = Field(default=None, min_length=16, max_length=200)
    ses_topic_arn: str | None = Field(
        default=None, pattern=r"^arn:aws[a-z-]*:sns:[a-z0-9-]+:\d+:[A-Za-z0-9_.-]+$"
    )


KeyId = Annotated[str, Field(pattern=r"^[0-9a-z]{1,40}$")]


class RateLimit(Group):
    """How fast a key may post events; absent: as fast as it likes.

    `burst`: how many at once, after a pause; absent: those of ten seconds.
    """

    events_per_second: float | None = Field(default=None, ge=0.01, le=1_000_000)
    burst: int | None = Field(default=None, ge=1, le=10_000_000)

    def largest_burst(self) -> int:
        return self.burst or max(1, round(10 * (self.events_per_second or 1)))


KeyRateLimits = dict[KeyId, RateLimit]
