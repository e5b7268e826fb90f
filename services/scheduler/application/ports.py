"""What the application needs of the world: a calendar inside one transaction, and the queues in time.

An implementation locks before it answers, in sorted order, so that two replicas never wait for each other
in a ring; what it is told to keep and what is said about it become one commit.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from services.scheduler.domain.calendar import Hours
from services.scheduler.domain.plan import Held, Plan
from services.scheduler.domain.recurrence import Series
from services.scheduler.domain.touchpoint import Face, Origin, Outcome, Owner, Touchpoint, Verdict

Kind = Literal["scheduled", "moved", "cancelled", "due", "overdue"]


@dataclass(frozen=True, slots=True)
class Account:
    """An account as the calendar knows it; `shape` is a digest of the wishes it already follows."""

    account_id: str
    version: int
    shape: bytes | None
    zone: str | None
    csm_id: str | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """A plan, and the letter it came in: None says that the account is to be forgotten."""

    plan: Plan
    letter: bytes | None


@dataclass(frozen=True, slots=True)
class Kept:
    """A touchpoint as it shall stand, the face that speaks for it, and what to tell the world, if anything."""

    touchpoint: Touchpoint
    face: Face
    tell: Kind | None
    note: str | None = None
    previous_due_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """An account's new page: touchpoints that changed, its rhythms, when it wants to be looked at again."""

    wish: Wish
    shape: bytes | None
    touchpoints: Sequence[Kept]
    series: Sequence[Series]
    extend_at: datetime | None


@dataclass(frozen=True, slots=True)
class Reworded:
    """A plan that wishes for what already stands: only its version, its letter and its reasons are new."""

    wish: Wish
    faces: Mapping[str, Face]


class Calendar(Protocol):
    async def lock(self, account_ids: Collection[str]) -> Mapping[str, Account]:
        """Lock the accounts' rows, made if absent."""
        ...

    async def held(self, plans: Sequence[Plan], now: datetime) -> Mapping[str, Held]:
        """What is held for each plan's account, locked."""
        ...

    async def hours(self, csm_ids: Collection[str]) -> Mapping[str, Hours]: ...

    async def keep_pages(self, pages: Sequence[Page], now: datetime) -> None: ...

    async def keep_reworded(self, reworded: Sequence[Reworded]) -> None: ...

    async def keep(self, kept: Sequence[Kept], now: datetime) -> None: ...

    async def take_early_outcomes(self, ids: Sequence[str]) -> Mapping[str, Outcome]:
        """Outcomes heard before their touchpoints, removed from where they waited."""
        ...


@dataclass(frozen=True, slots=True)
class Found:
    """A touchpoint, locked, with the face that speaks for it."""

    touchpoint: Touchpoint
    face: Face


class Ledger(Protocol):
    """Touchpoints by identity, for what people and outcomes do to them."""

    async def lock(self, account_ids: Collection[str]) -> Mapping[str, Account]: ...

    async def find(self, ids: Collection[str]) -> Mapping[str, Found]: ...

    async def find_open(self, kinds: Collection[tuple[str, str]]) -> Sequence[Found]:
        """Due and overdue ones of those (account, type), earliest first."""
        ...

    async def keep(self, kept: Sequence[Kept], now: datetime) -> None: ...

    async def remember_early(self, outcomes: Mapping[str, tuple[str, Outcome]]) -> None:
        """By touchpoint id: the account and the outcome that came before it; the latest stamp stays."""
        ...

    async def tell_settled(self, touchpoint: Touchpoint, outcome: Outcome, to: datetime | None) -> None:
        """Tell the rules engine what a person said here."""
        ...


@dataclass(frozen=True, slots=True)
class Claimed:
    """A planned touchpoint whose time has come, locked by this pass; `key` finds it again."""

    key: int
    account_id: str
    type: str
    origin: Origin
    owner: Owner
    number: int | None
    due_at: datetime
    lapses_at: datetime | None


class Queue(Protocol):
    """Touchpoints in the order of time; claims skip what another replica holds."""

    async def claim_due(self, now: datetime, limit: int) -> int:
        """Lock what is due, oldest first; answers how many."""
        ...

    def late(self, before: datetime) -> Sequence[Claimed]:
        """Those of the claimed that were due before that moment."""
        ...

    async def newest_due(
        self, rhythms: Collection[tuple[str, str]], now: datetime
    ) -> Mapping[tuple[str, str], int]:
        """The highest number that has come due by (account, type)."""
        ...

    async def announce(self, late: Mapping[int, Verdict], now: datetime) -> None:
        """Release what was claimed, but for those with a verdict, which are cancelled with it."""
        ...

    async def lapse(self, now: datetime, limit: int) -> int:
        """Mark overdue what people owe beyond its deadline; answers how many."""
        ...

    async def next_due(self) -> datetime | None: ...

    async def forget_old_changes(self) -> None: ...
