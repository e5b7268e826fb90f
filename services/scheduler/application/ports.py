"""What the use cases need from the database: each port works inside one transaction.

An implementation locks what it returns, in sorted order, so that two replicas never wait for each other in a cycle;
what it stores and the events about it become one commit.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, Protocol

from schemas.directory import HolidayRecord, PolicyRecord
from schemas.standing import TouchpointContent
from schemas.touchpoints import Kind, TouchpointRisk
from services.calendar.assignment import AccountOwners, Line, Staff
from services.calendar.levelling import Host
from services.calendar.misfire import Misfires
from services.calendar.open_hours import OpenHours
from services.calendar.plan import PlanCommand
from services.calendar.reconciliation.context import StoredCalendar
from services.calendar.recurrence import Series
from services.calendar.rezoning import RuleChange
from services.calendar.touchpoint import Holder, RecordedOutcome, Touchpoint
from services.scheduler.domain.announcing import KnownState

Changer = Literal["plan", "person"]
"""Who moved, cancelled or handed over a touchpoint."""
Count = Callable[[str, int], None]
"""Adds to the metric `drumbeat_calendar_total` by kind."""


@dataclass(frozen=True, slots=True)
class CalendarAccount:
    """An account's row; `spec_hash` identifies the part of its plan that decides when touchpoints are.

    `rules_changed`, `holidays_changed`: the release of `tzdata`, of `holidays`, that its calendar does not follow yet.
    `handovers`: by the person whom its plan names the one who leads instead.
    """

    account_id: str
    version: int
    spec_hash: bytes | None
    timezone: str | None
    zones: Sequence[str] = ()
    csm_id: str | None = None
    sales_id: str | None = None
    pool: str | None = None
    country: str | None = None
    region: str | None = None
    rules_changed: str | None = None
    holidays_changed: str | None = None
    handovers: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def owners(self) -> AccountOwners:
        named = AccountOwners(self.account_id, self.csm_id, self.sales_id, self.pool)
        return named.hand_over(self.handovers)


@dataclass(frozen=True, slots=True)
class StoredTouchpoint:
    """A touchpoint with its own content or that of its rhythm.

    `undo_until`: after an act by hand, until when it can be undone, by the real clock. `together_with`: the ids of those
    on which the act was done with it.
    """

    touchpoint: Touchpoint
    content: TouchpointContent
    undo_until: datetime | None = None
    together_with: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UndoableAct:
    """The last act by hand: the touchpoint before it, its sequence after it, and the id of one that replaced it."""

    former: StoredTouchpoint
    sequence: int
    follow_up: str | None


@dataclass(frozen=True, slots=True)
class TouchpointUpdate:
    """A touchpoint as it is to be stored, its content, and the kind of its event; None: no event.

    `previous_owner`: who had it, where the owner changes. `actor_id`: the person who acts, where the request names one.
    `reminder_hours`: of a reminder, how many hours before the touchpoint it goes. `risk`: of an alarm, what it is about.
    """

    touchpoint: Touchpoint
    content: TouchpointContent
    event_kind: Kind | None
    note: str | None = None
    previous_due_at: datetime | None = None
    changed_by: Changer | None = None
    previous_owner: Holder | None = None
    actor_id: str | None = None
    reminder_hours: int | None = None
    risk: TouchpointRisk | None = None


@dataclass(frozen=True, slots=True)
class CalendarUpdate:
    """An account's reconciled calendar: what changed, the series too, and when its horizon needs more."""

    command: PlanCommand
    spec_hash: bytes | None
    touchpoints: Sequence[TouchpointUpdate]
    series: Sequence[Series]
    extend_at: datetime | None


@dataclass(frozen=True, slots=True)
class Keep:
    """How long things are kept, in real time: closed touchpoints, and outcomes that wait for their touchpoint."""

    closed: timedelta
    outcomes: timedelta


@dataclass(frozen=True, slots=True)
class UnannouncedChange:
    """A touchpoint as it is now, what readers of events know of it, and the note of its last change."""

    stored: StoredTouchpoint
    known: KnownState
    note: str | None


class AssignmentRepository(Protocol):
    """Which people accounts have, of pools and of sales."""

    async def load_staff(self, account_ids: Collection[str]) -> Staff:
        """Everybody, and whom these accounts have."""
        ...

    async def load_hosts(self, csm_ids: Collection[str], now: datetime) -> Mapping[str, Host]:
        """The planned and available minutes of these people over a year."""
        ...

    async def save(self, given: Mapping[tuple[str, Line], str]) -> None: ...

    async def find_known(self, csm_ids: Collection[str]) -> Collection[str]:
        """Of these people those whom the directory describes."""
        ...

    async def find_named(self, csm_ids: Collection[str]) -> Collection[str]:
        """Of these people those whom the directory describes or an account names."""
        ...


class ActRepository(Protocol):
    """The last act by hand on each touchpoint."""

    async def remember(self, touchpoint_id: str, follow_up: str | None) -> datetime:
        """Keep the touchpoint as it is stored now, before an act; the real time."""
        ...

    async def find(self, touchpoint_id: str, within: timedelta) -> UndoableAct | None:
        """The act on this touchpoint, or the one that made it, if it was so short a real time ago."""
        ...

    async def find_together(self, touchpoint_id: str) -> Sequence[UndoableAct]:
        """The acts on others that were done with the last act on this one."""
        ...

    async def forget(self, touchpoint_id: str) -> None: ...


