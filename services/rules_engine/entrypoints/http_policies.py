"""HTTP: policies and programs: read, check, publish, roll back, and see how far accounts have followed."""

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from services.cadence.evaluation.policy_diff import LISTED
from services.cadence.policy.load import is_content
from services.chassis.keys import ApiKey
from services.chassis.problems import Problem
from services.chassis.web import LAST, Cursor, Limit, decode_cursor, encode_cursor, page, require
from services.rules_engine.application.publish_policy import (
    Compared,
    Files,
    Policies,
    Publication,
    Rollback,
    SimulationWanted,
)

LARGEST = 1_000_000  # bytes of all YAML files together, in UTF-8
LARGEST_CONTENT = 3_000_000  # bytes of all content files together
LARGEST_BODY = 4 * (LARGEST + LARGEST_CONTENT)  # JSON may escape every sign of a text
WITH_FILES = ("/v1/policies/validate", "/v1/policies/current", "/v1/policies/diff", "/v1/policies/simulate")
LARGER_BODIES = dict.fromkeys(WITH_FILES, LARGEST_BODY)
PolicyHash = Annotated[str, Path(min_length=1, max_length=200, description="as `GET /v1/policies` lists it")]
Publisher = Annotated[ApiKey, require("policy")]
NoteQuery = Annotated[str, Query(max_length=2_000, description="as `note` of the body")]
NOT_SOUND = {
    "description": "not valid; a policy's mistakes are in `errors`, all at once: file, line, column, where, message"
}
TOO_LARGE = {
    "description": f"the YAML files have more than {LARGEST:,} bytes, or content files more than {LARGEST_CONTENT:,}"
}
BUSY = {"description": "too many checks wait; try again after `Retry-After` seconds"}
UNCHANGED = {"description": "already in force: nothing changed"}
STALE = {"description": "`based_on` is not in force any more; `in_force` and `version` say what is"}

Compare = Callable[[Compared], Awaitable[Mapping[str, object]]]
"""The document of a `Difference` from the policy in force, with `sample`. Raises `PolicyRefused`."""
Simulate = Callable[[SimulationWanted], Awaitable[Mapping[str, object]]]
"""The document of a simulation, with `sample`. Raises `PolicyRefused`."""
ListPrograms = Callable[[tuple[datetime, str] | None, int], Awaitable[list[dict[str, object]]]]
"""Newest first, those after a moment and the id of the last one seen; at most so many."""


def policy_routes(policies: Policies, compare: Compare, simulate: Simulate) -> APIRouter:
    router = APIRouter(prefix="/v1/policies", tags=["policies"])
    _add_reads(router, policies)
    _add_checks(router, policies, compare)
    _add_simulation(router, simulate)
    _add_changes(router, policies)
    return router


def _add_reads(router: APIRouter, policies: Policies) -> None:
    read = [require("read")]

    @router.get("", summary="Versions of the policy, newest first", dependencies=read)
    async def list_policies(limit: Limit = 100, cursor: Cursor = None) -> dict[str, object]:
        (before,) = decode_cursor(cursor, int) or (LAST,)
        items = await policies.versions(before=before, limit=limit + 1)
        return page(items, limit, lambda item: encode_cursor(item["version"]))

    @router.get("/current", summary="The policy in force with the text of its files", dependencies=read)
    async def get_current_policy() -> dict[str, object]:
        return await policies.in_force()

    @router.get("/progress", summary="How far accounts have followed what is in force", dependencies=read)
    async def get_progress() -> dict[str, object]:
        return await policies.progress()

    @router.get("/{policy_hash}", summary="One policy: its files and versions", dependencies=read)
    async def get_policy(policy_hash: PolicyHash) -> dict[str, object]:
        return await policies.policy(policy_hash)

    @router.get(
        "/{policy_hash}/document",
        summary="What one policy says, section by section, conditions in words",
        dependencies=read,
        responses={
            422: {"description": "this engine cannot read it any more; `errors` as of `/validate`"},
            429: {"description": "too many others were asked for; try again after `Retry-After` seconds"},
        },
        response_model=dict[str, object],
    )
    async def get_document(policy_hash: PolicyHash) -> Response:
        return Response(await policies.document(policy_hash), media_type="application/json")


