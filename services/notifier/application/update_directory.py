"""Update the directory: store records of accounts, CSMs and content, of several about one of them the highest version."""

from collections.abc import Sequence
from dataclasses import dataclass

from schemas.directory import AccountRecord, ContentRecord, CsmRecord
from services.notifier.application.ports import Now, UnitOfWork


@dataclass(frozen=True, slots=True)
class AccountDeleted:
    account_id: str


@dataclass(frozen=True, slots=True)
class CsmDeleted:
    csm_id: str


@dataclass(frozen=True, slots=True)
class ContentDeleted:
    key: str


@dataclass(frozen=True, slots=True)
class AccountMerged:
    """An account ended; everything of it belongs to the one that stays."""

    ended: str
    stays: str


Stored = AccountRecord | CsmRecord | ContentRecord
DirectoryChange = Stored | AccountDeleted | AccountMerged | CsmDeleted | ContentDeleted


async def update_directory(changes: Sequence[DirectoryChange], *, work: UnitOfWork, now: Now) -> None:
    """Apply changes in order: a record that follows a deletion is stored again."""
    if any(isinstance(change, AccountMerged) for change in changes):
        await work.lock_merges()
    records: list[Stored] = []
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
            case ContentDeleted(key):
                await _save(records, work, now)
                records = []
                await work.delete_content(key)
            case record:
                records.append(record)
    await _save(records, work, now)


async def _save(records: Sequence[Stored], work: UnitOfWork, now: Now) -> None:
    in_order = sorted(records, key=lambda record: record.version)
    accounts = [record for record in in_order if isinstance(record, AccountRecord)]
    csms = [record for record in in_order if isinstance(record, CsmRecord)]
    contents = [record for record in in_order if isinstance(record, ContentRecord)]
    if contents:
        await work.save_contents(contents)
    if accounts:
        latest = {record.account_id: record for record in accounts}
        preferences = [preference for record in accounts for preference in record.preferences]
        await work.save_accounts(list(latest.values()), preferences, now)
    if csms:
        await work.save_csms(list({record.csm_id: record for record in csms}.values()), now)
