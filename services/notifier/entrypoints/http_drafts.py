"""Drafts over HTTP: messages to customers that wait for an approval."""

from dataclasses import dataclass
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from schemas.base import Id, Text
from services.chassis.keys import ApiKey
from services.chassis.problems import Problem
from services.chassis.web import Cursor, Limit, encode_cursor, page, require
from services.notifier.application.decide_drafts import (
    DraftConflict,
    DraftDecision,
    DraftDetail,
    DraftFilter,
    DraftItem,
    DraftMissing,
    Drafts,
    decide_draft,
    edit_draft,
    read_draft,
)
from services.notifier.application.draft_text import DraftText, TextRefused
from services.notifier.application.write_customer_mail import CustomerWriter
from services.notifier.domain.approval import DraftState
from services.notifier.entrypoints.http_deliveries import NEWEST, Name, sequence_of

RESPONSES: dict[int | str, dict[str, Any]] = {
    404: {"description": "there is no such draft"},
    409: {"description": "it is not pending any more, or was edited meanwhile"},
}
_Version = Annotated[int, Field(ge=1, le=2**31 - 1)]


class DraftEdit(BaseModel):
    """A subject and a body in Markdown with placeholders, or plain text. `version`: the one that was read."""

    model_config = ConfigDict(extra="forbid")

    subject: Annotated[str, Field(min_length=1, max_length=500)]
    body: Annotated[str, Field(min_length=1, max_length=50_000)]
    version: _Version


class DraftApproval(BaseModel):
    """`version`: the one that was read; absent: whichever there is. `actor_id`: the person who decides."""

    model_config = ConfigDict(extra="forbid")

    version: _Version | None = None
    actor_id: Id | None = None


class DraftRejection(DraftApproval):
    """Why nothing is sent."""

    reason: Annotated[Text, Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class DraftPage:
    """`pending`: how many of this account and person wait for an approval."""

    items: list[DraftItem]
    next_cursor: str | None
    pending: int


def draft_routes(drafts: Drafts, writer: CustomerWriter) -> APIRouter:
    router = APIRouter(prefix="/v1/drafts", tags=["drafts"])

    @router.get("", dependencies=[require("read")], summary="Drafts of messages to customers, newest first")
    async def list_drafts(
        csm_id: Name = None,
        account_id: Name = None,
        state: Annotated[DraftState | None, Query()] = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> DraftPage:
        wanted = DraftFilter(account_id, csm_id, state)
        items = await drafts.page(wanted, before=sequence_of(cursor, NEWEST), limit=limit + 1)
        fields: dict[str, Any] = page([*items], limit, lambda item: encode_cursor(item.seq))
        return DraftPage(**fields, pending=await drafts.count_pending(wanted))

    @router.get(
        "/{draft_id}",
        dependencies=[require("read")],
        summary="One draft, with the message of each recipient",
        responses={404: RESPONSES[404]},
    )
    async def one_draft(draft_id: UUID) -> DraftDetail:
        try:
            return await read_draft(str(draft_id), drafts, writer)
        except DraftMissing:
            raise _missing(draft_id) from None

    _add_decisions(router, drafts, writer)
    return router


def _add_decisions(router: APIRouter, drafts: Drafts, writer: CustomerWriter) -> None:
    @router.put(
        "/{draft_id}",
        dependencies=[require("act")],
        summary="Edit a draft; its figures stay those that it was written from",
        responses=RESPONSES,
    )
    async def edit(draft_id: UUID, body: DraftEdit) -> DraftDetail:
        try:
            text = DraftText(body.subject, body.body)
            return await edit_draft(str(draft_id), text, body.version, drafts, writer)
        except DraftMissing:
            raise _missing(draft_id) from None
        except DraftConflict as conflict:
            raise _conflict(draft_id, conflict) from conflict
        except TextRefused as refused:
            raise Problem(422, str(refused)[:4000]) from refused

    @router.post("/{draft_id}/approve", summary="Send it as it is", responses=RESPONSES)
    async def approve(
        draft_id: UUID, key: Annotated[ApiKey, require("act")], body: DraftApproval | None = None
    ) -> DraftItem:
        """What is decided at sending still is: quiet hours, opt-outs, a withdrawal, a deadline."""
        wanted = body or DraftApproval()
        who = wanted.actor_id or key.key_id
        return await _decide(draft_id, DraftDecision(DraftState.APPROVED, who, "", wanted.version), drafts)

    @router.post("/{draft_id}/reject", summary="Send nothing", responses=RESPONSES)
    async def reject(
        draft_id: UUID, body: DraftRejection, key: Annotated[ApiKey, require("act")]
    ) -> DraftItem:
        decision = DraftDecision(
            DraftState.REJECTED, body.actor_id or key.key_id, body.reason.strip(), body.version
        )
        return await _decide(draft_id, decision, drafts)


async def _decide(draft_id: UUID, decision: DraftDecision, drafts: Drafts) -> DraftItem:
    try:
        return await decide_draft(str(draft_id), decision, drafts)
    except DraftMissing:
        raise _missing(draft_id) from None
    except DraftConflict as conflict:
        raise _conflict(draft_id, conflict) from conflict


def _missing(draft_id: UUID) -> Problem:
    return Problem(404, f"There is no draft {draft_id}.")


def _conflict(draft_id: UUID, conflict: DraftConflict) -> Problem:
    return Problem(409, f"Draft {draft_id} is not as you read it: {conflict}.")
