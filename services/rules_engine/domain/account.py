"""An account as the engine holds it while it thinks: memory, the plan in force, and under what it was decided."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from hashlib import blake2b
from typing import NamedTuple

from services.cadence.account import FactEvent, Facts
from services.cadence.account.codec import AccountState, encode
from services.cadence.evaluation import Decision, PlanChange

_NO_REVENUE = frozenset({"draft", "churned"})


@dataclass(slots=True)
class Account:
    """Loaded under a row lock, changed in place, saved in the same transaction.

    AccountState is read from the memory when an account's turn comes and is let go right after: a batch holds hundreds of
    accounts, and what is worked on one after the other stays in the processor's cache.
    """

    account_id: str
    memory: bytes | None = None
    plan_key: bytes | None = None
    published_key: bytes | None = None
    directory_key: bytes | None = None
    version: int = 0
    directory_version: int = 0
    decided_under: int = 0
    decided_at: datetime | None = None
    next_evaluation_at: datetime | None = None
    undecided: str | None = None
    name: str | None = None
    segment: str | None = None
    stage: str | None = None
    color: str | None = None
    csm_id: str | None = None
    arr: float | None = None
    loaded: tuple[object, ...] = ()
    """Everything but the memory, as it was loaded: an event that only adds to the memory writes only that."""
    introduce: bool = False
    """Something that the directory tells of this account may have changed."""
    told: Facts | None = None
    """What is believed, kept for the directory when there is something to tell it."""

    def remember(self, account_state: AccountState) -> None:
        """Take belief back into the memory, with what is stored beside it to be searched."""
        facts, issued = account_state
        self.memory = encode(facts, issued)
        self.name, self.csm_id = _text(facts, "name"), _text(facts, "csm_id")
        self.arr = _revenue(facts)
        if self.introduce:
            self.told = facts


def _text(facts: Facts, name: str) -> str | None:
    """One field without making the whole memory readable: this runs for every account of every batch."""
    for said in facts.account.values():
        if name in said:
            value = said[name]
            return None if value is None else str(value)
    return None


def _revenue(facts: Facts) -> float | None:
    """The word `arr`, by which the book ranks: as told of the account, else what its living contracts bring."""
    for said in facts.account.values():
        value = said.get("arr")
        if isinstance(value, int | float):
            return float(value)
    found: list[float] = []
    for contract in facts.contracts.values():
        known = {name: value for said in contract.fields.values() for name, value in said.items()}
        value = known.get("arr")
        if isinstance(value, int | float) and known.get("status") not in _NO_REVENUE:
            found.append(value)
    return sum(found) if found else None


class IncomingEvent(NamedTuple):
    """One event as it was read. `identity` stands for (source, id), `content` for everything in it."""

    event: FactEvent
    identity: bytes
    content: bytes
    record: object
    """The Kafka record it came in; kept whole when the event has to be parked."""


def event_identity(source: str, event_id: str) -> bytes:
    """Sixteen bytes (blake2b-128) that stand for (source, id): the key of an event's receipt."""
    # The length says where the source ends; JSON would too, at ten times the cost.
    return blake2b(f"{len(source)} {source}{event_id}".encode(), digest_size=16).digest()


def incoming_event(event: FactEvent, record: object) -> IncomingEvent:
    identity = event_identity(event.provenance.source, event.provenance.id)
    return IncomingEvent(event, identity, bytes.fromhex(event.provenance.hash), record)


class ReceiptState(IntEnum):
    FOLDED = 1
    PARKED = 2
    DEAD = 3


class Receipt(NamedTuple):
    """What became of an event. `version` is the plan it led to, None when the plan stayed as it was."""

    identity: bytes
    content: bytes
    state: ReceiptState
    account_id: str
    version: int | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Parked:
    """A fact that could not be folded, with the reason; its account goes on without it."""

    incoming: IncomingEvent
    reason: str


@dataclass(frozen=True, slots=True)
class NewPlan:
    """A decision that changed the plan, with what led to it."""

    account: Account
    decision: Decision
    plan: bytes
    policy: str
    causes: tuple[FactEvent, ...]
    decided_at: datetime
    previous: int
    """The version of the plan before, 0 when this is the first."""
    changes: tuple[PlanChange, ...] = ()


@dataclass(slots=True)
class Tally:
    """What one batch did, for the metrics."""

    heard: int = 0
    duplicates: int = 0
    parked: int = 0
    conflicts: int = 0
    undecided: int = 0
    plans: int = 0
