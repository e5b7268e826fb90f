"""Explanations of stored accounts, from their state and the policy in force, or from what a decision was made of."""

from collections.abc import Mapping
from datetime import datetime, timedelta

from pydantic.main import IncEx

from schemas.plans import Plan
from services.cadence.account.codec import AccountState, UnreadableState, decode
from services.cadence.account.packing import unpacked
from services.cadence.explanation import Explainer
from services.cadence.policy import Policy
from services.cadence.policy.load import PolicyRefused
from services.chassis.clock import ServiceClock
from services.chassis.compute_budget import ComputeBudget
from services.rules_engine.adapters.active_policy import ActivePolicy
from services.rules_engine.adapters.configuration_repository import ConfigurationRepository
from services.rules_engine.adapters.decision_rows import decision_id
from services.rules_engine.application.explain_account import (
    Question,
    explainer_as_of,
    explanation_document,
)
from services.rules_engine.application.queries import NotFound

STATE = "SELECT state, plan_version FROM account WHERE account_id = $1"
# An account has the decisions of those that were merged into it, perhaps one of the same version: its own comes first.
DECISION = """
SELECT state, policy, decided_at, plan FROM decision WHERE account_id = $1 AND version = $2
ORDER BY id = $3 DESC, recorded_at DESC LIMIT 1
"""
_SENTENCES: IncEx = {
    "rhythms": {"__all__": {"reason": {"text"}}},
    "touchpoints": {"__all__": {"reason": {"text"}}},
    "avoid": {"__all__": {"text"}},
}
_SENTENCES_AND_DAYS: IncEx = {**_SENTENCES, "avoid": {"__all__": {"text", "first_on", "last_on"}}}


class StoredExplanations:
    """Explains stored accounts. `budget`: charged for it; `keep`: how long decisions are kept (real time)."""

    def __init__(
        self,
        configurations: ConfigurationRepository,
        active_policy: ActivePolicy,
        clock: ServiceClock,
        budget: ComputeBudget,
        *,
        keep: timedelta,
    ) -> None:
        self._configurations = configurations
        self._keep = keep
        self._pool = configurations.database.pool
        self._active_policy = active_policy
        self._clock = clock
        self._budget = budget

    async def explain(self, question: Question) -> Mapping[str, object]:
        """Raises `NotFound`, `ComputeBudgetSpent`, and the library's `NoSuchRule` and `NoSuchTouchpoint`."""
        row = await self._pool.fetchrow(STATE, question.account_id)
        if row is None or row[0] is None:
            raise NotFound(f"There is no account {question.account_id!r}.")
        if question.decision is not None:
            return await self._explain_decision(question, question.decision)
        context, now = self._active_policy.context(), self._clock.now()
        with self._budget.measure():
            account_state = _decode(question.account_id, row[0])
            explainer = Explainer(context.policy, account_state, context.portfolio, now)
            return {**explanation_document(question, explainer, now), "plan_version": row[1] or None}

    async def _explain_decision(self, question: Question, version: int) -> Mapping[str, object]:
        own_id = decision_id(question.account_id, version)
        row = await self._pool.fetchrow(DECISION, question.account_id, version, own_id)
        if row is None:
            raise NotFound(await self._why_missing(question.account_id, version))
        decided_at: datetime = row[2]
        policy = await self._policy(row[1])
        portfolio = self._active_policy.context().portfolio
        with self._budget.measure():
            account_state = _decode(question.account_id, row[0])
            explainer = explainer_as_of(policy, account_state, portfolio, decided_at)
            document = explanation_document(question, explainer, decided_at)
            # The stored state leads to the stored plan again, unless programs or ranks have changed since.
            reproduced = _mean_the_same(row[3], explainer.decision.plan)
        return {**document, "reproduced": reproduced}

    async def _why_missing(self, account_id: str, version: int) -> str:
        """Versions are milliseconds of the real clock: the age of one that was dropped is known."""
        real = await self._pool.fetchval("SELECT clock_timestamp()")
        if version >= int((real - self._keep).timestamp() * 1000):
            return f"The account {account_id!r} has no decision with plan version {version}."
        return (
            f"The decision with plan version {version} is not stored: it is older than the retention of"
            f" {self._keep.days} days (DRUMBEAT_RETENTION__DECISIONS_DAYS). Without `decision` the account is"
            " explained as it is now."
        )

    async def _policy(self, policy_hash: str) -> Policy:
        policy_in_force = self._active_policy.context().policy
        if policy_hash == policy_in_force.hash:
            return policy_in_force
        try:
            return await self._configurations.policy(policy_hash, self._budget)
        except NotFound as absent:
            raise NotFound(f"The policy {policy_hash} of that decision is no longer stored.") from absent
        except PolicyRefused as refused:
            error = refused.errors[0]
            raise NotFound(
                f"The policy {policy_hash} of that decision cannot be read by this version: {error}"
            ) from refused


def _decode(account_id: str, state: bytes) -> AccountState:
    try:
        return decode(account_id, state)
    except UnreadableState as unreadable:
        raise NotFound(f"The state of the account cannot be explained: {unreadable}.") from unreadable


def _mean_the_same(stored: bytes, again: Plan) -> bool:
    """Without sentences: another version may word a reason differently, or leave out fields that are null.

    Plans of versions before state blackouts by moments, without their days.
    """
    before, after = Plan.read_stored(unpacked(stored)), Plan.read_stored(again.write())
    has_days = any(period.first_on for period in before.avoid)
    excluded = _SENTENCES if has_days else _SENTENCES_AND_DAYS
    return before.model_dump(exclude=excluded) == after.model_dump(exclude=excluded)
