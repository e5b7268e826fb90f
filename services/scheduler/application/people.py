"""People and accounts, as far as the calendar needs them: whose hours count, and whom an event names."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, time
from typing import Protocol


@dataclass(frozen=True, slots=True)
class AccountEntry:
    account_id: str
    version: int
    name: str | None
    csm_id: str | None
    timezone: str | None


@dataclass(frozen=True, slots=True)
class PersonEntry:
    """A CSM; `days` are weekdays with Monday 0; `away` are first and last days, both included."""

    csm_id: str
    version: int
    name: str | None
    email: str | None
    timezone: str | None
    weekly_minutes: int | None
    days: Sequence[int] | None
    start: time | None
    end: time | None
    away: Sequence[tuple[date, date]]
    pool: str | None


class Directory(Protocol):
    """The directories' copy inside one transaction; an older version of an entry changes nothing."""

    async def keep_accounts(self, entries: Sequence[AccountEntry]) -> None: ...

    async def forget_accounts(self, account_ids: Sequence[str]) -> None: ...

    async def keep_people(self, entries: Sequence[PersonEntry]) -> None: ...

    async def forget_people(self, csm_ids: Sequence[str]) -> None: ...
