"""What the engine needs from the outside while it works on one batch."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.rules_engine.domain.account import Account, NewPlan, Parked, Receipt


class Work(Protocol):
    """One transaction: everything or nothing. The caller commits."""

    async def accounts(self, account_ids: Sequence[str]) -> dict[str, Account]:
        """The accounts, made if absent and locked in the order of their ids."""
        ...

    async def save(self, accounts: Sequence[Account]) -> None:
        """Write memory, plan and standing back."""
        ...

    async def plans(self, versions: Mapping[str, int]) -> dict[str, bytes]:
        """The stored plans of these versions, by account id."""
        ...

    async def record(self, new_plans: Sequence[NewPlan], *, publish: bool) -> None:
        """Store the decisions; with `publish` also command the scheduler."""
        ...

    async def introduce(self, accounts: Sequence[Account], real: datetime) -> None:
        """Tell the directory who the account and its people are."""
        ...

    async def acknowledge(self, receipts: Sequence[Receipt]) -> int:
        """Store what became of the events; answer how many were new."""
        ...

    async def park(self, parked: Sequence[Parked]) -> None: ...
