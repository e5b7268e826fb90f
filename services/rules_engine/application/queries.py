"""Read models of the engine: what its queries take and return."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol


class NotFound(Exception):
    """What was asked for does not exist, or cannot be read by this version; the message says what.

    `merged_into`: the account that has everything of the account that was asked for.
    """

    def __init__(self, message: str, merged_into: str | None = None) -> None:
        super().__init__(message)
        self.merged_into = merged_into


class KeyConflict(Exception):
    """A key cannot be rotated as asked; the message says why."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which accounts to list: None means any; `q` is a part of the id or the name, `external_id` is `system:id`."""

    segment: str | None = None
    stage: str | None = None
    color: str | None = None
    csm_id: str | None = None
    q: str | None = None
    parent_id: str | None = None
    external_id: str | None = None
    undecided: bool | None = None


class Answers(Protocol):
    """Reads of the engine's own tables; `account` and `replay_parked` raise `NotFound`."""

    async def account(self, account_id: str) -> dict[str, object]: ...

    async def accounts(self, wanted: Filter, *, after: str, limit: int) -> list[dict[str, object]]: ...

    async def decisions(self, account_id: str, *, before: int, limit: int) -> list[dict[str, object]]: ...

    async def receipt(self, identity: bytes) -> dict[str, object] | None: ...

    async def parked(self, *, before: int, limit: int, replayed: bool) -> list[dict[str, object]]: ...

    async def replay_parked(self, parked_id: int) -> None: ...


class Keys(Protocol):
    """API keys beyond the first."""

    async def create(self, name: str, scopes: list[str], *, days: int | None) -> dict[str, object]: ...

    async def rotate(self, key_id: str, *, overlap: timedelta, days: int | None) -> dict[str, object]:
        """A new key beside this one, which ends after `overlap`. Raises `NotFound` and `KeyConflict`."""
        ...

    async def all(self) -> list[dict[str, object]]: ...

    async def revoke(self, key_id: str) -> None:
        """Raises `NotFound`."""
        ...
