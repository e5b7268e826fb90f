"""Accounts in memory instead of the database."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta

from services.cadence.account import FactEvent, Stamp
from services.cadence.evaluation import StoredPlan
from services.cadence.portfolio import Portfolio
from services.rules_engine.application.ports import Homes
from services.rules_engine.domain.account import (
    Account,
    ChangedDescription,
    Clocks,
    EvaluationContext,
    IncomingEvent,
    NewPlan,
    Parked,
    Receipt,
)
from tests.unit.cadence.events import shipped

CONTEXT = EvaluationContext(
    shipped(), Portfolio(generation=3), 3, publish=True, retry_after=timedelta(minutes=1)
)


class StoredAccounts:
    """The `UnitOfWork` port over accounts that keep what was saved between the batches."""

    def __init__(self, *account_ids: str) -> None:
        self.stored = {account_id: Account(account_id) for account_id in account_ids}
        self.latest_plans: dict[str, StoredPlan] = {}
        self.saved = self.recorded = self.pauses = 0
        self.parked: list[Parked] = []
        self.receipts: list[Receipt] = []
        self.described: list[ChangedDescription] = []
        self.homes: dict[str, dict[str, Stamp]] = {}

    async def pause_if_long(self) -> None:
        self.pauses += 1

    async def accounts(
        self, account_ids: Sequence[str], announced: Collection[str] = ()
    ) -> dict[str, Account]:
        for account_id in account_ids:
            stored = self.stored.setdefault(account_id, Account(account_id))
            stored.restated = stored.links_changed = stored.directory_changed = False
            stored.loaded = stored.columns
        return {account_id: self.stored[account_id] for account_id in account_ids}

    async def find_merged(self, account_ids: Collection[str]) -> Mapping[str, str]:
        known = {key: self.stored[key].merged_into for key in account_ids if key in self.stored}
        return {key: stays for key, stays in known.items() if stays is not None}

    async def place_contacts(self, described: Homes) -> Homes:
        for contact_id, places in described.items():
            stored = self.homes.setdefault(contact_id, {})
            stored |= {key: max(stamp, stored.get(key, "")) for key, stamp in places.items()}
        return {key: dict(self.homes[key]) for key in described if len(self.homes[key]) > 1}

    async def end_accounts(self, ended: Sequence[tuple[Account, str]], clocks: Clocks) -> None:
        for account, stays in ended:
            self.stored[account.account_id] = Account(account.account_id, merged_into=stays)
            for other in self.stored.values():
                if other.merged_into == account.account_id:
                    other.merged_into = stays

    async def save(self, accounts: Sequence[Account]) -> None:
        self.saved += len(accounts)

    async def plans(self, versions: Mapping[str, int]) -> dict[str, StoredPlan]:
        return {account_id: self.latest_plans[account_id] for account_id in versions}

    async def record(self, new_plans: Sequence[NewPlan], *, publish: bool) -> None:
        assert publish
        for new in new_plans:
            self.latest_plans[new.account.account_id] = StoredPlan.read_stored(new.document)
            self.recorded += 1

    async def publish_directory(
        self, accounts: Sequence[Account], real: datetime
    ) -> Sequence[tuple[Account, Exception]]:
        """The directory has no reader here."""
        return ()

    async def acknowledge(self, receipts: Sequence[Receipt]) -> int:
        self.receipts += receipts
        return len(receipts)

    async def park(self, parked: Sequence[Parked]) -> None:
        self.parked += parked

    async def audit_descriptions(self, changes: Sequence[ChangedDescription]) -> None:
        self.described += changes


def incoming(event: FactEvent) -> IncomingEvent:
    return IncomingEvent(event, b"", b"", None)
