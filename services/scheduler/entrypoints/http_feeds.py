"""Calendar feeds over HTTP: addresses that whoever has them may read, and their revocation."""

import asyncio
import secrets
from dataclasses import dataclass
from typing import Annotated, Any, Final, Self

from fastapi import APIRouter, Header, Path, Query
from pydantic import Field, model_validator
from starlette.responses import Response

from schemas.base import Id, SchemaModel
from schemas.times import Instant
from services.calendar.icalendar_events import CONTENT_TYPE
from services.chassis.clock import ServiceClock
from services.chassis.ids import fresh
from services.chassis.problems import Problem
from services.chassis.web import JSON, by_link, require
from services.scheduler.application.feeds import (
    Feed,
    FeedOwner,
    FeedRepository,
    TooManyFeeds,
    UnknownOwner,
    digest_token,
    make_file,
)
from services.scheduler.domain.feed import Publisher
from services.scheduler.entrypoints.http_models import Body
from services.scheduler.entrypoints.http_touchpoints import check_text

TOKEN_BYTES: Final = 32
GONE: Final = "There is no calendar feed at this address, or it was revoked. Ask for a new address."
ONE: Final = "give either account_id or csm_id"
Token = Annotated[str, Path(max_length=200, description="of the address of the feed")]
Owner = Annotated[str | None, Query(min_length=1, max_length=200)]
FEED_ANSWERS: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "RFC 5545",
        "content": {"text/calendar": {"schema": {"type": "string"}}},
        "headers": {"ETag": {"schema": {"type": "string"}}},
    },
    304: {"description": "it is as the tag in `If-None-Match` says"},
}


class FeedWanted(Body):
    """Whose calendar is to be read: either of an account, for its customer, or of a CSM."""

    account_id: Annotated[
        Id | None, Field(description="what its customer takes part in, and nothing internal")
    ] = None
    csm_id: Annotated[Id | None, Field(description="all work of somebody whom the directory describes")] = (
        None
    )

    @model_validator(mode="after")
    def one_owner(self) -> Self:
        if (self.account_id is None) == (self.csm_id is None):
            raise ValueError(ONE)
        return self


class FeedItem(SchemaModel):
    """The address of a feed, without its token. Its `id` can be revoked, too."""

    id: Id
    account_id: Id | None
    csm_id: Id | None
    made_at: Instant


class MadeFeed(FeedItem):
    """A new address. Its token is in no later answer."""

    token: str
    url: str


class FeedList(SchemaModel):
    items: tuple[FeedItem, ...]


@dataclass(frozen=True, slots=True)
class FeedServices:
    """`base_url`: the address under which readers of calendars reach this service."""

    feeds: FeedRepository
    clock: ServiceClock
    publisher: Publisher
    base_url: str

    def url_of(self, token: str) -> str:
        return f"{self.base_url}/v1/calendars/{token}.ics"


def feed_routes(services: FeedServices) -> APIRouter:
    """POST and GET /v1/calendars, DELETE /v1/calendars/{token}, GET /v1/calendars/{token}.ics."""
    router = APIRouter(prefix="/v1/calendars", tags=["calendar"])
    _add_addresses(router, services)
    _add_revocation(router, services)
    _add_feed(router, services)
    return router


def _add_addresses(router: APIRouter, services: FeedServices) -> None:
    @router.post(
        "",
        status_code=201,
        dependencies=[require("act")],
        summary="Make the address of a calendar feed of an account or a CSM",
        response_model=MadeFeed,
        responses={404: {}, 409: {"description": "it has too many; revoke one"}},
    )
    async def make_feed(wanted: FeedWanted) -> JSON:
        token = secrets.token_urlsafe(TOKEN_BYTES)
        owner = FeedOwner(wanted.account_id, wanted.csm_id)
        try:
            feed = await services.feeds.make(fresh(), digest_token(token), owner)
        except UnknownOwner as unknown:
            raise Problem(404, f"{unknown}.") from unknown
        except TooManyFeeds as too_many:
            raise Problem(409, f"{too_many}; revoke one of them.") from too_many
        return JSON({**_show(feed), "token": token, "url": services.url_of(token)}, status_code=201)

    @router.get(
        "",
        dependencies=[require("read")],
        summary="The calendar feeds of an account or a CSM, without their tokens",
        response_model=FeedList,
    )
    async def list_feeds(account_id: Owner = None, csm_id: Owner = None) -> JSON:
        if (account_id is None) == (csm_id is None):
            raise Problem(422, f"{ONE}.")
        owner = FeedOwner(check_text("account_id", account_id), check_text("csm_id", csm_id))
        return JSON({"items": [_show(feed) for feed in await services.feeds.list_feeds(owner)]})


def _add_revocation(router: APIRouter, services: FeedServices) -> None:
    @router.delete(
        "/{token}",
        status_code=204,
        dependencies=[require("act")],
        summary="Revoke the address of a calendar feed, by its token or its id",
    )
    async def revoke_feed(token: Token) -> None:
        if not await services.feeds.revoke(digest_token(token), check_text("token", token) or ""):
            raise Problem(404, GONE)


def _add_feed(router: APIRouter, services: FeedServices) -> None:
    @router.get(
        "/{token}.ics",
        dependencies=[by_link],
        summary="A calendar feed, for programs that subscribe to calendars",
        response_class=Response,
        responses=FEED_ANSWERS,
    )
    async def read_feed(
        token: Token, if_none_match: Annotated[str | None, Header(max_length=1000)] = None
    ) -> Response:
        now = services.clock.now()
        calendar = await services.feeds.read(digest_token(token), now)
        if calendar is None:
            raise Problem(404, GONE)
        # Off the event loop: a feed of 1,600 entries takes half a second to write.
        file = await asyncio.to_thread(make_file, calendar, services.publisher, services.url_of(token), now)
        tag = file.tag
        headers = {"ETag": f'"{tag}"', "Cache-Control": "private, no-cache", "X-Robots-Tag": "noindex"}
        if is_current(if_none_match, tag):
            return Response(status_code=304, headers=headers)
        content = await asyncio.to_thread(file.write)
        return Response(content, headers=headers, media_type=CONTENT_TYPE)


def is_current(header: str | None, tag: str) -> bool:
    """Whether an `If-None-Match` names the tag, weakly compared (RFC 9110, 13.1.2)."""
    given = [each.strip().removeprefix("W/") for each in (header or "").split(",")]
    return f'"{tag}"' in given or "*" in given


def _show(feed: Feed) -> dict[str, object]:
    return {"id": feed.id, **feed.owner._asdict(), "made_at": feed.made_at}
