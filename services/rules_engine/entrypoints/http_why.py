"""HTTP: why a rule fires or does not, and why a touchpoint is planned or is not."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Annotated

from fastapi import APIRouter, Query

from services.cadence.explanation import NoSuchRule, NoSuchTouchpoint
from services.chassis.problems import Problem
from services.chassis.web import require
from services.rules_engine.application.explain_account import Question

_Name = Annotated[str | None, Query(min_length=1, max_length=200)]
_ONE = "Ask about one: ?rule= with the name of a rule, or ?touchpoint_type= with a type of touchpoint."


def why_routes(explain: Callable[[Question], Awaitable[Mapping[str, object]]]) -> APIRouter:
    """To be included before the routes of accounts: an id there takes any path."""
    router = APIRouter(prefix="/v1/accounts", tags=["accounts"], dependencies=[require("read")])

    @router.get(
        "/{account_id:path}/why",
        summary="Why, or why not: the rule, its clauses and what stopped it",
        responses={
            404: {"description": "no such account, decision, rule or touchpoint type"},
            422: {"description": "neither or both of `rule` and `touchpoint_type`"},
            429: {"description": "too many questions; try again after `Retry-After` seconds"},
        },
    )
    async def why(
        account_id: str,
        rule: _Name = None,
        touchpoint_type: _Name = None,
        decision: Annotated[
            int | None,
            Query(ge=1, le=2**62, description="plan version of a decision: as things were then; absent: now"),
        ] = None,
    ) -> Mapping[str, object]:
        if (rule is None) == (touchpoint_type is None):
            raise Problem(422, _ONE)
        try:
            return await explain(Question(account_id, rule, touchpoint_type, decision))
        except (NoSuchRule, NoSuchTouchpoint) as unknown:
            text = str(unknown)
            end = "" if text.endswith("?") else "."
            raise Problem(404, f"{text[:1].upper()}{text[1:]}{end}") from unknown

    return router
