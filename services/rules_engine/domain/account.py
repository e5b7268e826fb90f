"""An account's record in the engine, events on their way into it, and what a batch leads to."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import IntEnum
from hashlib import blake2b
from operator import attrgetter
from typing import NamedTuple, cast

from schemas.plans import Change, Plan
from services.cadence.account import FactEvent, Facts
from services.cadence.account.codec import AccountState, encode
from services.cadence.account.place import text_fact
from services.cadence.account.stamps import read_mapping
from services.cadence.evaluation import Decision
from services.cadence.features.contracts import revenue_of
from services.cadence.policy import Policy
from services.cadence.portfolio import Portfolio


@dataclass(frozen=True, slots=True)
class EvaluationContext:
    """What accounts are evaluated under: the policy, the portfolio, and the generation of this pairing.

    `publish` is off in observe mode: decisions are made and explained, no commands are sent.
    """

    policy: Policy
    portfolio: Portfolio
    generation: int
    publish: bool
    retry_after: timedelta
    """Service time until an account whose evaluation failed is tried again."""


@dataclass(frozen=True, slots=True)
class Clocks:
    """The service clock and the real clock, read once for a whole batch."""

    service: datetime
    real: datetime


class AccountLinks(NamedTuple):
    """The account above an account, and its ids in other systems: system -> id."""

    parent_id: str | None
    external_ids: dict[str, str]


@dataclass(slots=True)
class Account:
    """Loaded under a row lock, changed in place, saved in the same transaction.

    The state is decoded when the account is processed and dropped right after: a batch has hundreds of accounts, and what
    is processed one after the other stays in the processor's cache.
    """

    account_id: str
    state: bytes | None = None
    plan_key: bytes | None = None
    published_key: bytes | None = None
    directory_key: bytes | None = None
    version: int = 0
    directory_version: int = 0
    decided_under: int = 0
    """The generation of the last evaluation; negative: it waits for a replica of that generation."""
    decided_at: datetime | None = None
    next_evaluation_at: datetime | None = None
    undecided: str | None = None
    name: str | None = None
    segment: str | None = None
    stage: str | None = None
    color: str | None = None
    csm_id: str | None = None
    arr: float | None = None
    merged_into: str | None = None
    """The account that has everything of this one, which has ended."""
    sweeping: int = 0
    """The newest generation whose sweep has begun: nobody decides an account under an older one any more."""
    loaded: tuple[object, ...] = ()
    """Every column but the state, as it was loaded: an event that only changes the state writes only that."""
    directory_changed: bool = False
    """The directory record of this account may have changed."""
    directory_facts: Facts | None = None
    """The facts, kept for the directory when its record may have changed."""
    restated: bool = False
    """The state changed before the events of the batch are applied."""
    links_changed: bool = False
    links: AccountLinks | None = None
    """The ids by which others find the account, when they may have changed."""
    merged_from: tuple[str, ...] = ()
    """The accounts that ended in this one."""

    @property
    def columns(self) -> tuple[object, ...]:
        """Every column but the state, as they are now."""
        return _columns(self)

    @property
    def latest_generation(self) -> int:
        """The newest generation that is known to have evaluated this account, or to be about to."""
        return max(abs(self.decided_under), self.sweeping)

    def is_as_loaded(self) -> bool:
        """Whether there is nothing to write but the generation under which it was evaluated, which a sweep stands for."""
        loaded, decided_under = self.loaded, self.decided_under
        if decided_under >= 0 and cast("int", loaded[DECIDED_UNDER]) >= 0:
            loaded = (*loaded[:DECIDED_UNDER], decided_under, *loaded[DECIDED_UNDER + 1 :])
        return self.columns == loaded

    def reset(self) -> None:
        """Forget what changed since it was loaded, but for the state, which is replaced only when all went well."""
        for name, value in zip(COLUMNS, self.loaded, strict=True):
            setattr(self, name, value)
        self.directory_changed = self.links_changed = False
        self.directory_facts, self.links, self.merged_from = None, None, ()

    def is_current(self, context: EvaluationContext, clocks: Clocks) -> bool:
        """Whether the plan in force is what an evaluation would return now, as long as no event changes the account."""
        return (
            self.plan_key is not None
            and not self.restated
            and self.decided_under == context.generation >= self.sweeping
            and self.undecided is None
            and (self.next_evaluation_at is None or clocks.service < self.next_evaluation_at)
            and (self.published_key == self.plan_key or not context.publish)
        )

    def restate(self, state: bytes) -> None:
        """Replace the state by one that was merged, or that gained or lost a contact."""
        self.state = state
        self.restated = self.directory_changed = self.links_changed = True

    def take_decision(self, decision: Decision) -> None:
        """Take over the segment, stage, colour and next evaluation of a decision."""
        if self.undecided is not None:
            # What changed while it was undecided may not have been published yet.
            self.undecided, self.directory_changed, self.links_changed = None, True, True
        self.next_evaluation_at = decision.next_evaluation_at
        position = (decision.segment, decision.stage, decision.color)
        is_published = self.directory_key is not None
        self.directory_changed |= not is_published or position != (self.segment, self.stage, self.color)
        self.segment, self.stage, self.color = position

    def take_state(self, account_state: AccountState, context: EvaluationContext) -> None:
        """Encode the state, with the columns beside it that are searched."""
        state = encode(*account_state)
        self.take_facts(account_state.facts, context)
        self.state = state

    def take_facts(self, facts: Facts, context: EvaluationContext) -> None:
        """The columns that are searched, from facts that the state has already."""
        self.name, self.csm_id = text_fact(facts, "name"), text_fact(facts, "csm_id")
        self.arr = revenue_of(facts, context.portfolio.rates, context.policy.content.currency)
        self.merged_from = tuple(sorted(facts.merged))
        if self.links_changed:
            self.links = links_of(facts)
        if self.directory_changed:
            self.directory_facts = facts


COLUMNS = (
    "plan_key", "published_key", "directory_key", "version", "directory_version", "decided_under", "decided_at",
    "next_evaluation_at", "undecided", "name", "segment", "stage", "color", "csm_id", "arr",
)  # fmt: skip
"""Of an account, those beside its state, in the order in which they are stored."""
DECIDED_UNDER = COLUMNS.index("decided_under")
_columns: Callable[[Account], tuple[object, ...]] = attrgetter(*COLUMNS)


def links_of(facts: Facts) -> AccountLinks:
    """The links of an account, as the newest events say."""
    values = facts.account_values()
    parent, external = (
        values[name].value if name in values else None for name in ("parent_id", "external_ids")
    )
    external_ids = read_mapping(cast("list[str] | None", external) or [])
    return AccountLinks(cast("str | None", parent), external_ids)


class IncomingEvent(NamedTuple):
    """One event as it was read. `identity` stands for (source, id), `content` for everything in it."""

    event: FactEvent
    identity: bytes
    content: bytes
    record: object
    """The Kafka record it came in; stored whole when the event has to be parked."""


class ChangedDescription(NamedTuple):
    """An event that changed the description of an account, a contact or a CSM, and the names of the fields it changed."""

    incoming: IncomingEvent
    fields: tuple[str, ...]


def event_identity(source: str, event_id: str) -> bytes:
    """Sixteen bytes (BLAKE2b-128) that stand for (source, id): the key of an event's receipt."""
    # The length says where the source ends; JSON would too, at ten times the cost.
    return blake2b(f"{len(source)} {source}{event_id}".encode(), digest_size=16).digest()


