"""HTTP: what another policy would change, before anybody publishes it."""

from collections.abc import Mapping

from fastapi import APIRouter
from pydantic import Field

from services.cadence.evaluation.policy_diff import LISTED
from services.chassis.web import require
from services.rules_engine.application.compare_policies import PolicyComparisons
from services.rules_engine.application.publish_policy import InvalidPolicy
from services.rules_engine.entrypoints.http_policies import NOT_SOUND, TOO_LARGE, Files, bounded, refuse

PATH = "/v1/policies/diff"


class Compared(Files):
    """A policy to compare with the one in force."""

    days: int = Field(default=90, ge=1, le=3_650, description="how far ahead touchpoints are counted")


def diff_routes(differences: PolicyComparisons) -> APIRouter:
    router = APIRouter(tags=["policies"], dependencies=[require("read")])

    @router.post(
        PATH,
        summary="What would this policy change? Totals, and the first accounts that change; nothing is stored",
        description=(
            "Every account is evaluated under the policy in force and under this one, as of now. `totals` by touchpoint"
            " type: how many in the period, and minutes of CSMs. At most 20,000 accounts or 20 seconds: then `sample` is"
            f" true and the totals are of the accounts compared. `accounts` lists the first {LISTED} that change."
        ),
        responses={413: TOO_LARGE, 422: NOT_SOUND},
    )
    async def diff_policy(wanted: Compared) -> Mapping[str, object]:
        bounded(wanted.files)
        try:
            return await differences.compare(wanted.files, wanted.days)
        except InvalidPolicy as refused:
            refuse(refused)

    return router
