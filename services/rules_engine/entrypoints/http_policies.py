"""HTTP: policies and programs: read, check, publish, roll back, and see how far accounts have followed."""

from datetime import datetime
from typing import Annotated, Any, NoReturn

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from schemas.base import Name, Text
from services.chassis.keys import ApiKey
from services.chassis.problems import Problem
from services.chassis.web import Cursor, Limit, decode_cursor, encode_cursor, page, require
from services.rules_engine.application.publish_policy import (
    InvalidPolicy,
    NoSuchVersion,
    Policies,
    PolicyDraft,
    PolicyInForce,
    Programs,
    StalePolicy,
)

LAST = 2**62
LARGEST = 1_000_000  # bytes of all files together, in UTF-8
LARGEST_BODY = 4 * LARGEST  # JSON may escape every sign of a text
WITH_FILES = ("/v1/policies/validate", "/v1/policies/current")
FILES_AT_MOST = 200
FileName = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^/\\\x00-\x1f\x7f]+$")]
TextOfFiles = Annotated[
    dict[FileName, str],
    Field(min_length=1, max_length=FILES_AT_MOST, description="the YAML text of each file, by its name"),
]
PolicyHash = Annotated[str, Path(min_length=1, max_length=200, description="as `GET /v1/policies` lists it")]
Admin = Annotated[ApiKey, require("admin")]
NOT_SOUND = {
    "description": "not valid; a policy's mistakes are in `errors`, all at once: file, line, column, where, message"
}
TOO_LARGE = {"description": f"the files have more than {LARGEST:,} bytes"}
UNCHANGED = {"description": "already in force: nothing changed"}
STALE = {"description": "`based_on` is not in force any more; `in_force` and `version` say what is"}


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Files(Closed):
    """The files of a policy."""

    files: TextOfFiles


class Publication(Files):
    """A policy to put in force."""

    author: Name | None = Field(default=None, description="absent: the owner of the API key")
    note: Text = Field(default="", description="why; people read it in the list of versions")
    name: Name | None = Field(default=None, description="absent: the name of the version before")
    based_on: str | None = Field(
        default=None,
        max_length=200,
        description="hash of the policy you looked at; 409 when it is not in force",
    )


class Rollback(Closed):
    """An earlier version to put in force again, as a new version."""

    version: int = Field(ge=1, le=2**62)
    author: Name | None = None
    note: Text = ""


def policy_routes(policies: Policies) -> APIRouter:
    router = APIRouter(prefix="/v1/policies", tags=["policies"])
    _add_reads(router, policies)
    _add_checks(router, policies)
    _add_changes(router, policies)
    return router


def _add_reads(router: APIRouter, policies: Policies) -> None:
    read = [require("read")]

    @router.get("", summary="Versions of the policy, newest first", dependencies=read)
    async def list_policies(limit: Limit = 100, cursor: Cursor = None) -> dict[str, object]:
        start = decode_cursor(cursor, int)
        items = await policies.versions(before=start[0] if start else LAST, limit=limit + 1)
        return page(items, limit, lambda item: encode_cursor(item["version"]))

    @router.get("/current", summary="The policy in force with the text of its files", dependencies=read)
    async def get_current_policy() -> dict[str, object]:
        current = await policies.in_force()
        return {**(await policies.policy(current.hash) or {}), **_shown(current)}

    @router.get("/progress", summary="How far accounts have followed what is in force", dependencies=read)
    async def get_progress() -> dict[str, object]:
        return await policies.progress()

    @router.get("/{policy_hash}", summary="One policy: its files and versions", dependencies=read)
    async def get_policy(policy_hash: PolicyHash) -> dict[str, object]:
        found = await policies.policy(policy_hash)
        if found is None:
            raise Problem(404, f"There is no policy {policy_hash!r}.")
        return found


