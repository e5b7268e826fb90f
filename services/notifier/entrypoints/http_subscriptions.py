"""Webhook subscriptions over HTTP. A secret is in the answer that makes it, and in no other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.chassis.clock import ServiceClock, real_now
from services.chassis.ids import fresh
from services.chassis.problems import Problem
from services.chassis.web import Cursor, Limit, encode_cursor, page, require
from services.notifier.application.ports import UrlRefused, Webhook, WebhookClient
from services.notifier.application.read_models import Queries, SubscriptionItem, Subscriptions
from services.notifier.domain.subscription import TYPES, FilterField, Subscription
from services.notifier.entrypoints.http_deliveries import DeliveryPage, delivery_page, sequence_of

TEST_TYPE = "drumbeat.subscription.test.v1"
SubscriptionId = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Value = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class NewSubscription(BaseModel):
    """`types` empty: all. `filter`: each field must have one of its values."""

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=2048, pattern=r"^[^\x00-\x20\x7f]+$")]
    types: Annotated[list[str], Field(max_length=20)] = []
    filter: Annotated[
        dict[FilterField, Value | Annotated[list[Value], Field(min_length=1, max_length=200)]],
        Field(max_length=6),
    ] = {}


@dataclass(frozen=True, slots=True)
class CreatedSubscription:
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
    items: list[SubscriptionItem]
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
class SubscriptionServices:
    """What the routes of subscriptions use."""

    subscriptions: Subscriptions
    queries: Queries
    client: WebhookClient
    clock: ServiceClock
    wake_sender: Callable[[], None]


def check_types(types: Iterable[str]) -> list[str]:
    """The event types, all of them when none is named; 422 for an unknown one."""
    named = sorted(set(types))
    unknown = [name for name in named if name not in TYPES]
    if unknown:
        raise Problem(422, f"types: {', '.join(unknown)[:200]} is not one of {', '.join(sorted(TYPES))}.")
    return named or sorted(TYPES)


def _subscription_of(body: NewSubscription) -> Subscription:
    check_types(body.types)
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


def subscription_routes(services: SubscriptionServices) -> APIRouter:
    router = APIRouter(prefix="/v1/subscriptions", tags=["subscriptions"])
    subscriptions = services.subscriptions

    @router.post("", status_code=201, dependencies=[require("act")], summary="Subscribe an endpoint")
    async def subscribe(body: NewSubscription) -> CreatedSubscription:
        return await _subscribe(_subscription_of(body), services)

    @router.get("", dependencies=[require("read")], summary="Subscriptions, oldest first")
    async def list_subscriptions(limit: Limit = 100, cursor: Cursor = None) -> SubscriptionPage:
        items = await subscriptions.page(after=sequence_of(cursor, 0), limit=limit + 1)
        fields = page([*items], limit, lambda item: encode_cursor(item.seq))
        return SubscriptionPage(**fields)  # pyright: ignore[reportArgumentType]

    @router.get("/{subscription_id}", dependencies=[require("read")], summary="One subscription")
    async def one_subscription(subscription_id: SubscriptionId) -> SubscriptionItem:
        item = await subscriptions.get(subscription_id)
        if item is None:
            raise _missing(subscription_id)
        return item

    @router.delete(
        "/{subscription_id}", status_code=204, dependencies=[require("act")], summary="Delete a subscription"
    )
    async def unsubscribe_endpoint(subscription_id: SubscriptionId) -> None:
        if not await subscriptions.delete(subscription_id):
            raise _missing(subscription_id)

    _add_actions(router, services)
    return router


async def _subscribe(subscription: Subscription, services: SubscriptionServices) -> CreatedSubscription:
    try:
        await services.client.check(subscription.url)
    except UrlRefused as problem:
        raise Problem(422, f"url: {problem}") from problem
    item, secret = await services.subscriptions.create(subscription)
    return CreatedSubscription(
        id=item.id,
        secret=secret,
        url=item.url,
        types=item.types,
        filter={name: list(values) for name, values in item.filter.items()},
        active=item.active,
        created_at=item.created_at,
    )


def _add_actions(router: APIRouter, services: SubscriptionServices) -> None:
    subscriptions = services.subscriptions

    @router.post("/{subscription_id}/rotate-secret", dependencies=[require("act")], summary="A new secret")
    async def rotate_secret(subscription_id: SubscriptionId) -> NewSecret:
        secret = await subscriptions.rotate_secret(subscription_id)
        if secret is None:
            raise _missing(subscription_id)
        return NewSecret(secret)

    @router.post("/{subscription_id}/test", dependencies=[require("act")], summary="Send a test event now")
    async def test_subscription(subscription_id: SubscriptionId) -> TestOutcome:
        return await _send_test(subscription_id, services)

    @router.post("/{subscription_id}/recover", dependencies=[require("act")], summary="Retry what failed")
    async def recover(
        subscription_id: SubscriptionId,
        since: Annotated[
            AwareDatetime, Query(description="deliveries created at or after this moment (RFC 3339)")
        ],
    ) -> Recovered:
        if await subscriptions.endpoint(subscription_id) is None:
            raise _missing(subscription_id)
        recovered = await subscriptions.recover(subscription_id, since)
        services.wake_sender()
        return Recovered(recovered)

    @router.get(
        "/{subscription_id}/deliveries",
        dependencies=[require("read")],
        summary="Its deliveries, newest first",
    )
    async def deliveries_of_subscription(
        subscription_id: SubscriptionId, limit: Limit = 100, cursor: Cursor = None
    ) -> DeliveryPage:
        if await subscriptions.get(subscription_id) is None:
            raise _missing(subscription_id)
        return await delivery_page(
            services.queries, limit, cursor, recipient_kind="subscription", recipient_id=subscription_id
        )


async def _send_test(subscription_id: str, services: SubscriptionServices) -> TestOutcome:
    """One attempt through the same guard as every other. The body of the endpoint's answer is not shown."""
    endpoint = await services.subscriptions.endpoint(subscription_id)
    if endpoint is None:
        raise _missing(subscription_id)
    at = real_now()
    data = orjson.dumps({"subscription_id": endpoint.id, "message": "This is a test of your subscription."})
    webhook = Webhook(fresh(), TEST_TYPE, services.clock.at(at), data)
    response = await services.client.send(endpoint, webhook, at=at)
    return TestOutcome(response.outcome == "delivered", response.outcome, response.detail, webhook.id)
