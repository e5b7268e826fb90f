"""Settings of the systems whose webhooks are taken in: what proves them, and how they are read."""

from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from services.chassis.setting_group import Group
from services.chassis.urls import check_service_url


def _as_text(value: object) -> object:
    """A secret that is all digits is read as a number where it stands in a group."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _check_public_url(value: str) -> str:
    """The address as it is, maybe with a query: senders sign it to the letter. Raises ValueError."""
    check_service_url(value.partition("?")[0])
    return value


Secret = Annotated[str, BeforeValidator(_as_text), Field(min_length=1, max_length=500)]
SourceName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]


class WebhookSource(Group):
    """A system that sends webhooks to the rules engine: what proves that they are its own, and how they are read.

    `previous_secret` is accepted as well, while a sender changes over. `url`: the address that the sender was given.
    `mapping`: absent, the one that is shipped for the source. With a `token` the provider is asked for what its webhooks
    leave out, at `api_url`.
    """

    secret: Secret = Field(repr=False)
    previous_secret: Secret | None = Field(default=None, repr=False)
    url: Annotated[str, AfterValidator(_check_public_url)] | None = None
    mapping: Path | None = None
    token: Secret | None = Field(default=None, repr=False)
    api_url: Annotated[str, AfterValidator(check_service_url)] | None = None
    organization_id: str | None = Field(default=None, pattern=r"^[A-Za-z0-9]{15}([A-Za-z0-9]{3})?$")


Webhooks = dict[SourceName, WebhookSource]
