"""A mapping that was checked: what a source does with an item."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

from services.connectors.mapping.expression import Expression
from services.connectors.mapping.schema import SignatureSpec
from services.connectors.mapping.values import Form
from services.connectors.sources.items import BodyForm


@dataclass(frozen=True, slots=True)
class ValueRule:
    """Where the value of a field stands, or `constant`, which is always the same."""

    expression: Expression | None
    constant: str | None
    form: Form


@dataclass(frozen=True, slots=True)
class AccountRule:
    """Where an id stands; `external_system`: whose id it is, None for Drumbeat's own."""

    expression: Expression
    external_system: str | None
    form: Form


@dataclass(frozen=True, slots=True)
class FactRule:
    """A fact of an item. `type` None: `type_from` leads to it. `names`: the members that its expressions read."""

    name: str
    when: Expression | None
    type: str | None
    type_from: Expression | None
    accounts: tuple[AccountRule, ...]
    time: ValueRule
    all_of: Expression | None
    without: frozenset[str]
    data: Mapping[str, ValueRule]
    no_account: str | None
    names: frozenset[str]


@dataclass(frozen=True, slots=True)
class SourceMapping:
    """A mapping file. `file`: its name, for messages; `empty_clears`: whether an empty text clears a field."""

    file: str
    signature: SignatureSpec
    body: BodyForm
    items: Expression
    id: Expression | None
    label: Expression | None
    properties: Expression | None
    empty_clears: bool
    facts: tuple[FactRule, ...] = field(default=())


class AccountRef(NamedTuple):
    """An account: by its id in Drumbeat, or by the id that a system knows it by."""

    id: str
    external_system: str | None = None

    @property
    def external_id(self) -> str:
        """`system:id`, as `GET /v1/accounts?external_id=` takes it; also the id of an account that begins with it."""
        return f"{self.external_system}:{self.id}"


@dataclass(frozen=True, slots=True)
class MappedFact:
    """A fact that an item leads to. `type`: the whole type of the event; `data` as JSON values.

    `is_timed`: False where the item has no time of its own, so that `time` is when it was received.
    """

    rule: str
    type: str
    account: AccountRef
    id: str
    time: datetime
    data: Mapping[str, object]
    is_timed: bool = True


@dataclass(frozen=True, slots=True)
class MappedItem:
    """What a mapping makes of an item. `problems`: why a fact was not made; `unmapped`: what no expression reads."""

    id: str
    facts: tuple[MappedFact, ...]
    problems: tuple[str, ...]
    unmapped: tuple[str, ...]
