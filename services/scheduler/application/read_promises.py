"""Read promises, and how many were kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from schemas.touchpoints import TouchpointRisk
from services.calendar.promises import PromiseState


class PromiseKey(StrEnum):
    """What adherence is counted by."""

    CSM = "csm"
    POLICY = "policy"
    TOUCHPOINT_TYPE = "touchpoint_type"


@dataclass(frozen=True, slots=True)
class PromiseEntry:
    """A promise as it is shown. `has_come_due`: its touchpoint was released. `warned_at`: of its first alarm."""

    touchpoint_id: str
    account_id: str
    touchpoint_type: str
    owner: str
    csm_id: str | None
    policy: str
    promised_at: datetime
    state: PromiseState
    has_come_due: bool
    warned_at: datetime | None
    risk: TouchpointRisk | None


@dataclass(frozen=True, slots=True)
class PromiseFilter:
    """None matches all. `start_at <= promised_at < end_at`."""

    csm_id: str | None = None
    account_id: str | None = None
    states: frozenset[PromiseState] = frozenset()
    start_at: datetime | None = None
    end_at: datetime | None = None


class AdherenceCount(NamedTuple):
    """How many promises there are of one person, policy or type. `key`: None: nobody leads them.

    `unsettled`: came due and can still be kept; `open` and `at_risk`: also those that did not come due yet.
    `unannounced`: broken without a warning before, of those that could have had one.
    """

    key: str | None
    kept: int
    breached: int
    open: int
    at_risk: int
    unsettled: int
    unannounced: int

    @property
    def adherence(self) -> float | None:
        """The share of promises that were kept, of those with an end; None without any."""
        ended = self.kept + self.breached
        return None if ended == 0 else round(self.kept / ended, 4)


class PromiseReader(Protocol):
    """Reads promises, each call in a transaction of its own."""

    async def list_promises(
        self, wanted: PromiseFilter, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[PromiseEntry]:
        """By the moment of the promise and id, those after the cursor."""
        ...

    async def count_promises(self, wanted: PromiseFilter, by: PromiseKey) -> Sequence[AdherenceCount]:
        """By key, those without one last; withdrawn ones are not counted."""
        ...
