"""What the application needs of storage while it processes one batch."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from services.cadence.account import Stamp
from services.cadence.evaluation import StoredPlan
from services.rules_engine.domain.account import (
    Account,
    ChangedDescription,
    Clocks,
    NewPlan,
    Parked,
    Receipt,
)

Homes = Mapping[str, Mapping[str, Stamp]]
"""Contact id -> account id -> the latest event of that account that describes the contact."""


class UnitOfWork(Protocol):
    """One transaction: everything or nothing. The caller commits."""

    async def pause_if_long(self) -> None:
        """Let others run when this one has computed for long."""
        ...

    async def accounts(
        self, account_ids: Sequence[str], announced: Collection[str] = ()
    ) -> dict[str, Account]:
        """The accounts, created if absent, locked in the order of their ids.

        Those of `announced` that were erased and have not come back are left out. No sweep of a generation later than
        their `sweeping` begins until the transaction ends.
        """
        ...

    async def find_merged(self, account_ids: Collection[str]) -> Mapping[str, str]:
        """Of these accounts those that were merged, each with the account that has everything of it now."""
        ...

    async def place_contacts(self, described: Homes) -> Homes:
        """Store which accounts describe which contacts; returns the contacts that several accounts described.

        The contacts are locked until the transaction ends, before any account is.
        """
        ...

    async def end_accounts(self, ended: Sequence[tuple[Account, str]], clocks: Clocks) -> None:
        """End these locked accounts, each in another one: decisions and parked events become those of the other."""
        ...

    async def save(self, accounts: Sequence[Account]) -> None:
        """Write the accounts back."""
        ...

    async def plans(self, versions: Mapping[str, int]) -> dict[str, StoredPlan]:
        """The plans in force of these versions, by account id; one that cannot be read is left out."""
        ...

    async def record(self, new_plans: Sequence[NewPlan], *, publish: bool) -> None:
        """Store the decisions and the plans in force; with `publish` also send the plans to the scheduler."""
        ...

    async def publish_directory(
        self, accounts: Sequence[Account], real: datetime
    ) -> Sequence[tuple[Account, Exception]]:
        """Publish the directory record of each account whose record changed; returns those that have none, and why.

        Of these the record is published with the next evaluation that succeeds.
        """
        ...

    async def acknowledge(self, receipts: Sequence[Receipt]) -> int:
        """Store what became of the events and return how many were new."""
        ...

    async def park(self, parked: Sequence[Parked]) -> None: ...

    async def audit_descriptions(self, changes: Sequence[ChangedDescription]) -> None:
        """Append an entry to the audit log for each."""
        ...
