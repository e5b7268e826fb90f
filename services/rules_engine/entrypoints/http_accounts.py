"""HTTP: events in, accounts with facts and plan, decisions, parked events."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from schemas.vocabulary import Color, Segment, Stage
from services.chassis.event_requests import EVENT_BODY
from services.chassis.keys import ApiKey
from services.chassis.problems import Problem
from services.chassis.web import LAST, Cursor, Limit, RowId, decode_cursor, encode_cursor, page, require
from services.rules_engine.application.queries import Answers, Filter
from services.rules_engine.domain.account import event_identity
from services.rules_engine.entrypoints.event_scopes import EVENT_SCOPES
from services.rules_engine.entrypoints.http_ingest import Ingest

Replayed = Annotated[bool, Query(description="also those that were replayed")]


def event_routes(ingest: Ingest, answers: Answers) -> APIRouter:
    router = APIRouter(prefix="/v1/events", tags=["events"])

    @router.post(
        "",
        summary="Post events",
        description="The scope depends on the type of the event; an event beyond the key's scopes is refused.",
        openapi_extra={**EVENT_BODY, "x-event-scopes": EVENT_SCOPES},
        status_code=202,
        response_class=Response,
    )
    async def post_events(
        request: Request,
        key: Annotated[ApiKey, require("signals", "directory", "consent", "act")],
        validate_only: Annotated[bool, Query(description="check only, send nothing")] = False,
    ) -> Response:
        return await ingest.post(request, key, validate_only=validate_only)

    @router.get(
        "",
        summary="What became of an event",
        dependencies=[require("read")],
        responses={
            404: {"description": "not processed yet, or never accepted; ask again after `Retry-After`"}
        },
    )
    async def get_receipt(
        source: Annotated[str, Query(min_length=1, max_length=1024)],
        id: Annotated[str, Query(min_length=1, max_length=255)],  # noqa: A002
    ) -> dict[str, object]:
        receipt = await answers.receipt(event_identity(source, id))
        if receipt is None:
            detail = "This event has not been processed yet, or was never accepted."
            raise Problem(404, detail, headers={"Retry-After": "1"})
        return {"source": source, "id": id, **receipt}

    return router


def account_routes(answers: Answers) -> APIRouter:
    router = APIRouter(prefix="/v1/accounts", tags=["accounts"], dependencies=[require("read")])

    @router.get("", summary="Accounts")
    async def list_accounts(
        segment: Segment | None = None,
        stage: Stage | None = None,
        color: Color | None = None,
        csm_id: Annotated[str | None, Query(max_length=200)] = None,
        q: Annotated[str | None, Query(max_length=200, description="part of an id or a name")] = None,
        parent_id: Annotated[
            str | None, Query(max_length=200, description="directly below this account")
        ] = None,
        external_id: Annotated[str | None, Query(max_length=500, description="`system:id`")] = None,
        undecided: Annotated[
            bool | None, Query(description="whose plan could not be made; `undecided` of each says why")
        ] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> dict[str, object]:
        (after,) = decode_cursor(cursor, str) or ("",)
        wanted = Filter(segment, stage, color, csm_id, q, parent_id, external_id, undecided)
        items = await answers.accounts(wanted, after=after, limit=limit + 1)
        return page(items, limit, lambda item: encode_cursor(item["id"]))

    # An id may hold a slash, which a client sends as %2F and the server decodes: both paths take any text.
    @router.get("/{account_id:path}/decisions", summary="Its decisions, newest first")
    async def list_decisions(account_id: str, limit: Limit = 100, cursor: Cursor = None) -> dict[str, object]:
        (before,) = decode_cursor(cursor, int) or (LAST,)
        items = await answers.decisions(account_id, before=before, limit=limit + 1)
        return page(items, limit, lambda item: encode_cursor(item["plan_version"]))

    @router.get(
        "/{account_id:path}",
        summary="One account: facts, plan and, of a parent, what its children add up to",
        responses={404: {"description": "no such account; `merged_into` names the one it was merged into"}},
    )
    async def get_account(account_id: str) -> dict[str, object]:
        return await answers.account(account_id)

    return router


def parked_routes(answers: Answers) -> APIRouter:
    router = APIRouter(prefix="/v1/parked", tags=["dead letters"])

    @router.get("", summary="Events that could not be applied, newest first", dependencies=[require("read")])
    async def list_parked(
        limit: Limit = 100, cursor: Cursor = None, replayed: Replayed = False
    ) -> dict[str, object]:
        (before,) = decode_cursor(cursor, int) or (LAST,)
        items = await answers.parked(before=before, limit=limit + 1, replayed=replayed)
        return page(items, limit, lambda item: encode_cursor(item["id"]))

    @router.post("/{parked_id}/replay", summary="Replay one", dependencies=[require("admin")])
    async def replay_parked(parked_id: RowId) -> dict[str, object]:
        await answers.replay_parked(parked_id)
        return {"id": parked_id, "status": "replayed"}

    return router
