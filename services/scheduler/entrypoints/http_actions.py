"""What people do to touchpoints over HTTP; each action names the version it was decided on."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header

from schemas.ids import derived_id
from services.calendar.touchpoint import IllegalTransition, RecordedOutcome, WrongTime
from services.chassis.audit import AuditLog, Change
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.ids import fresh
from services.chassis.problems import Problem
from services.chassis.web import JSON, require
from services.scheduler.application import act_on_touchpoint as act
from services.scheduler.application.ports import CalendarRepository, StoredTouchpoint
from services.scheduler.application.read_touchpoints import TouchpointEntry, TouchpointReader
from services.scheduler.application.undo_act import NothingToUndo, undo
from services.scheduler.domain.catalogue import UnknownType
from services.scheduler.entrypoints.http_models import (
    Act,
    ByPerson,
    Cancel,
    Claim,
    PlanByHand,
    Reassign,
    Reschedule,
    Settle,
    TouchpointItem,
    Undo,
    parse_id,
    show_touchpoints,
)

AUDIT: Final = AuditLog("scheduler")
SOURCE = "/drumbeat/scheduler"
# RFC 9457: the title names the kind of problem, the detail this one.
CONFLICTS: Final[Mapping[type[Exception], str]] = {
    IllegalTransition: "Not possible in this state",
    act.AlreadyTaken: "Already taken",
    NothingToUndo: "Nothing to undo",
}
REFUSED: Final[dict[int | str, dict[str, Any]]] = {
    409: {
        "description": "not as you read it: `sequence` is its version now; or its status does not allow the act"
    }
}


@dataclass(frozen=True, slots=True)
class UnitOfWork:
    """One transaction for each request that acts; errors become problem documents."""

    database: Database
    clock: ServiceClock
    calendars: Callable[[Connection], CalendarRepository]
    reader: TouchpointReader
    after_commit: Callable[[], None]

    @asynccontextmanager
    async def begin(self, change: Change) -> AsyncGenerator[tuple[CalendarRepository, datetime]]:
        """The calendars and service now. Raises Problem (404, 409, 422); then nothing is changed.

        `change`: the entry of the act in the audit log, which is the history of the touchpoint.
        """
        try:
            async with self.database.transaction() as connection:
                yield self.calendars(connection), self.clock.at(await real_now(connection))
                await AUDIT.record(connection, [change])
        except act.NoSuchTouchpoint as missing:
            raise Problem(404, f"{missing}.") from missing
        except UnknownType as unknown:
            raise Problem(422, str(unknown)) from unknown
        except (act.UnknownPerson, act.ReasonMissing, WrongTime) as wrong:
            raise Problem(422, f"{wrong}.") from wrong
        except act.StaleVersion as stale:
            current = stale.current
            raise Problem(
                409, f"{stale}.", title="Stale version", current=current, sequence=current
            ) from stale
        except tuple(CONFLICTS) as refused:
            raise Problem(409, f"{refused}.", title=CONFLICTS[type(refused)]) from refused
        self.after_commit()


def action_routes(unit_of_work: UnitOfWork) -> APIRouter:
    """POST /v1/touchpoints and /v1/touchpoints/{id}/settle, reschedule, reassign, cancel, claim, undo."""
    router = APIRouter(
        prefix="/v1/touchpoints", tags=["calendar"], dependencies=[require("act")], responses=REFUSED
    )
    _add_plan_by_hand(router, unit_of_work)
    _add_settle_and_reschedule(router, unit_of_work)
    _add_reassign_and_cancel(router, unit_of_work)
    _add_claim_and_undo(router, unit_of_work)
    return router


def _add_plan_by_hand(router: APIRouter, unit_of_work: UnitOfWork) -> None:
    @router.post("", summary="Plan one by hand", status_code=201, response_model=TouchpointItem)
    async def plan_by_hand(
        request: PlanByHand,
        idempotency_key: Annotated[
            str | None, Header(max_length=200, description="the same key plans the same touchpoint once")
        ] = None,
    ) -> JSON:
        touchpoint_id = fresh()
        if idempotency_key is not None:
            cause = (request.account_id, request.type, "hand", idempotency_key)
            touchpoint_id = derived_id("touchpoint", *cause)
        entry_id = derived_id("audit", "touchpoint.planned", touchpoint_id)
        change = _change("planned", touchpoint_id, {"type": request.type}, entry_id)
        async with unit_of_work.begin(change) as (calendars, now):
            stored = await act.plan_by_hand(touchpoint_id, request, calendars, now)
        return await _show(stored, now, unit_of_work.reader, status=201)


def _add_settle_and_reschedule(router: APIRouter, unit_of_work: UnitOfWork) -> None:
    @router.post("/{touchpoint_id}/settle", summary="Enter its outcome", response_model=TouchpointItem)
    async def settle(touchpoint_id: str, request: Settle) -> JSON:
        name = parse_id(touchpoint_id)
        async with unit_of_work.begin(_by_hand("settled", name, request)) as (calendars, now):
            outcome = RecordedOutcome(request.outcome, now, SOURCE, fresh(), request.notes)
            stored = await act.settle(_target(name, request), outcome, calendars, now)
        return await _show(stored, now, unit_of_work.reader)

    @router.post(
        "/{touchpoint_id}/reschedule",
        summary="Move a planned one; one that has come due is settled and the one in the answer replaces it",
        response_model=TouchpointItem,
    )
    async def reschedule(touchpoint_id: str, request: Reschedule) -> JSON:
        name = parse_id(touchpoint_id)
        async with unit_of_work.begin(_by_hand("rescheduled", name, request)) as (calendars, now):
            outcome = RecordedOutcome("rescheduled", now, SOURCE, fresh())
            wanted = act.NewTime(request.to, request.reason, request.force, request.actor_id)
            stored = await act.reschedule(_target(name, request), wanted, outcome, calendars, now)
        return await _show(stored, now, unit_of_work.reader)


def _add_reassign_and_cancel(router: APIRouter, unit_of_work: UnitOfWork) -> None:
    @router.post(
        "/{touchpoint_id}/reassign", summary="Give it to another person", response_model=TouchpointItem
    )
    async def reassign(touchpoint_id: str, request: Reassign) -> JSON:
        name = parse_id(touchpoint_id)
        async with unit_of_work.begin(_by_hand("reassigned", name, request)) as (calendars, now):
            stored = await act.reassign(_target(name, request), request.csm_id, calendars, now)
        return await _show(stored, now, unit_of_work.reader)

    @router.post("/{touchpoint_id}/cancel", summary="Cancel it, with a reason", response_model=TouchpointItem)
    async def cancel(touchpoint_id: str, request: Cancel) -> JSON:
        name = parse_id(touchpoint_id)
        async with unit_of_work.begin(_by_hand("cancelled", name, request)) as (calendars, now):
            stored = await act.cancel(_target(name, request), request.reason, calendars, now)
        return await _show(stored, now, unit_of_work.reader)


def _add_claim_and_undo(router: APIRouter, unit_of_work: UnitOfWork) -> None:
    @router.post("/{touchpoint_id}/claim", summary="Take work that nobody has", response_model=TouchpointItem)
    async def claim(touchpoint_id: str, request: Claim) -> JSON:
        name = parse_id(touchpoint_id)
        async with unit_of_work.begin(_by_hand("claimed", name, request)) as (calendars, now):
            stored = await act.claim(_target(name, request), request.csm_id, calendars, now)
        return await _show(stored, now, unit_of_work.reader)

    @router.post(
        "/{touchpoint_id}/undo",
        summary="Undo the last act by hand, within ten minutes and if nothing happened since",
        response_model=TouchpointItem,
    )
    async def undo_act(touchpoint_id: str, request: Undo) -> JSON:
        name = parse_id(touchpoint_id)
        async with unit_of_work.begin(_by_hand("undone", name, request)) as (calendars, now):
            outcome = RecordedOutcome("reopened", now, SOURCE, fresh())
            stored = await undo(name, request.version, outcome, calendars, now, request.actor_id)
        return await _show(stored, now, unit_of_work.reader)


def _by_hand(action: str, touchpoint_id: str, request: Act | Undo) -> Change:
    """What was asked for, without what was written by hand: notes and reasons may name people."""
    asked = request.model_dump(
        include={"outcome", "to", "csm_id", "actor_id", "force"}, exclude_defaults=True
    )
    return _change(action, touchpoint_id, asked)


def _change(
    action: str, touchpoint_id: str, after: Mapping[str, object], entry_id: str | None = None
) -> Change:
    return Change(f"touchpoint.{action}", f"touchpoint/{touchpoint_id}", None, after or None, id=entry_id)


def _target(touchpoint_id: str, request: Act) -> act.Target:
    actor_id = request.actor_id if isinstance(request, ByPerson) else None
    return act.Target(touchpoint_id, request.version, request.only, actor_id)


async def _show(
    stored: StoredTouchpoint, now: datetime, reader: TouchpointReader, *, status: int = 200
) -> JSON:
    entry = TouchpointEntry(stored.touchpoint, stored.content, now, 0)
    item, *_ = await show_touchpoints([entry], reader, stored.undo_until)
    if stored.together_with:
        item["together_with"] = list(stored.together_with)
    return JSON(item, status_code=status)
