"""What readers of the directories need from the database, inside one transaction."""

from collections.abc import Sequence
from typing import Protocol

from schemas.directory import AccountRecord, CsmRecord, PolicyRecord


class DirectoryRepository(Protocol):
    """The scheduler's copy of the directories; an older version of a record changes nothing."""

    async def save_accounts(self, records: Sequence[AccountRecord]) -> None: ...

    async def forget_accounts(self, account_ids: Sequence[str]) -> None: ...

    async def save_csms(self, records: Sequence[CsmRecord]) -> None: ...

    async def forget_csms(self, csm_ids: Sequence[str]) -> None: ...

    async def save_policies(self, records: Sequence[PolicyRecord]) -> None: ...
