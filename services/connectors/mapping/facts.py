"""Make facts of an item by a mapping. The same item leads to the same facts with the same ids, however often it comes."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Final, cast

from schemas.base import dump_json
from schemas.events import check_subject, read_data
from schemas.problems import Malformed, excerpt
from schemas.times import parse_instant
from services.connectors.mapping.expression import Expression, NotApplicable
from services.connectors.mapping.load import EVENTS, required_of, whole_type
from services.connectors.mapping.model import (
    AccountRef,
    FactRule,
    MappedFact,
    MappedItem,
    SourceMapping,
    ValueRule,
)
from services.connectors.mapping.schema import RECEIVED
from services.connectors.mapping.values import Kind, convert, kinds_of
from services.connectors.sources.items import Item, mapping_of

LONGEST_ID: Final = 200
LONGEST_NAME: Final = 120
"""Characters of the name of something that is not mapped; longer ones are cut."""
MOST_NAMES: Final = 100
_ABSENT: Final = object()


class _Unmade(Exception):
    """A fact cannot be made of an item; the message says why."""


@dataclass(frozen=True, slots=True)
class _Read:
    """An item on its way to its facts."""

    mapping: SourceMapping
    item: Item
    id: str
    received_at: datetime


def map_item(mapping: SourceMapping, item: Item, received_at: datetime) -> MappedItem:
    """The facts of an item, and what of it no expression reads. `received_at`: service time, for items without a time."""
    read = _Read(mapping, item, item_id(mapping, item), received_at.astimezone(UTC))
    facts: list[MappedFact] = []
    problems: list[str] = []
    applied: list[FactRule] = []
    for rule in mapping.facts:
        try:
            if rule.when is not None and not rule.when.holds(item):
                continue
            fact = _fact(rule, read)
        except (_Unmade, NotApplicable) as problem:
            problems.append(f"{rule.name}: {problem}")
            applied.append(rule)
            continue
        if fact is not None or rule.type is not None:
            applied.append(rule)
        if fact is not None:
            facts.append(fact)
    unmapped = tuple(_unmapped(mapping, item, applied))
    return MappedItem(read.id, tuple(facts), tuple(problems), unmapped)


def item_id(mapping: SourceMapping, item: Item) -> str:
    """The provider's id of an item; without one a digest of its content, so that a repetition has the same."""
    try:
        found = mapping.id.search(item) if mapping.id is not None else None
    except NotApplicable:
        found = None
    if found is None or found in ("", [], {}):
        return f"sha256:{sha256(dump_json(item, 'item')).hexdigest()}"
    parts = cast("list[object]", found) if isinstance(found, list) else [found]
    text = "/".join(str(part) for part in parts)
    is_plain = len(text) <= LONGEST_ID and text.isprintable()
    return text if is_plain else f"sha256:{sha256(text.encode('utf-8', 'replace')).hexdigest()}"


def _fact(rule: FactRule, read: _Read) -> MappedFact | None:
    """None where the item says nothing of what the rule maps. Raises _Unmade and NotApplicable."""
    event_type = rule.type or _dynamic_type(rule, read.item)
    if event_type is None:
        return None
    data = _data(rule, read, event_type)
    if data is None:
        return None
    account = _account(rule, read.item)
    try:
        message, _, _ = read_data(event_type, dump_json(data))
        check_subject(account.id, message)
    except Malformed as problem:
        raise _Unmade(str(problem)) from None
    name = f"{read.id}/{rule.name}"
    event_id = name if len(name) <= 255 else f"{read.id}/{sha256(rule.name.encode()).hexdigest()[:16]}"
    time = _time(rule, read)
    is_timed = time is not None
    return MappedFact(rule.name, event_type, account, event_id, time or read.received_at, data, is_timed)


def _dynamic_type(rule: FactRule, item: Item) -> str | None:
    named = rule.type_from.search(item) if rule.type_from is not None else None
    return whole_type(named) if isinstance(named, str) else None


