"""What the application needs of storage while it processes one batch."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from schemas.plans import Plan
from services.rules_engine.domain.account import Account, NewPlan, Parked, Receipt


class UnitOfWork(Protocol):
    """One transaction: everything or nothing. The caller commits."""

    async def accounts(
        self, account_ids: Sequence[str], announced: Collection[str] = ()
    ) -> dict[str, Account]:
        """The accounts, created if absent, locked in the order of their ids.

        Those of `announced` that were erased and have not come back are left out.
        """
        ...

    async def save(self, accounts: Sequence[Account]) -> None:
        """Write the accounts back."""
        ...

    async def plans(self, versions: Mapping[str, int]) -> dict[str, Plan]:
        """The stored plans of these versions, by account id."""
        ...

    async def record(self, new_plans: Sequence[NewPlan], *, publish: bool) -> None:
        """Store the decisions; with `publish` also send the plans to the scheduler."""
        ...

    async def publish_directory(self, accounts: Sequence[Account], real: datetime) -> None:
        """Publish the directory record of each account whose record changed."""
        ...

    async def acknowledge(self, receipts: Sequence[Receipt]) -> int:
        """Store what became of the events and return how many were new."""
        ...

    async def park(self, parked: Sequence[Parked]) -> None: ...