class CalendarRepository(Protocol):
    @property
    def acts(self) -> ActRepository:
        """In the same transaction."""
        ...

    @property
    def assignments(self) -> AssignmentRepository:
        """In the same transaction."""
        ...

    async def pause_if_long(self) -> None:
        """Let others run when this one has computed for long."""
        ...

    async def lock(self, account_ids: Collection[str]) -> Mapping[str, CalendarAccount]:
        """The accounts' rows, created if absent."""
        ...

    async def find_versions(self, account_ids: Collection[str]) -> Mapping[str, int]:
        """The versions of the plans that calendars follow, of the accounts that are known; nothing is locked."""
        ...

    async def claim_to_extend(self, now: datetime) -> Sequence[PlanCommand]:
        """The plans of some accounts whose horizon needs more occurrences, or whose hours have changed."""
        ...

    async def load_calendars(
        self, account_ids: Collection[str], touchpoint_ids: Collection[str], now: datetime
    ) -> Mapping[str, StoredCalendar]:
        """By account id: what is open or may come back, and whatever has one of these touchpoint ids."""
        ...

    async def load_hours(self, csm_ids: Collection[str]) -> Mapping[str, OpenHours]: ...

    async def load_rule_change(self) -> RuleChange | None:
        """The last change of the rules of time zones."""
        ...

    async def load_holidays(self) -> Sequence[HolidayRecord]:
        """The public holidays that the policy in force adds or takes away."""
        ...

    async def load_policy(self) -> PolicyRecord | None:
        """What is known of the policy in force; None until the rules engine has published it."""
        ...

    async def save_calendars(self, updates: Sequence[CalendarUpdate], now: datetime) -> None:
        """Store reconciled calendars; what has not come due is announced when its account is quiet."""
        ...

    async def erase(self, account_ids: Collection[str], now: datetime) -> None:
        """Delete everything of these accounts but their directory, after the events about it; tell readers so."""
        ...

    async def find_erased(self, account_ids: Collection[str]) -> Collection[str]:
        """Of these accounts those that were erased and have not come back."""
        ...

    async def find_ended(self, account_ids: Collection[str]) -> Mapping[str, str]:
        """Of these accounts those that were merged, each with the account that stays."""
        ...

    async def merge(self, ended: Mapping[str, str], now: datetime) -> None:
        """Move the calendars of accounts that ended to those that stay; a merge that is known moves nothing."""
        ...

    async def save_contents(self, commands: Sequence[PlanCommand]) -> None:
        """Store plans that move nothing: only their version and the content of their rhythms are new."""
        ...

    async def save(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None:
        """Store touchpoints and announce them at once."""
        ...

    async def save_quietly(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None:
        """Store touchpoints; what has not come due is announced when its account is quiet."""
        ...

    async def find(self, ids: Collection[str]) -> Mapping[str, StoredTouchpoint]: ...

    async def find_together(self, touchpoint_id: str) -> Sequence[StoredTouchpoint]:
        """The touchpoint, if there is one, and before or after it the open ones of its group."""
        ...

    async def find_open(self, types: Collection[tuple[str, str]]) -> Sequence[StoredTouchpoint]:
        """The due and overdue ones of these (account, type)."""
        ...

    async def save_early_outcomes(self, outcomes: Mapping[str, tuple[str, RecordedOutcome]]) -> None:
        """By touchpoint id: the account and the outcome that came before the touchpoint; the latest stamp wins."""
        ...

    async def take_early_outcomes(self, ids: Sequence[str]) -> Mapping[str, RecordedOutcome]:
        """Outcomes that came before these touchpoints; they are deleted."""
        ...

    async def publish_settled(self, item: Touchpoint, outcome: RecordedOutcome, to: datetime | None) -> None:
        """Send the rules engine the outcome that a person entered here."""
        ...


class TouchpointQueue(Protocol):
    """Touchpoints in the order of time; claims skip what another transaction has locked."""

    async def claim_due(self, now: datetime, limit: int) -> Sequence[Touchpoint]:
        """Planned ones whose time has come, oldest first."""
        ...

    async def claim_overdue(self, now: datetime, limit: int) -> Sequence[Touchpoint]:
        """Due ones of people whose deadline has passed, oldest first."""
        ...

    async def find_newest_due(
        self, rhythms: Collection[tuple[str, str]], now: datetime
    ) -> Mapping[tuple[str, str], int]:
        """The highest number that has come due by (account, type)."""
        ...

    async def load_misfires(self) -> Misfires: ...

    async def save(self, touchpoints: Sequence[Touchpoint], now: datetime) -> None:
        """Store claimed ones as due, overdue or cancelled, each with its event."""
        ...

    async def next_due_at(self) -> datetime | None: ...

    async def prune(self, now: datetime, keep: Keep) -> bool:
        """Archive what was closed long ago and forget what nobody needs any more, a batch; whether there may be more."""
        ...
