"""HTTP: erasing an account or a contact for good."""

from typing import Any

from fastapi import APIRouter

from services.chassis.web import require
from services.rules_engine.application.erase_account import CsmErasures, Erasures

UNKNOWN: dict[int | str, dict[str, Any]] = {404: {"description": "never heard of"}}
DESCRIPTION = (
    "Databases, parked events and dead letters are cleared at once, in the scheduler and the notifier within seconds."
    " `ages_out` lists the topics of Kafka that may still have records about it, each with the day by which they are"
    " gone; `topics_clear_by` is the last of these days. Erasing again"
    " answers the same. An event that is sent later starts it anew; an address that refused messages stays refused."
)


def erasure_routes(erasures: Erasures) -> APIRouter:
    router = APIRouter(prefix="/v1/accounts", tags=["accounts"], dependencies=[require("admin")])

    # An id may hold a slash; the longer path comes first.
    @router.delete(
        "/{account_id:path}/contacts/{contact_id:path}",
        summary="Erase a contact",
        description=DESCRIPTION,
        responses=UNKNOWN,
    )
    async def erase_contact(account_id: str, contact_id: str) -> dict[str, object]:
        return await erasures.erase_contact(account_id, contact_id)

    @router.delete(
        "/{account_id:path}",
        summary="Erase an account with its people and its calendar",
        description=DESCRIPTION,
        responses=UNKNOWN,
    )
    async def erase_account(account_id: str) -> dict[str, object]:
        return await erasures.erase_account(account_id)

    return router


def csm_erasure_routes(erasures: CsmErasures) -> APIRouter:
    router = APIRouter(prefix="/v1/csms", tags=["people"], dependencies=[require("admin")])

    @router.delete(
        "/{csm_id:path}",
        summary="Erase a CSM with their calendar and the mails to them",
        description=(
            "For who has left: their book is handed over as for a leaver, and their feeds end. Accounts keep the id until"
            " they are described anew. `ages_out` lists the topics of Kafka that may still have records about the person,"
            " each with the day by which they are gone. Erasing again answers the same; an event that is sent later"
            " starts the record anew."
        ),
        responses=UNKNOWN,
    )
    async def erase_csm(csm_id: str) -> dict[str, object]:
        return await erasures.erase_csm(csm_id)

    return router
