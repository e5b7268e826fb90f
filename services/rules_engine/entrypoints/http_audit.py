"""HTTP: the audit log of all services: search it, verify its chain; the history of a touchpoint."""

from typing import Annotated, Final

from fastapi import APIRouter, Path, Query
from pydantic import AwareDatetime

from services.chassis.web import LAST, Cursor, Limit, decode_cursor, encode_cursor, page, require
from services.rules_engine.application.read_audit import Audit, AuditFilter, Verification, objects_named

SHOWN_OF_ACTS: Final = ("seq", "at", "actor", "actor_name", "action", "after", "detail")
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
            "Entries of all services. `actor`: the id of a key or a user (its sessions included), or a part of a user's"
            " name; `link` for the holder of a signed link, `drumbeat` for nobody's call. `actor_name` is that of the"
            " user or the key today. `object`: `kind/id`; contacts and accounts are recorded by a derived id"
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


def history_routes(audit: Audit) -> APIRouter:
    router = APIRouter(prefix="/v1/touchpoints", tags=["audit"], dependencies=[require("read")])

    @router.get("/{touchpoint_id}/history", summary="What people did to a touchpoint, newest first")
    async def get_history(
        touchpoint_id: Annotated[str, Path(min_length=1, max_length=200)],
        limit: Limit = 100,
        cursor: Cursor = None,
    ) -> dict[str, object]:
        (before,) = decode_cursor(cursor, int) or (LAST,)
        wanted = AuditFilter(objects=[f"touchpoint/{touchpoint_id}"])
        items = await audit.search(wanted, before=before, limit=limit + 1)
        shown = [{name: item[name] for name in SHOWN_OF_ACTS} for item in items]
        return page(shown, limit, lambda item: encode_cursor(item["seq"]))

    return router
