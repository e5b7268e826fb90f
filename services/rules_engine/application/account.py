"""An account as the engine holds it while it thinks: memory, the plan in force, and under what it was decided."""

from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import NamedTuple

from services.rules_engine.domain.codec import Belief, encode
from services.rules_engine.domain.facts import FactEvent, Facts
from services.rules_engine.domain.plan import Decision, PlanChange

_NO_REVENUE = frozenset({"draft", "churned"})


@dataclass(slots=True)
class Account:
    """Loaded under a row lock, changed in place, saved in the same transaction.

    Belief is read from the memory when an account's turn comes and is let go right after: a batch holds hundreds of
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

    def remember(self, belief: Belief) -> None:
        """Take belief back into the memory, with what is stored beside it to be searched."""
        facts, issued = belief
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
        known = {name: value for said in contract.held.values() for name, value in said.items()}
        value = known.get("arr")
        if isinstance(value, int | float) and known.get("status") not in _NO_REVENUE:
            found.append(value)
    return sum(found) if found else None


class Heard(NamedTuple):
    """One event as it was read. `identity` stands for (source, id), `content` for all that was said."""

    event: FactEvent
    identity: bytes
    content: bytes
    record: object
    """The record it came in, as the door knows it: kept whole when the fact must be parked."""


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

    heard: Heard
    reason: str


@dataclass(frozen=True, slots=True)
class Judgement:
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
