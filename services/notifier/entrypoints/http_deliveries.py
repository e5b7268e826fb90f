"""Deliveries and in-app feeds over HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from schemas.vocabulary import Channel
from services.chassis.clock import ServiceClock
from services.chassis.problems import Problem
from services.chassis.web import Cursor, Limit, decode_cursor, encode_cursor, page, require
from services.notifier.application.read_models import DeliveryFilter, DeliveryItem, InboxItem, Queries

Name = Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
State = Literal["pending", "sent", "failed", "suppressed", "expired"]
DeliveryChannel = Channel | Literal["calendar"]
NEWEST = 2**62


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """`complete_from`: of deliveries created before then, some are older than what is kept."""

    items: list[DeliveryItem]
    next_cursor: str | None
    complete_from: datetime


@dataclass(frozen=True, slots=True)
class InboxPage:
    items: list[InboxItem]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class ReadEntry:
    id: str
    read_at: datetime


def sequence_of(cursor: str | None, start: int) -> int:
    """The sequence in a cursor; `start` without one."""
    parts = decode_cursor(cursor, int)
    return min(max(int(parts[0]), 0), NEWEST) if parts else start


async def delivery_page(
    queries: Queries, limit: int, cursor: str | None, **wanted: str | None
) -> DeliveryPage:
    before = sequence_of(cursor, NEWEST)
    found = await queries.deliveries(DeliveryFilter(**wanted), before=before, limit=limit)
    following = None if found.next_before is None else encode_cursor(found.next_before)
    return DeliveryPage([*found.items], following, found.complete_from)


def delivery_routes(queries: Queries, clock: ServiceClock) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["deliveries"])

    @router.get("/deliveries", dependencies=[require("read")], summary="Deliveries, newest first")
    async def list_deliveries(
        account_id: Name = None,
        contact_id: Name = None,
        touchpoint_id: Name = None,
        subscription_id: Name = None,
        state: State | None = None,
        channel: DeliveryChannel | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> DeliveryPage:
        if contact_id is not None and subscription_id is not None:
            raise Problem(422, "contact_id, subscription_id: a delivery has one recipient; name one of them.")
        kind = (
            "contact" if contact_id is not None else "subscription" if subscription_id is not None else None
        )
        return await delivery_page(
            queries,
            limit,
            cursor,
            account_id=account_id,
            touchpoint_id=touchpoint_id,
            recipient_kind=kind,
            recipient_id=contact_id or subscription_id,
            state=state,
            channel=channel,
        )

    _add_inbox(router, queries, clock.now)
    return router


def _add_inbox(router: APIRouter, queries: Queries, now: Callable[[], datetime]) -> None:
    @router.get("/inbox", dependencies=[require("read")], summary="An in-app feed, newest first")
    async def inbox(
        contact_id: Name = None,
        csm_id: Name = None,
        unread: Annotated[bool, Query(description="only entries that were not read yet")] = False,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> InboxPage:
        if (contact_id is None) == (csm_id is None):
            raise Problem(422, "contact_id, csm_id: name one of them.")
        items = await queries.inbox(
            "contact" if contact_id is not None else "csm",
            contact_id or csm_id or "",
            before=sequence_of(cursor, NEWEST),
            limit=limit + 1,
            only_unread=unread,
        )
        fields = page([*items], limit, lambda item: encode_cursor(item.seq))
        return InboxPage(**fields)  # pyright: ignore[reportArgumentType]

    @router.post("/inbox/{entry_id}/read", dependencies=[require("act")], summary="Mark an entry as read")
    async def mark_read(entry_id: UUID) -> ReadEntry:
        read_at = await queries.mark_read(str(entry_id), now())
        if read_at is None:
            raise Problem(404, f"There is no in-app entry {entry_id}.")
        return ReadEntry(str(entry_id), read_at)
