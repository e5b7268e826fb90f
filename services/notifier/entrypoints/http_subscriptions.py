"""Subscriptions over HTTP. A secret is shown when it is made, and never again."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Protocol

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.chassis.clock import ServiceClock, real_now
from services.chassis.ids import fresh
from services.chassis.outbox import timestamp
from services.chassis.problems import Problem
from services.chassis.web import Cursor, Limit, encode_cursor, page, require
from services.notifier.application.ports import Poster, Sign, UrlRefused
from services.notifier.application.read_models import Book, Reading, SubscriptionShown
from services.notifier.domain.subscription import TYPES, FilterField, Subscription, payload
from services.notifier.entrypoints.http_deliveries import DeliveryPage, delivery_page, place_of

TEST_TYPE = "drumbeat.subscription.test.v1"
SubscriptionId = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Word = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class Door(Poster, Protocol):
    """How endpoints are reached; `check` raises `UrlRefused`."""

    async def check(self, url: str) -> None: ...


class NewSubscription(BaseModel):
    """`types` empty: all. `filter`: each field must have one of its values."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=2048, pattern=r"^[^\x00-\x20\x7f]+$")]
    types: Annotated[list[str], Field(max_length=20)] = []
    filter: Annotated[
        dict[FilterField, Word | Annotated[list[Word], Field(min_length=1, max_length=200)]],
        Field(max_length=6),
    ] = {}


@dataclass(frozen=True, slots=True)
class SubscriptionMade:
    """`secret` is shown only here: keep it."""

    id: str
    secret: str
    url: str
    types: list[str]
    filter: dict[str, list[str]]
    active: bool
    created_at: datetime


@dataclass(frozen=True, slots=True)
class SubscriptionPage:
    items: list[SubscriptionShown]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class NewSecret:
    """The old secret signs beside this one for 24 hours."""

    secret: str


@dataclass(frozen=True, slots=True)
class TestOutcome:
    delivered: bool
    outcome: str
    detail: str
    webhook_id: str


@dataclass(frozen=True, slots=True)
class Recovered:
    recovered: int


@dataclass(frozen=True, slots=True)
class Hooks:
    """What these routes work with."""

    book: Book
    reading: Reading
    door: Door
    sign: Sign
    shown: Callable[[bytes], str]
    clock: ServiceClock
    wake: Callable[[], None]


def _wanted(body: NewSubscription) -> Subscription:
    unknown = sorted(set(body.types) - TYPES)
    if unknown:
        raise Problem(422, f"types: {', '.join(unknown)[:200]} is not one of {', '.join(sorted(TYPES))}.")
    return Subscription(
        id=fresh(),
        url=body.url,
        types=frozenset(body.types),
        filter={
            name: [values] if isinstance(values, str) else values for name, values in body.filter.items()
        },
    )


def _missing(subscription_id: str) -> Problem:
    return Problem(404, f"There is no subscription {subscription_id}.")


def subscription_routes(hooks: Hooks) -> APIRouter:
    router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"])

    @router.post("", status_code=201, dependencies=[require("act")], summary="Subscribe an endpoint")
    async def subscribe(body: NewSubscription) -> SubscriptionMade:
        return await _subscribe(_wanted(body), hooks)

    @router.get("", dependencies=[require("read")], summary="Subscriptions, oldest first")
    async def list_subscriptions(limit: Limit = 100, cursor: Cursor = None) -> SubscriptionPage:
        items = await hooks.book.listed(after=place_of(cursor, 0), limit=limit + 1)
        made = page([*items], limit, lambda each: encode_cursor(each.seq))
        return SubscriptionPage(**made)  # pyright: ignore[reportArgumentType]

    @router.get("/{subscription_id}", dependencies=[require("read")], summary="One subscription")
    async def one_subscription(subscription_id: SubscriptionId) -> SubscriptionShown:
        found = await hooks.book.one(subscription_id)
        if found is None:
            raise _missing(subscription_id)
        return found

    @router.delete(
        "/{subscription_id}", status_code=204, dependencies=[require("act")], summary="End a subscription"
    )
    async def unsubscribe_endpoint(subscription_id: SubscriptionId) -> None:
        if not await hooks.book.delete(subscription_id):
            raise _missing(subscription_id)

    _add_care(router, hooks)
    return router


async def _subscribe(wanted: Subscription, hooks: Hooks) -> SubscriptionMade:
    try:
        await hooks.door.check(wanted.url)
    except UrlRefused as problem:
        raise Problem(422, f"url: {problem}") from problem
    made, secret = await hooks.book.make(wanted)
    return SubscriptionMade(
        id=made.id,
        secret=hooks.shown(secret),
        url=made.url,
        types=made.types,
        filter={name: list(values) for name, values in made.filter.items()},
        active=made.active,
        created_at=made.created_at,
    )


def _add_care(router: APIRouter, hooks: Hooks) -> None:
    @router.post("/{subscription_id}/rotate-secret", dependencies=[require("act")], summary="A new secret")
    async def rotate_secret(subscription_id: SubscriptionId) -> NewSecret:
        secret = await hooks.book.rotate(subscription_id)
        if secret is None:
            raise _missing(subscription_id)
        return NewSecret(hooks.shown(secret))

    @router.post("/{subscription_id}/test", dependencies=[require("act")], summary="Send a test event now")
    async def test_subscription(subscription_id: SubscriptionId) -> TestOutcome:
        return await _try_out(subscription_id, hooks)

    @router.post(
        "/{subscription_id}/recover", dependencies=[require("act")], summary="Send again what failed"
    )
    async def recover(
        subscription_id: SubscriptionId,
        since: Annotated[
            AwareDatetime, Query(description="what was made at or after this moment (RFC 3339)")
        ],
    ) -> Recovered:
        if await hooks.book.endpoint(subscription_id) is None:
            raise _missing(subscription_id)
        recovered = await hooks.book.recover(subscription_id, since)
        hooks.wake()
        return Recovered(recovered)

    @router.get(
        "/{subscription_id}/deliveries", dependencies=[require("read")], summary="What was sent, newest first"
    )
    async def deliveries_of_subscription(
        subscription_id: SubscriptionId, limit: Limit = 100, cursor: Cursor = None
    ) -> DeliveryPage:
        if await hooks.book.one(subscription_id) is None:
            raise _missing(subscription_id)
        return await delivery_page(
            hooks.reading, limit, cursor, recipient_kind="subscription", recipient_id=subscription_id
        )


async def _try_out(subscription_id: str, hooks: Hooks) -> TestOutcome:
    """One attempt through the same guard as every other; what the endpoint answers is not shown."""
    endpoint = await hooks.book.endpoint(subscription_id)
    if endpoint is None:
        raise _missing(subscription_id)
    at = real_now()
    data = orjson.dumps({"subscription_id": endpoint.id, "message": "This is a test of your subscription."})
    body = payload(TEST_TYPE, timestamp(hooks.clock.at(at)), data)
    webhook_id = fresh()
    headers = hooks.sign(webhook_id, at, body, endpoint.secrets.valid_at(at))
    receipt = await hooks.door.post(endpoint.url, body, headers, at=at)
    return TestOutcome(receipt.outcome == "delivered", receipt.outcome, receipt.detail, webhook_id)