def _data(rule: FactRule, read: _Read, event_type: str) -> Mapping[str, object] | None:
    """The data; None where no field of it says anything that the id of the thing does not say already."""
    data: dict[str, object] = {}
    if rule.all_of is not None:
        copied = mapping_of(rule.all_of.search(read.item))
        data |= {name: value for name, value in copied.items() if name not in rule.without}
    kinds = kinds_of(EVENTS[event_type])
    required = set(required_of(EVENTS[event_type]))
    says_something = bool(data)
    for field, value_rule in rule.data.items():
        value = _value(field, value_rule, read, kinds.get(field, Kind.OTHER))
        if value is not _ABSENT:
            data[field] = value
            says_something |= value_rule.expression is not None and field not in required
    optional = [
        field for field, each in rule.data.items() if each.expression is not None and field not in required
    ]
    return data if says_something or not optional else None


def _value(field: str, rule: ValueRule, read: _Read, kind: Kind) -> object:
    """The value in JSON, `_ABSENT` where the item does not have it. Raises _Unmade and NotApplicable."""
    if rule.expression is None:
        return convert(rule.constant, kind, rule.form)
    is_there, value = rule.expression.find(read.item)
    if isinstance(value, str) and not value.strip() and kind != Kind.OTHER:
        is_there, value = is_there and read.mapping.empty_clears, None
    if not is_there:
        return _ABSENT
    try:
        return convert(value, kind, rule.form)
    except ValueError as wrong:
        raise _Unmade(f"{field}: {wrong}") from None


def _account(rule: FactRule, item: Item) -> AccountRef:
    for each in rule.accounts:
        _, found = each.expression.find(item)
        if found is None or found == "" or isinstance(found, dict | list):
            continue
        try:
            text = str(convert(found, Kind.TEXT, each.form)).strip()
        except ValueError as wrong:
            raise _Unmade(f"account: {wrong}") from None
        if text:
            return AccountRef(text, each.external_system)
    hint = (
        rule.no_account or f"`{'`, `'.join(each.expression.text for each in rule.accounts)}` leads to nothing"
    )
    raise _Unmade(f"account: the item names none: {hint}")


def _time(rule: FactRule, read: _Read) -> datetime | None:
    """None where the item has none, and that of its receipt is to be taken. Raises _Unmade."""
    try:
        value = (
            _ABSENT if rule.time.expression is None else _value("time", _plain(rule.time), read, Kind.INSTANT)
        )
    except _Unmade as problem:
        raise _Unmade(f"{problem}") from None
    if isinstance(value, str):
        return parse_instant(value)
    if rule.time.constant == RECEIVED:
        return None
    text = rule.time.expression.text if rule.time.expression is not None else ""
    raise _Unmade(f"time: `{text}` leads to nothing; where there may be none, say `otherwise: {RECEIVED}`")


def _plain(rule: ValueRule) -> ValueRule:
    return ValueRule(rule.expression, None, rule.form)


def _unmapped(mapping: SourceMapping, item: Item, applied: list[FactRule]) -> Iterator[str]:
    """The label of an item that no rule takes; else `label name` of each member that no expression names."""
    label = _label(mapping.label, item)
    if not applied:
        yield label
        return
    named = frozenset[str]().union(*(rule.names for rule in applied))
    try:
        found = mapping.properties.search(item) if mapping.properties is not None else None
    except NotApplicable:
        return
    if any(rule.all_of is not None for rule in applied):
        return
    for name in list(mapping_of(found))[:MOST_NAMES]:
        if name not in named:
            yield f"{label} {name}".strip()[:LONGEST_NAME]


def _label(expression: Expression | None, item: Item) -> str:
    if expression is None:
        return "items"
    try:
        found = expression.search(item)
    except NotApplicable:
        found = None
    parts = cast("list[object]", found) if isinstance(found, list) else [found]
    text = " ".join(str(part) for part in parts if part is not None)
    return (text if text.isprintable() else excerpt(text))[:LONGEST_NAME] or "items without a kind"
