"""Promises over HTTP: which touchpoints are to be done by when, which are at risk, and how many were kept."""

from datetime import datetime
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query
from pydantic import BeforeValidator, Field

from schemas.base import Id, Name, SchemaModel
from schemas.times import Instant
from schemas.touchpoints import TouchpointRisk
from schemas.vocabulary import Owner
from services.calendar.promises import PromiseState
from services.chassis.web import JSON, Cursor, Limit, decode_cursor, encode_cursor, page, require
from services.scheduler.application.read_promises import (
    AdherenceCount,
    PromiseEntry,
    PromiseFilter,
    PromiseKey,
    PromiseReader,
)
from services.scheduler.entrypoints.http_models import parse_id
from services.scheduler.entrypoints.http_touchpoints import check_text, parse_moment, split_at_commas

State = Literal["open", "at_risk", "kept", "breached"]
STATES: Final = "`kept`: done by its moment, `breached`: not, `at_risk`: will not be unless somebody acts"


class PromiseItem(SchemaModel):
    """A touchpoint that is to be done by a moment: its deadline, a one-off without one by the end of its window."""

    touchpoint_id: Id
    account_id: Id
    touchpoint_type: Name
    owner: Owner
    csm_id: Id | None
    policy: Annotated[str, Field(description="the version of the policy whose rule planned it")]
    promised_at: Annotated[
        Instant,
        Field(
            description="the deadline of the touchpoint is later where nothing was open before this moment"
        ),
    ]
    status: Annotated[State, Field(description=STATES)]
    has_come_due: bool
    warned_at: Annotated[
        Instant | None, Field(description="when `drumbeat.touchpoint.at_risk.v1` told of it first")
    ]
    risk: Annotated[TouchpointRisk | None, Field(description="what endangers it, or broke it")]


class PromisePage(SchemaModel):
    items: tuple[PromiseItem, ...]
    next_cursor: str | None


class AdherenceRow(SchemaModel):
    """`unsettled`: of what is open or at risk, what has come due. `unannounced`: broken without an alarm before."""

    key: Annotated[str | None, Field(description="null: nobody leads them")]
    kept: int
    breached: int
    open: int
    at_risk: int
    unsettled: int
    unannounced: int
    adherence: Annotated[
        float | None, Field(description="the share that was kept of those with an end; null: none has ended")
    ]


class Adherence(SchemaModel):
    by: Literal["csm", "policy", "touchpoint_type"]
    rows: tuple[AdherenceRow, ...]


def promise_routes(reader: PromiseReader) -> APIRouter:
    """GET /v1/promises and /v1/promises/adherence."""
    router = APIRouter(tags=["calendar"], dependencies=[require("read")])

    @router.get("/v1/promises", summary="Promises, by their moment", response_model=PromisePage)
    async def list_promises(
        csm_id: Annotated[str | None, Query(max_length=200)] = None,
        account_id: Annotated[str | None, Query(max_length=200)] = None,
        status: Annotated[list[State] | None, BeforeValidator(split_at_commas), Query()] = None,
        from_: Annotated[str | None, Query(alias="from", max_length=64)] = None,
        to: Annotated[str | None, Query(max_length=64)] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> JSON:
        wanted = PromiseFilter(
            check_text("csm_id", csm_id),
            check_text("account_id", account_id),
            frozenset(map(PromiseState, status or ())),
            parse_moment("from", from_),
            parse_moment("to", to),
        )
        parts = decode_cursor(cursor, datetime, str)
        after = None if parts is None else (parts[0], parse_id(parts[1]))
        entries = [*await reader.list_promises(wanted, after, limit + 1)]
        answer = page(entries, limit, lambda entry: encode_cursor(entry.promised_at, entry.touchpoint_id))
        return JSON({**answer, "items": [_show(entry) for entry in entries[:limit]]})

    @router.get(
        "/v1/promises/adherence",
        summary="How many promises were kept, by person, version of the policy or type",
        response_model=Adherence,
    )
    async def get_adherence(
        by: PromiseKey = PromiseKey.CSM,
        csm_id: Annotated[str | None, Query(max_length=200)] = None,
        from_: Annotated[str | None, Query(alias="from", max_length=64)] = None,
        to: Annotated[str | None, Query(max_length=64)] = None,
    ) -> JSON:
        wanted = PromiseFilter(
            check_text("csm_id", csm_id),
            start_at=parse_moment("from", from_),
            end_at=parse_moment("to", to),
        )
        counts = await reader.count_promises(wanted, by)
        return JSON(Adherence(by=by.value, rows=tuple(map(_show_count, counts))).model_dump())

    return router


def _show_count(count: AdherenceCount) -> AdherenceRow:
    return AdherenceRow(
        key=count.key,
        kept=count.kept,
        breached=count.breached,
        open=count.open,
        at_risk=count.at_risk,
        unsettled=count.unsettled,
        unannounced=count.unannounced,
        adherence=count.adherence,
    )


def _show(entry: PromiseEntry) -> dict[str, object]:
    """A PromiseItem as JSON."""
    return PromiseItem.model_construct(
        touchpoint_id=entry.touchpoint_id,
        account_id=entry.account_id,
        touchpoint_type=entry.touchpoint_type,
        owner=entry.owner,
        csm_id=entry.csm_id,
        policy=entry.policy,
        promised_at=entry.promised_at,
        status=entry.state.value,
        has_come_due=entry.has_come_due,
        warned_at=entry.warned_at,
        risk=entry.risk,
    ).model_dump(mode="json")
