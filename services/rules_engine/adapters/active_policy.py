"""The policy and portfolio that this replica evaluates under, kept in step with the generation all share."""

import asyncio
from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import timedelta
from typing import cast

import structlog

from services.cadence.policy import Policy
from services.cadence.policy.load import PolicyRefused, file_name, load_policy_texts
from services.cadence.portfolio import Portfolio
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection
from services.rules_engine.adapters.configuration_repository import (
    Configuration,
    ConfigurationRepository,
    FilesResult,
    Offer,
    Source,
    current,
)
from services.rules_engine.adapters.policy_jobs import check_own_tests
from services.rules_engine.adapters.portfolio_repository import read_portfolio
from services.rules_engine.domain.account import EvaluationContext

log = structlog.get_logger(__name__)

RETRY_REAL_SECONDS = 30


class ActivePolicy:
    """The current evaluation context; `refresh` loads what was published or announced, here or on another replica.

    Each batch reads the context once, so it never changes within a batch. A policy in force that this replica cannot read
    (a newer Drumbeat published it) leaves the old context in place and makes the replica not ready.
    """

    def __init__(self, configurations: ConfigurationRepository, clock: ServiceClock) -> None:
        self._configurations = configurations
        self._clock = clock
        self._context: EvaluationContext | None = None
        self._generation = 0
        self._refreshing = asyncio.Lock()
        self.waits_for: str | None = None
        """Why this replica is not up to date; None when it is."""

    def context(self) -> EvaluationContext:
        if self._context is None:
            raise LookupError("no policy is in force yet")
        return self._context

    async def open(self, files: Mapping[str, str], name: str, mode: str, source: Source) -> None:
        """Offer the policy of these files, then load what is in force; `mode` is that of the first start.

        Raises `PolicyRefused`, also when tests among the files fail that would come into force.
        A replica that starts cannot go on without a policy in force that it can read: it has no older context.
        """
        plain = {file_name(file): text for file, text in files.items()}
        try:
            policy = load_policy_texts(plain)
        except PolicyRefused:
            load_policy_texts(files)  # raises with the paths of the files
            raise
        self._configurations.keep(policy)
        offer = Offer(policy.hash, name, plain, origin="file")
        if not source.shipped and await self._configurations.would_accept(offer, source):
            await asyncio.to_thread(check_own_tests, plain)
        result = await self._configurations.open(offer, mode, source)
        if result is not None:
            _report(result, source)
        await self.refresh()
        if self.waits_for is not None:
            raise PolicyRefused([f"{self.waits_for}; name corrected files with DRUMBEAT_POLICY"])

    async def refresh(self) -> None:
        if await self._configurations.generation() == self._generation:
            return
        async with self._refreshing:
            configuration, portfolio = await self._snapshot()
            if configuration.generation <= self._generation:
                return
            policy = await self._policy(configuration)
            if policy is not None:
                self._take(configuration, policy, portfolio)
            elif self._context is not None:
                self._context = replace(self._context, publish=configuration.mode != "observe")
            self._generation = configuration.generation

    async def _snapshot(self) -> tuple[Configuration, Portfolio]:
        """Generation and contents of one moment, so that a generation always stands for the same policy and portfolio."""
        pool = self._configurations.database.pool
        async with (
            pool.acquire() as acquired,
            acquired.transaction(isolation="repeatable_read", readonly=True),
        ):
            connection = cast("Connection", acquired)
            return await current(connection), await read_portfolio(connection, self._clock)

    async def _policy(self, configuration: Configuration) -> Policy | None:
        """The policy under the hash it was published with; None when it cannot be read (`waits_for` says why)."""
        try:
            policy = await self._configurations.policy(configuration.policy_hash)
        except PolicyRefused as refused:
            version = configuration.version
            self.waits_for = f"the policy in force, version {version}, cannot be read: {refused.errors[0]}"
            log.error("policy.unreadable", version=version, errors=refused.errors[:20])  # noqa: TRY400
            return None
        self.waits_for = None
        return policy

    def _take(self, configuration: Configuration, policy: Policy, portfolio: Portfolio) -> None:
        self._context = EvaluationContext(
            policy=policy,
            portfolio=portfolio,
            generation=configuration.generation,
            publish=configuration.mode != "observe",
            # A clock that stands tries again when it is advanced.
            retry_after=timedelta(seconds=RETRY_REAL_SECONDS * (self._clock.rate or 1.0)),
        )
        log.info("policy.in_force", **asdict(configuration))


def _report(result: FilesResult, source: Source) -> None:
    """Log that files replaced a policy, or were left aside; a published policy is never replaced in silence."""
    origin = {"file": "which came from files", "rollback": "which was rolled back to"}.get(
        result.origin, "which was published"
    )
    author = f" by {result.author}" if result.author else ""
    version = f"version {result.version}, {origin}{author}"
    if result.came_into_force:
        log.warning("policy.files_in_force", files=source.path, replaced=version)
    elif source.shipped:
        log.info("policy.files_not_in_force", files=source.path, in_force=version)
    else:
        advice = f"put them in force with `drumbeat policy publish {source.path}`, or edit them and restart"
        log.warning("policy.files_not_in_force", files=source.path, in_force=version, advice=advice)
