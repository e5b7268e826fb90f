"""Update the directory: store account and CSM records, of several about one of them the highest version."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.directory import AccountRecord, CsmRecord
from services.notifier.application.ports import Now, UnitOfWork


@dataclass(frozen=True, slots=True)
class AccountDeleted:
    account_id: str


@dataclass(frozen=True, slots=True)
class CsmDeleted:
    csm_id: str


@dataclass(frozen=True, slots=True)
class AccountMerged:
    """An account ended; everything of it belongs to the one that stays."""

    ended: str
    stays: str


DirectoryChange = AccountRecord | CsmRecord | AccountDeleted | AccountMerged | CsmDeleted


async def update_directory(changes: Sequence[DirectoryChange], *, work: UnitOfWork, now: Now) -> None:
    """Apply changes in order: a record that follows a deletion is stored again."""
    records: list[AccountRecord | CsmRecord] = []
    for change in changes:
        match change:
            case AccountDeleted(account_id):
                await _save(records, work, now)
                records = []
                await work.delete_account(account_id)
            case AccountMerged(ended, stays):
                await _save(records, work, now)
                records = []
                await work.merge_account(ended, stays, now)
            case CsmDeleted(csm_id):
                await _save(records, work, now)
                records = []
                await work.delete_csm(csm_id)
            case record:
                records.append(record)
    await _save(records, work, now)


async def _save(records: Sequence[AccountRecord | CsmRecord], work: UnitOfWork, now: Now) -> None:
    in_order = sorted(records, key=lambda record: record.version)
    accounts = [record for record in in_order if isinstance(record, AccountRecord)]
    csms = [record for record in in_order if isinstance(record, CsmRecord)]
    if accounts:
        latest = {record.account_id: record for record in accounts}
        preferences = [preference for record in accounts for preference in record.preferences]
        await work.save_accounts(list(latest.values()), preferences, now)
    if csms:
        await work.save_csms(list({record.csm_id: record for record in csms}.values()), now)
