"""The scheduler's calendar as the notifier reads it and acts on it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.touchpoints import TouchpointData


class CalendarAway(Exception):
    """The scheduler does not answer, or not as it should; the message says how."""


class TooManyFeeds(Exception):
    """The calendar has as many addresses as it may have; the message says how many."""


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """A touchpoint as the calendar has it now. `data` has the version (`sequence`); `outcome` None: it is open."""

    data: TouchpointData
    outcome: str | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Refusal:
    """The scheduler refused an act. `is_stale`: somebody acted before."""

    problem: str
    is_stale: bool


class Calendar(Protocol):
    async def day_of(self, csm_id: str, start: datetime, end: datetime) -> Sequence[TouchpointData]:
        """What a person has planned or due from `start` up to, not including, `end`. Raises CalendarAway."""
        ...

    async def next_of(self, account_id: str, touchpoint_type: str) -> TouchpointData | None:
        """The first of this type that an account has open or planned, None: none. Raises CalendarAway."""
        ...

    async def find(self, touchpoint_id: str) -> CalendarEntry | None:
        """None when there is no such touchpoint. Raises CalendarAway."""
        ...

    async def act(self, touchpoint_id: str, act: str, body: Mapping[str, object]) -> CalendarEntry | Refusal:
        """`act` is the last part of the scheduler's path, such as `settle`. Raises CalendarAway."""
        ...
