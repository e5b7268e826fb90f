"""Webhook subscriptions over HTTP. A secret is in the answer that makes it, and in no other."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from schemas.patterns import ONE_LINE
from schemas.times import format_instant
from services.chassis.clock import ServiceClock, real_now
from services.chassis.ids import fresh
from services.chassis.mailbox import Mailbox, parse_mailbox
from services.chassis.problems import Problem
from services.chassis.target_guard import ForbiddenUrl
from services.chassis.web import Cursor, Limit, encode_cursor, page, require
from services.notifier.application.ports import Webhook
from services.notifier.application.read_models import Queries, Recovery, SubscriptionItem, Subscriptions
from services.notifier.application.webhook_ports import WebhookClient
from services.notifier.domain.subscription import NAMED_TYPES, TYPES, FilterField, Subscription
from services.notifier.entrypoints.http_deliveries import DeliveryPage, delivery_page, sequence_of

TEST_TYPE = "drumbeat.subscription.test.v1"
SubscriptionId = Annotated[str, Path(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
Value = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f\x7f]+$")]


class NewSubscription(BaseModel):
    """`types` empty: all about touchpoints. `filter`: each field must have one of its values.

    `contact`: the mail address that is told when the endpoint keeps failing; absent: the deployment's fallback address.
    `name`: the automation platform that this is: where the policy hands messages of a type off to it (`hand_off`), it
    gets `due` with `content`, which has personal data, and Drumbeat writes to nobody. `content`: it gets those of every
    platform.
    """

    model_config = ConfigDict(extra="forbid")

    url: Annotated[str, Field(min_length=1, max_length=2048, pattern=r"^[^\x00-\x20\x7f]+$")]
    types: Annotated[list[str], Field(max_length=20)] = []
    filter: Annotated[
        dict[FilterField, Value | Annotated[list[Value], Field(min_length=1, max_length=200)]],
        Field(max_length=6),
    ] = {}
    contact: Mailbox | None = None
    name: Annotated[str, Field(min_length=1, max_length=100, pattern=ONE_LINE)] | None = None
    content: bool = False


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
    contact: str | None
    name: str | None
    content: bool


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
    """`remaining`: call again for these. `lost`: those whose event is not kept any more; `detail` says what to do."""

    recovered: int
    remaining: int
    lost: int
    detail: str


@dataclass(frozen=True, slots=True)
class SubscriptionServices:
    """What the routes of subscriptions use."""

    subscriptions: Subscriptions
    queries: Queries
    client: WebhookClient
    clock: ServiceClock
    wake_sender: Callable[[], None]


def check_types(types: Iterable[str]) -> list[str]:
    """The event types, all about touchpoints when none is named; 422 for an unknown one."""
    named = sorted(set(types))
    known = TYPES | NAMED_TYPES
    unknown = [name for name in named if name not in known]
    if unknown:
        raise Problem(422, f"types: {', '.join(unknown)[:200]} is not one of {', '.join(sorted(known))}.")
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
        contact=parse_mailbox(body.contact).address if body.contact else None,
        name=body.name,
        content=body.content,
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
    _add_repairs(router, services)
    return router


async def _subscribe(subscription: Subscription, services: SubscriptionServices) -> CreatedSubscription:
    try:
        await services.client.check(subscription.url)
    except ForbiddenUrl as problem:
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
        contact=item.contact,
        name=item.name,
        content=item.content,
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


def _add_repairs(router: APIRouter, services: SubscriptionServices) -> None:
    subscriptions = services.subscriptions

    @router.post(
        "/{subscription_id}/enable", dependencies=[require("act")], summary="Enable a disabled endpoint"
    )
    async def enable(subscription_id: SubscriptionId) -> SubscriptionItem:
        """What failed is not sent again by this: see `recover`."""
        item = await subscriptions.enable(subscription_id) or await subscriptions.get(subscription_id)
        if item is None:
            raise _missing(subscription_id)
        services.wake_sender()
        return item

    @router.post("/{subscription_id}/recover", dependencies=[require("act")], summary="Retry what failed")
    async def recover(
        subscription_id: SubscriptionId,
        since: Annotated[
            AwareDatetime, Query(description="deliveries created at or after this moment (RFC 3339)")
        ],
    ) -> Recovered:
        """Sends again what failed since then, also what failed because the endpoint was disabled; enables it first."""
        if await subscriptions.get(subscription_id) is None:
            raise _missing(subscription_id)
        await subscriptions.enable(subscription_id)
        recovery = await subscriptions.recover(subscription_id, since)
        services.wake_sender()
        return Recovered(recovery.recovered, recovery.remaining, recovery.lost, _left_behind(recovery))


def _left_behind(recovery: Recovery) -> str:
    parts: list[str] = []
    if recovery.remaining:
        parts.append(f"{recovery.remaining} more failed since then: call again for them.")
    if recovery.lost_until is not None:
        parts.append(
            f"{recovery.lost}, the last of {format_instant(recovery.lost_until)}, cannot be sent again: their events are"
            " not kept any more. For how these touchpoints are now, read GET /v1/touchpoints?updated_since= of the"
            " scheduler."
        )
    return " ".join(parts)


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
