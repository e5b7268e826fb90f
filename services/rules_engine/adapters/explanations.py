"""Answers to why and why not, from the stored memory and the policy in force, or from what a decision was made of."""

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime

from schemas.plans import Plan
from services.cadence.account.codec import decode
from services.cadence.explanation import Inquiry
from services.cadence.policy import Policy
from services.cadence.policy.load import PolicyRefused
from services.chassis.clock import ServiceClock
from services.rules_engine.adapters.account_repository import decision_id
from services.rules_engine.adapters.active_policy import ActivePolicy
from services.rules_engine.adapters.configuration_repository import ConfigurationRepository
from services.rules_engine.application.explain_account import (
    NoSuchAccount,
    NoSuchDecision,
    Question,
    explained,
    inquire_then,
)

STATE = "SELECT state, plan_version FROM account WHERE account_id = $1"
THEN = "SELECT state, policy, decided_at, plan FROM decision WHERE id = $1"
STORED = "SELECT EXISTS (SELECT 1 FROM policy WHERE hash = $1)"
KEPT = 4  # policies of other days: people ask about one decision after the other


class Explainer:
    """The `Explanations` port."""

    def __init__(
        self,
        configurations: ConfigurationRepository,
        active_policy: ActivePolicy,
        read: Callable[[Mapping[str, str]], Policy],
        clock: ServiceClock,
    ) -> None:
        self._configurations = configurations
        self._pool = configurations.database.pool
        self._active_policy = active_policy
        self._read = read
        self._clock = clock
        self._policies: dict[str, Policy] = {}

    async def why(self, question: Question) -> Mapping[str, object]:
        row = await self._pool.fetchrow(STATE, question.account_id)
        if row is None or row[0] is None:
            raise NoSuchAccount(f"Nothing was heard of an account {question.account_id!r}.")
        if question.decision is not None:
            return await self._then(question, question.decision)
        context, now = self._active_policy.context(), self._clock.now()
        account_state = decode(question.account_id, row[0])
        told = explained(question, Inquiry(context.policy, account_state, context.portfolio, now), now)
        return {**told, "plan_version": row[1] or None}

    async def _then(self, question: Question, version: int) -> Mapping[str, object]:
        row = await self._pool.fetchrow(THEN, decision_id(question.account_id, version))
        if row is None:
            raise NoSuchDecision(
                f"The account {question.account_id!r} has no decision with plan version {version}."
            )
        decided_at: datetime = row[2]
        policy = await self._policy(row[1])
        account_state = decode(question.account_id, row[0])
        inquiry = inquire_then(policy, account_state, self._active_policy.context().portfolio, decided_at)
        told = explained(question, inquiry, decided_at)
        # What was decided has to follow from what was kept; where programs or ranks have moved since, it may not.
        return {**told, "reproduced": Plan.read(row[3]).write() == inquiry.decision.plan.write()}

    async def _policy(self, policy_hash: str) -> Policy:
        held = self._active_policy.context().policy
        if policy_hash == held.hash:
            return held
        if policy_hash not in self._policies:
            if not await self._pool.fetchval(STORED, policy_hash):
                raise NoSuchDecision(f"The policy {policy_hash} of that decision is not stored any more.")
            files = await self._configurations.files_of(policy_hash)
            try:
                self._policies[policy_hash] = await asyncio.to_thread(self._read, files)
            except PolicyRefused as refused:
                told = f"The policy {policy_hash} of that decision cannot be read by this version: {refused.errors[0]}"
                raise NoSuchDecision(told) from refused
            while len(self._policies) > KEPT:
                self._policies.pop(next(iter(self._policies)))
        return self._policies[policy_hash]