def _add_checks(router: APIRouter, policies: Policies) -> None:
    read = [require("read")]

    @router.get(
        "/{policy_hash}/document",
        summary="What one policy says, section by section, conditions in words",
        dependencies=read,
        responses={422: {"description": "this engine cannot read it any more; `errors` as of `/validate`"}},
    )
    async def get_document(policy_hash: PolicyHash) -> dict[str, object]:
        try:
            found = await policies.document(policy_hash)
        except InvalidPolicy as refused:
            refuse(refused)
        if found is None:
            raise Problem(404, f"There is no policy {policy_hash!r}.")
        return found

    @router.post(
        "/validate",
        summary="Check a policy; nothing is stored",
        dependencies=read,
        responses={413: TOO_LARGE, 422: NOT_SOUND},
    )
    async def validate_policy(wanted: Files) -> dict[str, object]:
        bounded(wanted.files)
        try:
            checked = await policies.check(wanted.files)
        except InvalidPolicy as refused:
            refuse(refused)
        return {"valid": True, "hash": checked.hash, "rules": checked.rules, "findings": checked.findings}


def _add_changes(router: APIRouter, policies: Policies) -> None:
    @router.put(
        "/current",
        summary="Put a policy in force; every account is evaluated again",
        status_code=201,
        responses={200: UNCHANGED, 409: STALE, 413: TOO_LARGE, 422: NOT_SOUND},
    )
    async def publish_policy(wanted: Publication, key: Admin, response: Response) -> dict[str, object]:
        bounded(wanted.files)
        author = wanted.author or await policies.author(key.key_id)
        draft = PolicyDraft(wanted.files, author, wanted.note, wanted.name, wanted.based_on)
        try:
            published = await policies.publish(draft)
        except InvalidPolicy as refused:
            refuse(refused)
        except StalePolicy as stale:
            details: dict[str, Any] = {"in_force": stale.in_force, "version": stale.version}
            raise Problem(409, str(stale), **details) from stale
        return _answer(published, response)

    @router.post(
        "/rollback",
        summary="Put an earlier version in force again",
        status_code=201,
        responses={200: UNCHANGED, 404: {"description": "there is no such version"}, 422: NOT_SOUND},
    )
    async def roll_back_policy(wanted: Rollback, key: Admin, response: Response) -> dict[str, object]:
        author = wanted.author or await policies.author(key.key_id)
        try:
            published = await policies.roll_back(wanted.version, author=author, note=wanted.note)
        except NoSuchVersion as absent:
            raise Problem(404, str(absent)) from absent
        except InvalidPolicy as refused:
            refuse(refused)
        return _answer(published, response)


def program_routes(programs: Programs) -> APIRouter:
    router = APIRouter(prefix="/v1/programs", tags=["programs"], dependencies=[require("read")])

    @router.get("", summary="Programs, newest first; `error` says why one reaches nobody")
    async def list_programs(limit: Limit = 100, cursor: Cursor = None) -> dict[str, object]:
        start = decode_cursor(cursor, datetime, str)
        items = await programs.programs(before=(start[0], start[1]) if start else None, limit=limit + 1)
        return page(items, limit, lambda item: encode_cursor(item["at"], item["program_id"]))

    return router


def bounded(files: dict[str, str]) -> None:
    try:
        size = sum(len(text.encode()) for text in files.values())
    except UnicodeEncodeError as wrong:
        raise Problem(
            422, f"files: half of a character (a lone surrogate) stands in a text: {wrong}"
        ) from wrong
    if size > LARGEST:
        raise Problem(413, f"The files have {size:,} bytes; a policy has at most {LARGEST:,}.", limit=LARGEST)


def refuse(refused: InvalidPolicy) -> NoReturn:
    errors = [each._asdict() for each in refused.mistakes]
    lines = str(refused).splitlines()
    detail = "\n".join([f"The policy has {len(errors)} mistakes:" if len(errors) > 1 else "", *lines]).strip()
    raise Problem(422, detail[:20_000], errors=errors) from refused


def _answer(published: PolicyInForce, response: Response) -> dict[str, object]:
    if not published.changed:
        response.status_code = 200
    return {**_shown(published), "changed": published.changed}


def _shown(current: PolicyInForce) -> dict[str, object]:
    return {
        "version": current.version,
        "hash": current.hash,
        "epoch": current.generation,
        "mode": current.mode,
    }
