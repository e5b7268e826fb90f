"""The bench this replica judges at, kept in step with the epoch that all replicas share."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import cast

import structlog

from services.cadence.policy import Policy
from services.cadence.policy.load import PolicyRefused
from services.cadence.portfolio import Portfolio
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection
from services.rules_engine.adapters.configuration_repository import (
    Configuration,
    ConfigurationRepository,
    Offer,
    Source,
    current,
)
from services.rules_engine.adapters.portfolio_repository import read_portfolio
from services.rules_engine.application.replan_account import EvaluationContext

log = structlog.get_logger(__name__)

RETRY_REAL_SECONDS = 30
KEPT = 4  # compiled policies: rolling back is quick, and nothing grows


class ActivePolicy:
    """Holds the current bench; `refresh` takes up what was published, here or on another replica, or booked.

    Batches ask for the bench once each, so a change never falls into the middle of one. A policy in force that this
    replica cannot read (a newer Drumbeat published it) leaves it at its old bench and makes it not ready.
    """

    def __init__(
        self,
        configurations: ConfigurationRepository,
        read: Callable[[Mapping[str, str]], Policy],
        clock: ServiceClock,
    ) -> None:
        self._epochs = configurations
        self._read = read
        self._clock = clock
        self._policies: dict[str, Policy] = {}
        self._bench: EvaluationContext | None = None
        self._seen = 0
        self._turn = asyncio.Lock()
        self.waits_for: str | None = None
        """Why this replica is not up to date; None when it is."""

    def now(self) -> EvaluationContext:
        if self._bench is None:
            raise LookupError("no policy is in force yet")
        return self._bench

    async def open(self, files: Mapping[str, str], name: str, mode: str, source: Source) -> None:
        """Offer the policy of these files; then take up what is in force. Raises `PolicyRefused`.

        Only who starts is refused by a policy in force that cannot be read: there is no older bench to stay at.
        """
        policy = self._read(files)
        plain = {Path(file).name: text for file, text in files.items()}
        await self._epochs.open(Offer(policy.hash, name, plain, origin="file"), mode, source)
        self._keep(policy.hash, policy)
        await self.refresh()
        if self.waits_for is not None:
            raise PolicyRefused([f"{self.waits_for}; name corrected files with DRUMBEAT_POLICY"])

    async def refresh(self) -> None:
        if await self._epochs.number() == self._seen:
            return
        async with self._turn:
            generation, portfolio = await self._snapshot()
            if generation.number <= self._seen:
                return
            policy = await self._policy(generation)
            if policy is not None:
                self._take(generation, policy, portfolio)
            elif self._bench is not None:
                self._bench = replace(self._bench, publish=generation.mode != "observe")
            self._seen = generation.number

    async def _snapshot(self) -> tuple[Configuration, Portfolio]:
        """Number and contents of one moment: who decided under a number, decided by these."""
        pool = self._epochs.database.pool
        async with pool.acquire() as held, held.transaction(isolation="repeatable_read", readonly=True):
            connection = cast("Connection", held)
            return await current(connection), await read_portfolio(connection, self._clock)

    async def _policy(self, generation: Configuration) -> Policy | None:
        """The policy under the hash it was published with; None, and the reason kept, when it cannot be read."""
        if generation.policy_hash not in self._policies:
            files = await self._epochs.files_of(generation.policy_hash)
            try:
                read = await asyncio.to_thread(self._read, files)
            except PolicyRefused as refused:
                self.waits_for = (
                    f"the policy in force, version {generation.version}, cannot be read: {refused.errors[0]}"
                )
                log.error("policy.unreadable", version=generation.version, errors=refused.errors[:20])  # noqa: TRY400
                return None
            self._keep(generation.policy_hash, read)
        self.waits_for = None
        return self._policies[generation.policy_hash]

    def _keep(self, published_as: str, policy: Policy) -> None:
        # Another Drumbeat may hash otherwise; decisions name the policy as it was published.
        named = policy if policy.hash == published_as else replace(policy, hash=published_as)
        self._policies[published_as] = named
        while len(self._policies) > KEPT:
            self._policies.pop(next(iter(self._policies)))

    def _take(self, generation: Configuration, policy: Policy, portfolio: Portfolio) -> None:
        self._bench = EvaluationContext(
            policy=policy,
            portfolio=portfolio,
            generation=generation.number,
            publish=generation.mode != "observe",
            retry_after=timedelta(seconds=RETRY_REAL_SECONDS * self._clock.rate),
        )
        log.info(
            "policy.in_force",
            policy=policy.hash,
            version=generation.version,
            generation=generation.number,
            mode=generation.mode,
        )
