"""Deliveries and in-app feeds over HTTP."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from services.chassis.clock import ServiceClock
from services.chassis.problems import Problem
from services.chassis.web import Cursor, Limit, decode_cursor, encode_cursor, page, require
from services.notifier.application.read_models import DeliveryFilter, DeliveryShown, InAppShown, Reading

Name = Annotated[str | None, Query(min_length=1, max_length=200, pattern=r"^[^\x00]+$")]
State = Literal["pending", "sent", "failed", "suppressed", "expired"]
NEWEST = 2**62


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    items: list[DeliveryShown]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class InAppPage:
    items: list[InAppShown]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Read:
    id: str
    read_at: datetime


def place_of(cursor: str | None, start: int) -> int:
    """The sequence a cursor stands at; `start` without one."""
    parts = decode_cursor(cursor, int)
    return min(max(int(parts[0]), 0), NEWEST) if parts else start


async def delivery_page(
    reading: Reading, limit: int, cursor: str | None, **wanted: str | None
) -> DeliveryPage:
    before = place_of(cursor, NEWEST)
    items = await reading.deliveries(DeliveryFilter(**wanted), before=before, limit=limit + 1)
    made = page([*items], limit, lambda each: encode_cursor(each.seq))
    return DeliveryPage(**made)  # pyright: ignore[reportArgumentType]


def delivery_routes(reading: Reading, clock: ServiceClock) -> APIRouter:
    router = APIRouter(prefix="/v1", tags=["deliveries"])

    @router.get("/deliveries", dependencies=[require("read")], summary="Deliveries, newest first")
    async def list_deliveries(
        account_id: Name = None,
        contact_id: Name = None,
        touchpoint_id: Name = None,
        subscription_id: Name = None,
        state: State | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> DeliveryPage:
        if contact_id is not None and subscription_id is not None:
            raise Problem(422, "contact_id, subscription_id: a delivery has one recipient; name one of them.")
        kind = (
            "contact" if contact_id is not None else "subscription" if subscription_id is not None else None
        )
        return await delivery_page(
            reading,
            limit,
            cursor,
            account_id=account_id,
            touchpoint_id=touchpoint_id,
            recipient_kind=kind,
            recipient_id=contact_id or subscription_id,
            state=state,
        )

    _add_inbox(router, reading, clock.now)
    return router


def _add_inbox(router: APIRouter, reading: Reading, now: Callable[[], datetime]) -> None:
    @router.get("/inbox", dependencies=[require("read")], summary="An in-app feed, newest first")
    async def inbox(
        contact_id: Name = None,
        csm_id: Name = None,
        unread: Annotated[bool, Query(description="only what was not read yet")] = False,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> InAppPage:
        if (contact_id is None) == (csm_id is None):
            raise Problem(422, "contact_id, csm_id: name one of them.")
        items = await reading.inbox(
            "contact" if contact_id is not None else "csm",
            contact_id or csm_id or "",
            before=place_of(cursor, NEWEST),
            limit=limit + 1,
            also_read=not unread,
        )
        made = page([*items], limit, lambda each: encode_cursor(each.seq))
        return InAppPage(**made)  # pyright: ignore[reportArgumentType]

    @router.post("/inbox/{entry_id}/read", dependencies=[require("act")], summary="Mark an entry as read")
    async def mark_read(entry_id: UUID) -> Read:
        read_at = await reading.mark_read(str(entry_id), now())
        if read_at is None:
            raise Problem(404, f"There is no in-app entry {entry_id}.")
        return Read(str(entry_id), read_at)
