"""Values of policy tests: keys, moments written as spans from now, and YAML as the JSON a sender would send."""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import yaml

from schemas.envelope import Envelope
from services.cadence.account import FactEvent
from services.cadence.expressions.checker import did_you_mean
from services.cadence.policy import Location, Policy
from services.cadence.policy.yaml_source import Sheet, shown

Translate = Callable[[Envelope], FactEvent]
"""An envelope as a fact; raises `schemas.problems.Malformed`."""
NOW: Final = datetime(2026, 3, 2, 9, tzinfo=UTC)
"""A Monday morning: when a test takes place that does not say when."""
_SPAN = re.compile(r"(-?)([0-9]{1,6})([hd])")
_NUMBER = re.compile(r"-?[0-9][0-9_]*(\.[0-9]+)?")
_CONSTANTS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None, "~": None}
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
_DAYS = ("_on",)
_INSTANTS = frozenset({"at", "to", "until", "from", "deadline", "period_start", "period_end"})


@dataclass(frozen=True, slots=True)
class Desk:
    """What a test is read with. `now`: what its spans count from."""

    sheet: Sheet
    policy: Policy
    translate: Translate
    now: datetime = NOW

    def form(
        self, node: yaml.Node, where: str, known: Iterable[str], required: Iterable[str] = ()
    ) -> dict[str, yaml.Node]:
        """Keys to their nodes; unknown and doubled keys are noted, and missing ones where no mistyped one explains it."""
        names, found = tuple(known), dict[str, yaml.Node]()
        pairs = self.sheet.pairs(node, where)
        for name, (key, value) in pairs.items():
            if name in names:
                found[name] = value
            else:
                self.sheet.fault(key, where, f"unknown key {shown(name)}{did_you_mean(name, names)}")
        for name in required if isinstance(node, yaml.MappingNode) else ():
            if name not in found and len(found) == len(pairs):
                self.sheet.fault(node, where, f"{name!r} is missing")
        return found

    def moment(self, node: yaml.Node, where: str) -> datetime:
        """A span from now (`-10d`, `48h`), a time or a day; now where it is none of these, which is noted."""
        said = self.sheet.text(node, where)
        at = moment(said, self.now) if said else self.now
        if at is not None:
            return at
        what = (
            f"a span from now (-10d, 48h), a day or a time with its zone is expected here, not {shown(said)}"
        )
        self.sheet.fault(node, where, what)
        return self.now

    def place(self, node: yaml.Node) -> Location:
        return Location(self.sheet.file, node.start_mark.line + 1)

    def json(self, node: yaml.Node, where: str, name: str = "") -> object:
        """As a sender would write it; spans from now become the days and times that the fields of that name take."""
        if isinstance(node, yaml.MappingNode):
            pairs = self.sheet.pairs(node, where)
            return {key: self.json(value, f"{where}.{key}", key) for key, (_, value) in pairs.items()}
        if isinstance(node, yaml.SequenceNode):
            return [self.json(each, where, name) for each in node.value]
        value = scalar(node)
        return self._dated(name, value) if isinstance(value, str) else value

    def _dated(self, name: str, said: str) -> str:
        day = name.endswith(_DAYS)
        if not day and name not in _INSTANTS and not name.endswith("_at"):
            return said
        at = moment(said, self.now)
        if at is None:
            return said
        return at.date().isoformat() if day else instant(at)


def moment(said: str, now: datetime) -> datetime | None:
    """None where it is neither a span nor a time."""
    span = _SPAN.fullmatch(said)
    if span is not None:
        sign, number, unit = span.groups()
        away = int(number) * _UNITS[unit]
        try:
            return now - away if sign else now + away
        except OverflowError:
            return None
    try:
        at = datetime.fromisoformat(said)
    except ValueError:
        return None
    if at.tzinfo is not None:
        return at.astimezone(UTC)
    return at.replace(tzinfo=UTC) if len(said) == len("2026-03-02") else None


def instant(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def scalar(node: yaml.Node) -> str | float | bool | None:
    """Plain `true`, `null` and numbers (`100_000`) as such; what stands in quotes, and the rest, is text."""
    said = str(node.value)
    if not isinstance(node, yaml.ScalarNode) or node.style in {"'", '"', "|", ">"}:
        return said
    if said in _CONSTANTS:
        return _CONSTANTS[said]
    if _NUMBER.fullmatch(said):
        digits = said.replace("_", "")
        return float(digits) if "." in digits else int(digits)
    return said


def named(desk: Desk, node: yaml.Node, where: str, known: Iterable[str], what: str) -> str:
    """A name out of those there are; "" where it is none, which is noted."""
    said, options = desk.sheet.text(node, where), tuple(known)
    if said and said not in options:
        desk.sheet.fault(node, where, f"{shown(said)} is no {what}{did_you_mean(said, options)}")
        return ""
    return said
