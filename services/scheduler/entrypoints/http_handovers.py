"""Handing a person's book over by HTTP, with a preview."""

from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field

from schemas.base import Id, SchemaModel
from schemas.ids import derived_id
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.problems import Problem
from services.chassis.web import JSON, require
from services.scheduler.application.hand_over import (
    BATCH,
    HandoverContext,
    HandoverRefused,
    HandoverRepository,
    StaleHandover,
    WantedHandover,
    hand_over_batch,
    preview_handover,
)
from services.scheduler.application.ports import CalendarRepository
from services.scheduler.application.read_touchpoints import TouchpointReader
from services.scheduler.domain.handover import HandoverPlan
from services.scheduler.entrypoints.http_models import Body

MOST_ACCOUNTS = 2000


class HandOver(Body):
    """A book that is handed over."""

    from_: Annotated[Id, Field(alias="from", description="whose book it is; also a person who has left")]
    to: Annotated[
        Id | None,
        Field(
            description="who takes it: somebody whom the directory describes or an account names; left out: it is "
            "shared out over the pool of each account, else of the person, by the planned work of a year"
        ),
    ] = None
    account_ids: Annotated[
        tuple[Id, ...] | None, Field(max_length=MOST_ACCOUNTS, description="left out: all accounts")
    ] = None
    preview: Annotated[bool, Field(description="only show what would be done; nothing is written")] = True
    version: Annotated[
        str | None,
        Field(max_length=64, description="that of a preview: 409 when the book has changed since then"),
    ] = None


class HandedAccount(SchemaModel):
    """An account and who takes it; `to` null: nobody is in its pool, it stays."""

    account_id: Id
    to: Id | None
    minutes: int
    touches: int
    moved_touches: Annotated[int, Field(description="planned ones at a time at which `to` does not work")]


class HandedLoad(SchemaModel):
    """The next 52 weeks of a person before and after; percent of their available minutes."""

    csm_id: Id
    accounts_before: int
    accounts_after: int
    minutes_before: int
    minutes_after: int
    percent_before: int
    percent_after: int
    peak_percent_before: Annotated[int, Field(description="of the fullest week")]
    peak_percent_after: int


class Handover(SchemaModel):
    """What a hand-over does, or did. Its `id` is the same for a preview and for what is done with its version."""

    id: Id
    version: str
    preview: bool
    accounts: tuple[HandedAccount, ...]
    load: tuple[HandedLoad, ...]
    still_named: Annotated[
        tuple[Id, ...],
        Field(
            description="accounts for which the directory still names `from`: the calendar follows the hand-over until "
            "it names somebody else; change it where the accounts are described"
        ),
    ]


@dataclass(frozen=True, slots=True)
class HandoverUnit:
    """One transaction for each preview and for each batch of accounts."""

    database: Database
    clock: ServiceClock
    calendars: Callable[[Connection], CalendarRepository]
    handovers: Callable[[Connection], HandoverRepository]
    reader: TouchpointReader
    after_commit: Callable[[], None]

    @asynccontextmanager
    async def begin(self) -> AsyncGenerator[HandoverContext]:
        async with self.database.transaction() as connection:
            now = self.clock.at(await real_now(connection))
            yield HandoverContext(self.handovers(connection), self.calendars(connection), self.reader, now)


def handover_routes(unit: HandoverUnit) -> APIRouter:
    """POST /v1/handovers."""
    router = APIRouter(tags=["calendar"], dependencies=[require("act")])

    @router.post(
        "/v1/handovers",
        summary="Hand a person's accounts over to another one or to a pool, or preview it",
        response_model=Handover,
    )
    async def hand_over(request: HandOver) -> JSON:
        wanted = WantedHandover(request.from_, request.to, request.account_ids, request.version)
        try:
            plan = await _hand_over(wanted, unit, is_preview=request.preview)
        except HandoverRefused as refused:
            raise Problem(422, f"{refused}.") from refused
        except StaleHandover as stale:
            raise Problem(409, f"{stale}.") from stale
        return JSON(_show(wanted, plan, is_preview=request.preview).model_dump(mode="json"))

    return router


async def _hand_over(wanted: WantedHandover, unit: HandoverUnit, *, is_preview: bool) -> HandoverPlan:
    """Each batch is one transaction: what a crash leaves is handed over by asking again."""
    async with unit.begin() as context:
        plan = await preview_handover(wanted, context)
        taken = [each for each in plan.accounts if each.to is not None]
        if not is_preview:
            await hand_over_batch(wanted.csm_id, taken[:BATCH], "handed over", context)
    if not is_preview:
        unit.after_commit()
        for first in range(BATCH, len(taken), BATCH):
            async with unit.begin() as context:
                await hand_over_batch(wanted.csm_id, taken[first : first + BATCH], "handed over", context)
            unit.after_commit()
    return plan


def _show(wanted: WantedHandover, plan: HandoverPlan, *, is_preview: bool) -> Handover:
    return Handover(
        id=derived_id("handover", wanted.csm_id, plan.version),
        version=plan.version,
        preview=is_preview,
        accounts=tuple(
            HandedAccount(
                account_id=each.account_id,
                to=each.to,
                minutes=each.minutes,
                touches=each.touches,
                moved_touches=each.moved_touches,
            )
            for each in plan.accounts
        ),
        load=tuple(HandedLoad(**asdict(each)) for each in plan.load),
        still_named=tuple(each.account_id for each in plan.accounts if each.is_named and each.to is not None),
    )