def _add_checks(router: APIRouter, policies: Policies, compare: Compare) -> None:
    policy = [require("policy")]

    @router.post(
        "/validate",
        summary="Check a policy; nothing is stored",
        dependencies=policy,
        responses={413: TOO_LARGE, 422: NOT_SOUND, 429: BUSY},
    )
    async def validate_policy(wanted: Files) -> dict[str, object]:
        _check_size(wanted.files)
        return {"valid": True, **await policies.check(wanted.files)}

    @router.post(
        "/diff",
        summary="What would this policy change? Totals, and the first accounts that change; nothing is stored",
        description=(
            "Every account is evaluated under the policy in force and under this one, as of now. `totals` by touchpoint"
            " type: how many in the period, and minutes of CSMs. At most 20,000 accounts or 20 seconds: then `sample` is"
            f" true and the totals are of the accounts compared. `accounts` lists the first {LISTED} that change."
        ),
        dependencies=policy,
        responses={413: TOO_LARGE, 422: NOT_SOUND, 429: BUSY},
    )
    async def diff_policy(wanted: Compared) -> Mapping[str, object]:
        _check_size(wanted.files)
        return await compare(wanted)


def _add_simulation(router: APIRouter, simulate: Simulate) -> None:
    @router.post(
        "/simulate",
        summary="The whole book over a year under a policy, as if no further event came; nothing is stored",
        description=(
            "The same evaluation, reconciliation and levelling as live, from the calendar as it stands. Touchpoints by"
            " type and month (`touches`, in the order of `months`), minutes of people by week beside what the week holds,"
            " `messages` by day, `unowned` work, `conflicts` with the people missing, `notes` on what it leaves as it is,"
            " and with `schedule` every touchpoint. Equal questions about equal books give equal bytes. At most 20,000"
            " accounts; of more, `sample` is true."
        ),
        dependencies=[require("policy")],
        responses={
            413: TOO_LARGE,
            422: NOT_SOUND,
            429: BUSY,
            503: {"description": "the scheduler does not answer"},
        },
    )
    async def simulate_policy(wanted: SimulationWanted) -> Mapping[str, object]:
        if wanted.files is not None:
            _check_size(wanted.files)
        return await simulate(wanted)


def _add_changes(router: APIRouter, policies: Policies) -> None:
    @router.put(
        "/current",
        summary="Put a policy in force, once its tests pass; every account is evaluated again",
        description=(
            "Tests among the files (`*_test.yaml`) run first; when one fails, nothing changes and `errors` lists each"
            " failure with file and line. `force` and a `note`, in the body or the query, publish all the same; the"
            " note and how many tests fail stand in the list of versions."
        ),
        status_code=201,
        responses={200: UNCHANGED, 409: STALE, 413: TOO_LARGE, 422: NOT_SOUND, 429: BUSY},
    )
    async def publish_policy(
        wanted: Publication,
        key: Publisher,
        response: Response,
        force: bool = False,
        note: NoteQuery = "",
    ) -> dict[str, object]:
        _check_size(wanted.files)
        reason = {"force": force or wanted.force, "note": note or wanted.note}
        published = await policies.publish(wanted.model_copy(update=reason), key.key_id)
        response.status_code = 201 if published["changed"] else 200
        return published

    @router.post(
        "/rollback",
        summary="Put an earlier version in force again",
        status_code=201,
        responses={200: UNCHANGED, 404: {"description": "there is no such version"}, 422: NOT_SOUND},
    )
    async def roll_back_policy(wanted: Rollback, key: Publisher, response: Response) -> dict[str, object]:
        published = await policies.roll_back(wanted, key.key_id)
        response.status_code = 201 if published["changed"] else 200
        return published


def program_routes(programs: ListPrograms) -> APIRouter:
    router = APIRouter(prefix="/v1/programs", tags=["programs"], dependencies=[require("read")])

    @router.get("", summary="Programs, newest first; `error` says why one reaches nobody")
    async def list_programs(limit: Limit = 100, cursor: Cursor = None) -> dict[str, object]:
        start = decode_cursor(cursor, datetime, str)
        items = await programs((start[0], start[1]) if start else None, limit + 1)
        return page(items, limit, lambda item: encode_cursor(item["at"], item["program_id"]))

    return router


def _check_size(files: Mapping[str, str]) -> None:
    sizes = {True: 0, False: 0}
    try:
        for name, text in files.items():
            sizes[is_content(name)] += len(text.encode())
    except UnicodeEncodeError as wrong:
        raise Problem(
            422, f"files: half of a character (a lone surrogate) stands in a text: {wrong}"
        ) from wrong
    for kind, size, limit in (("YAML", sizes[False], LARGEST), ("content", sizes[True], LARGEST_CONTENT)):
        if size > limit:
            raise Problem(
                413, f"The {kind} files have {size:,} bytes; a policy has at most {limit:,}.", limit=limit
            )
