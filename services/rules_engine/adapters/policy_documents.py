"""Policies as documents for people, made once for each: what a hash stands for never changes."""

import asyncio
from typing import Final

from pydantic import TypeAdapter

from services.cadence.policy.document import policy_document
from services.cadence.policy.model import PolicyContent
from services.chassis.compute_budget import ComputeBudget
from services.rules_engine.adapters.configuration_repository import ConfigurationRepository

MOST_KEPT: Final = 32  # documents, of some hundred kilobytes each


_JSON: Final = TypeAdapter(dict[str, object])


class PolicyDocuments:
    """The documents by hash, the last that were asked for. One is made at a time; `budget` is charged for it."""

    def __init__(self, configurations: ConfigurationRepository, budget: ComputeBudget) -> None:
        self._configurations = configurations
        self._documents: dict[str, bytes] = {}
        self._making = asyncio.Lock()
        self._budget = budget

    async def read(self, policy_hash: str) -> bytes:
        """As JSON. Raises `NotFound`, `PolicyRefused`, and `ComputeBudgetSpent` when too many others were asked for."""
        if policy_hash not in self._documents:
            async with self._making:
                if policy_hash not in self._documents:
                    await self._make(policy_hash)
        document = self._documents.pop(policy_hash)
        self._documents[policy_hash] = document  # the last of all
        return document

    async def _make(self, policy_hash: str) -> None:
        policy = await self._configurations.policy(policy_hash, self._budget)
        write = self._budget.timed(_write)
        self._documents[policy_hash] = await asyncio.to_thread(write, policy_hash, policy.content)
        while len(self._documents) > MOST_KEPT:
            self._documents.pop(next(iter(self._documents)))


def _write(policy_hash: str, content: PolicyContent) -> bytes:
    return _JSON.dump_json({"hash": policy_hash, **policy_document(content)})
