"""HTTP: the audit log of all services: search it, verify its chain."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from services.chassis.web import LAST, Cursor, Limit, decode_cursor, encode_cursor, page, require
from services.rules_engine.application.read_audit import Audit, AuditFilter, Verification, objects_named

Part = Annotated[str | None, Query(max_length=200, description="the beginning of it")]

Head = Annotated[
    str | None,
    Query(
        pattern=r"^[0-9]{1,18}:[0-9a-f]{64}$",
        description="`last:head` of an earlier answer, which was kept elsewhere: it has to be in the chain",
    ),
]


def audit_routes(audit: Audit) -> APIRouter:
    router = APIRouter(prefix="/v1/audit", tags=["audit"], dependencies=[require("admin")])

    @router.get(
        "",
        summary="Who changed what, newest first",
        description=(
            "Entries of all services. `actor`: the id of a key (its sessions included), `link` for the holder of a signed"
            " link, `drumbeat` for nobody's call. `object`: `kind/id`; contacts and accounts are recorded by a derived id"
            " and found by their own."
        ),
    )
    async def list_audit(
        actor: Part = None,
        action: Part = None,
        object: Annotated[str | None, Query(max_length=1000, description="`kind/id`")] = None,  # noqa: A002
        from_: Annotated[AwareDatetime | None, Query(alias="from", description="of the real clock")] = None,
        to: AwareDatetime | None = None,
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> dict[str, object]:
        (before,) = decode_cursor(cursor, int) or (LAST,)
        objects = objects_named(object) if object else None
        wanted = AuditFilter(actor or None, action or None, objects, from_, to)
        items = await audit.search(wanted, before=before, limit=limit + 1)
        return page(items, limit, lambda item: encode_cursor(item["seq"]))

    @router.get("/verify", summary="Follow the chain of entries; `problem` names the first that does not fit")
    async def verify_audit(head: Head = None) -> Verification:
        number, _, digest = (head or "").partition(":")
        return await audit.verify((int(number), bytes.fromhex(digest)) if head else None)

    return router
