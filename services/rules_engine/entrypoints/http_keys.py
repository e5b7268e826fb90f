"""HTTP: API keys: created, listed, rotated and revoked by whoever has the scope admin."""

from datetime import timedelta
from typing import Literal

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from schemas.base import Name
from services.chassis.keys import FORMER, Scope
from services.chassis.problems import Problem
from services.chassis.web import require
from services.rules_engine.application.queries import KeyConflict, Keys


class NewKey(BaseModel):
    """A key to create: what it is for and what it may do."""

    model_config = ConfigDict(extra="forbid")

    name: Name
    scopes: list[Scope | Literal["events"]] = Field(
        min_length=1, description="`events` is the former name of `signals`, `directory` and `consent`"
    )
    days: int | None = Field(
        default=None, ge=1, le=3650, description="days of validity; absent: until revoked"
    )


class Rotation(BaseModel):
    """How long the former key stays valid beside the new one, and how long the new one is."""

    model_config = ConfigDict(extra="forbid")

    overlap_hours: int = Field(default=168, ge=1, le=2160, description="until the former key ends")
    days: int | None = Field(
        default=None, ge=1, le=3650, description="days of validity; needed where the former key has an end"
    )


def key_routes(keys: Keys) -> APIRouter:
    router = APIRouter(prefix="/v1/keys", tags=["keys"], dependencies=[require("admin")])

    @router.post("", summary="Create a key; its secret is shown once", status_code=201)
    async def create_key(wanted: NewKey) -> dict[str, object]:
        scopes = {scope for name in wanted.scopes for scope in FORMER.get(name, (name,))}
        return await keys.create(wanted.name, sorted(scopes), days=wanted.days)

    @router.get(
        "",
        summary="Keys, without their secrets",
        description="`last_used_at` is at most some minutes old; `replaced_by` names the key that a rotation made.",
    )
    async def list_keys() -> dict[str, object]:
        return {"items": await keys.all(), "next_cursor": None}

    @router.post(
        "/{key_id}/rotate",
        summary="Create a key beside this one, which ends after an overlap; the new secret is shown once",
        description="The new key has the same name and scopes. At most two are valid: a key is rotated once.",
        status_code=201,
        responses={409: {"description": "it was rotated already, or `days` is missing"}},
    )
    async def rotate_key(key_id: str, wanted: Rotation) -> dict[str, object]:
        try:
            return await keys.rotate(key_id, overlap=timedelta(hours=wanted.overlap_hours), days=wanted.days)
        except KeyConflict as conflict:
            raise Problem(409, str(conflict)) from conflict

    @router.delete("/{key_id}", summary="Revoke a key")
    async def revoke_key(key_id: str) -> dict[str, object]:
        await keys.revoke(key_id)
        return {"key_id": key_id, "status": "revoked"}

    return router
