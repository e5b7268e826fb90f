"""What people do to the calendar over HTTP; each act names the version it was decided on."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Header

from services.chassis.ids import derived, fresh
from services.chassis.web import JSON, require
from services.scheduler.application import act
from services.scheduler.application.look import Entry
from services.scheduler.application.ports import Found
from services.scheduler.domain.touchpoint import Face, Outcome, Owner, Touchpoint
from services.scheduler.entrypoints.api import known_id
from services.scheduler.entrypoints.desk import Counter
from services.scheduler.entrypoints.shapes import (
    BY_HAND,
    Cancel,
    PlanByHand,
    Reassign,
    Reschedule,
    Settle,
    TouchpointItem,
    by_hand_reason,
    item,
)

SOURCE = "/drumbeat/scheduler"


def act_routes(counter: Counter) -> APIRouter:
    """POST /v1/touchpoints and /v1/touchpoints/{id}/settle, reschedule, reassign, cancel."""
    router = APIRouter(prefix="/v1/touchpoints", tags=["calendar"], dependencies=[require("act")])

    _add_planning(router, counter)
    _add_dates(router, counter)
    _add_hands(router, counter)
    return router


def _add_planning(router: APIRouter, counter: Counter) -> None:
    @router.post("", summary="Plan one by hand", status_code=201, response_model=TouchpointItem)
    async def plan_by_hand(
        asked: PlanByHand,
        idempotency_key: Annotated[
            str | None, Header(max_length=200, description="the same key plans the same touchpoint once")
        ] = None,
    ) -> JSON:
        async with counter.open() as (ledger, now):
            touchpoint, face = _by_hand(asked, idempotency_key)
            found = await act.plan_by_hand(touchpoint, face, ledger, now)
        return _answer(found, now, status=201)


def _add_dates(router: APIRouter, counter: Counter) -> None:
    @router.post("/{touchpoint_id}/settle", summary="Say what became of it", response_model=TouchpointItem)
    async def settle(touchpoint_id: str, asked: Settle) -> JSON:
        name = known_id(touchpoint_id)
        async with counter.open() as (ledger, now):
            outcome = Outcome(asked.outcome, now, SOURCE, fresh(), asked.notes)
            found = await act.settle_by_hand(name, asked.version, outcome, ledger, now)
        return _answer(found, now)

    @router.post(
        "/{touchpoint_id}/reschedule",
        summary="Move a planned one; one that has come due is settled and lives on in the one answered",
        response_model=TouchpointItem,
    )
    async def reschedule(touchpoint_id: str, asked: Reschedule) -> JSON:
        name = known_id(touchpoint_id)
        async with counter.open() as (ledger, now):
            outcome = Outcome("rescheduled", now, SOURCE, fresh())
            found = await act.reschedule(name, asked.version, asked.to, outcome, ledger, now)
        return _answer(found, now)


def _add_hands(router: APIRouter, counter: Counter) -> None:
    @router.post(
        "/{touchpoint_id}/reassign", summary="Give it to another person", response_model=TouchpointItem
    )
    async def reassign(touchpoint_id: str, asked: Reassign) -> JSON:
        name = known_id(touchpoint_id)
        async with counter.open() as (ledger, now):
            found = await act.reassign(name, asked.version, asked.csm_id, ledger, now)
        return _answer(found, now)

    @router.post("/{touchpoint_id}/cancel", summary="Cancel it, with a reason", response_model=TouchpointItem)
    async def cancel(touchpoint_id: str, asked: Cancel) -> JSON:
        name = known_id(touchpoint_id)
        async with counter.open() as (ledger, now):
            found = await act.cancel(name, asked.version, asked.reason, ledger, now)
        return _answer(found, now)


def _by_hand(asked: PlanByHand, key: str | None) -> tuple[Touchpoint, Face]:
    name = fresh() if key is None else derived("touchpoint", asked.account_id, asked.type, "hand", key)
    face = Face(
        asked.channel, asked.purpose, asked.topic, tuple(asked.audience), by_hand_reason(asked.reason)
    )
    touchpoint = Touchpoint(
        id=name,
        account_id=asked.account_id,
        type=asked.type,
        origin=BY_HAND,
        due_at=asked.due_at,
        start=asked.due_at if asked.window is None else asked.window.from_,
        end=asked.due_at if asked.window is None else asked.window.to,
        deadline=asked.deadline,
        owner=Owner(asked.owner),
        csm_id=asked.csm_id,
        minutes=asked.minutes,
        pinned=True,
    )
    return replace(touchpoint, face=face), face


def _answer(found: Found, now: datetime, *, status: int = 200) -> JSON:
    return JSON(item(Entry(found.touchpoint, found.face, now, 0)), status_code=status)