def incoming_event(event: FactEvent, record: object) -> IncomingEvent:
    provenance = event.provenance
    identity = event_identity(provenance.source, provenance.id)
    return IncomingEvent(event, identity, bytes.fromhex(provenance.hash), record)


class ReceiptState(IntEnum):
    FOLDED = 1
    PARKED = 2
    DEAD = 3
    UNCHANGED = 4
    """Folded, and the account was not evaluated again: nothing that its plan rests on has changed."""


class Receipt(NamedTuple):
    """What became of an event. `version`: of the plan it led to, None when the plan did not change."""

    identity: bytes
    content: bytes
    state: ReceiptState
    account_id: str
    version: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Parked:
    """An event that could not be applied, with the reason; its account goes on without it."""

    incoming: IncomingEvent
    reason: str


def reason_of(problem: Exception) -> str:
    """The exception in at most 2,000 characters, as it is stored and shown."""
    return f"{type(problem).__name__}: {problem}"[:2000].replace("\0", "\N{REPLACEMENT CHARACTER}")


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A decision that changed the plan, with the events behind it.

    `document`: the plan as it is stored (JSON). `previous`: the version of the plan before, 0 when this is the first.
    """

    account: Account
    decision: Decision
    plan: Plan
    document: bytes
    policy: str
    causes: tuple[FactEvent, ...]
    decided_at: datetime
    previous: int
    changes: tuple[Change, ...] = ()


@dataclass(slots=True)
class BatchCounts:
    """What one batch did, for the metrics."""

    events: int = 0
    duplicates: int = 0
    parked: int = 0
    conflicts: int = 0
    let_go: int = 0
    undecided: int = 0
    plans: int = 0


@dataclass(slots=True)
class BatchOutcome:
    """What a batch leads to, before it is stored."""

    changed: list[Account] = field(default_factory=list[Account])
    new_plans: list[NewPlan] = field(default_factory=list[NewPlan])
    receipts: list[Receipt] = field(default_factory=list[Receipt])
    parked: list[Parked] = field(default_factory=list[Parked])
    described: list[ChangedDescription] = field(default_factory=list[ChangedDescription])
    counts: BatchCounts = field(default_factory=BatchCounts)
