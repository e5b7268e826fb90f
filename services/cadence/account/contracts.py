"""What the events about a contract state: each content once, with the first and the last event that stated it.

First and last are a minimum and a maximum, so any order and any repetition give the same, and a record that a tool sends
again every night, under other ids, takes no room. Of events at one moment the content decides, not the id.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, cast

import orjson

from services.cadence.account.merging import make_room
from services.cadence.account.stamps import Entries, Fields, Plain, Stamp, StampedFields, identity, when

FIELDS = (
    "status", "starts_on", "renews_on", "signed_at", "arr", "auto_renew", "currency", "term_months", "notice_days",
)  # fmt: skip
CONTRACTS_KEPT, STATEMENTS_KEPT = 200, 64
"""Contracts of an account (of more, the ids first in alphabetical order stay) and contents of each (the newest stay)."""

Rank = tuple[int, str]
"""A moment in microseconds and a content: the order of statements, whatever the ids of their events."""


class Statement(NamedTuple):
    """One content, and the first and the last event that stated it.

    `cause`: the event by which touchpoints were known when formats 1 to 3 were stored; what was planned keeps its id.
    """

    content: str
    first: Stamp
    last: Stamp
    cause: Stamp | None = None

    @property
    def fields(self) -> Mapping[str, Plain]:
        return _read(self.content)

    @property
    def began(self) -> Rank:
        return when(self.first), self.content

    @property
    def ended(self) -> Rank:
        return when(self.last), self.content


@dataclass(slots=True)
class Contract:
    """`statements`: the content as canonical JSON -> the first and the last stamp of the events that stated it."""

    statements: dict[str, list[Stamp]] = field(default_factory=dict)

    @property
    def fields(self) -> StampedFields:
        """The present value of each field, under the stamp of the newest event that stated it."""
        values: dict[str, tuple[Plain, Stamp]] = {}
        for statement in sorted(
            (Statement(content, *span) for content, span in self.statements.items()),
            key=lambda statement: statement.ended,
        ):
            values.update((name, (value, statement.last)) for name, value in statement.fields.items())
        stamped: StampedFields = {}
        for name, (value, stamp) in values.items():
            stamped.setdefault(stamp, {})[name] = value
        return stamped

    def stamps(self) -> Iterator[Stamp]:
        for span in self.statements.values():
            yield from span


class Value(NamedTuple):
    """A value of one field, and the first and the last event that stated it. `ended`: the rank of the last."""

    value: Plain
    first: Stamp
    ended: Rank


@lru_cache(maxsize=16_384)
def _read(content: str) -> Mapping[str, Plain]:
    return cast("Mapping[str, Plain]", orjson.loads(content))


def values_of(statements: Iterable[Statement]) -> dict[str, list[Value]]:
    """The values that each field had, in the order in which they were first stated. `statements`: in that order."""
    known: dict[str, dict[Plain, Value]] = {}
    for statement in statements:
        ended = statement.ended
        for name, value in statement.fields.items():
            values = known.setdefault(name, {})
            before = values.get(value)
            if before is None:
                values[value] = Value(value, statement.first, ended)
            elif ended > before.ended:
                values[value] = before._replace(ended=ended)
    return {name: list(values.values()) for name, values in known.items()}


def newest(values: Iterable[Value]) -> Value | None:
    """The value that the newest event stated; None where no event stated any."""
    return max(values, key=lambda value: value.ended, default=None)


def apply_contract(contracts: dict[str, Contract], stamp: Stamp, fields: Fields) -> tuple[bool, Stamp | None]:
    """Apply one event. Returns whether anything changed, and a stamp of the same (source, id) with other content."""
    contract_id = str(fields["contract_id"])
    values = {name: fields[name] for name in FIELDS if name in fields}
    if not values or make_room(contracts, contract_id, CONTRACTS_KEPT) == contract_id:
        return False, None
    statements = contracts.setdefault(contract_id, Contract()).statements
    conflict = _conflict(statements, stamp)
    return _add(statements, values, stamp, stamp), conflict


def merge_contracts(into: dict[str, Contract], other: Mapping[str, Contract]) -> None:
    """Add what the events of other contracts stated, in place."""
    for contract_id, contract in other.items():
        if make_room(into, contract_id, CONTRACTS_KEPT) == contract_id:
            continue
        statements = into.setdefault(contract_id, Contract()).statements
        for content, (first, last, *cause) in contract.statements.items():
            _add(statements, dict(_read(content)), first, last)
            if cause and len(statements.get(content, (1, 2, 3))) < 3:
                statements[content] = [*statements[content], *cause]


def upgrade_contract(fields: StampedFields, terms: Entries, revenues: Entries | None = None) -> Contract:
    """A contract of formats 1 to 3: the newest fields, the dated changes of status and dates, and those of revenue."""
    contract, parts = Contract(), (terms, revenues or {}, fields)
    for stamp in sorted({stamp for part in parts for stamp in part}):
        values = {name: value for part in parts for name, value in part.get(stamp, {}).items()}
        _add(contract.statements, values, stamp, stamp)
    for span in contract.statements.values():
        span.append(span[0])
    return contract


def _add(statements: dict[str, list[Stamp]], values: Fields, first: Stamp, last: Stamp) -> bool:
    content = orjson.dumps(values, option=orjson.OPT_SORT_KEYS).decode()
    span = statements.get(content)
    if span is not None:
        merged = [min(span[0], first), max(span[1], last), *span[2:]]
        statements[content] = merged
        return merged != span
    statements[content] = [first, last]
    if len(statements) > STATEMENTS_KEPT:
        oldest = min(statements, key=lambda content: (statements[content][1], content))
        del statements[oldest]
        return oldest != content
    return True


def _conflict(statements: Mapping[str, list[Stamp]], stamp: Stamp) -> Stamp | None:
    own = identity(stamp)
    others = (other for span in statements.values() for other in span if own in other and other != stamp)
    return max(others, default=None)
