"""YAML with places: nodes of a policy file read with care, every mistake noted with its line and column.

Nothing is constructed from YAML but text: no tags, no aliases, no second meaning of `on` or `yes`.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Protocol

import yaml

from services.rules_engine.domain.language.checker import check, did_you_mean
from services.rules_engine.domain.language.parser import parse
from services.rules_engine.domain.language.tree import Const, Fault, Node, walk
from services.rules_engine.domain.vocabulary.registry import Word

BYTES = 1_000_000
EVENTS = 50_000
DEPTH = 16
PARTS = 20_000
Mistake = tuple[str, int, int, str]
"""File, line, column (from 1) and what is wrong there."""
_SPAN = re.compile(r"(-?)([0-9]{1,5})(h|d)")
_NUMBER = re.compile(r"[0-9]{1,9}(\.[0-9]{1,6})?")
_UNITS = {"h": timedelta(hours=1), "d": timedelta(days=1)}
_NEVER = Const(value=False, at=0)


class PolicyRefused(Exception):
    """A policy cannot be used; `errors` are all mistakes found, each `file:line:column: where: what`."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(self.errors))


@dataclass(slots=True)
class Sheet:
    """One file while it is read, and the mistakes found so far in it and in the files read before."""

    file: str
    source: str
    errors: list[Mistake] = field(default_factory=list[Mistake])
    parts: int = 0

    def fault(self, node: yaml.Node, where: str, message: str, at: int = 0) -> None:
        line, column = place(self.source, node, at)
        told = f"{where}: {message}" if where else message
        self.errors.append((self.file, line, column, told))

    def compose(self) -> yaml.Node | None:
        """The document's root; None when it cannot be read at all, which is then noted."""
        try:
            if self._bounded():
                return yaml.compose(self.source, yaml.CSafeLoader)
        except yaml.YAMLError as error:
            marked = error if isinstance(error, yaml.MarkedYAMLError) else yaml.MarkedYAMLError()
            mark, problem = marked.problem_mark, marked.problem or str(error) or "not readable as YAML"
            self.errors.append((self.file, *_spot(mark), f"YAML: {problem}"))
        return None

    def _bounded(self) -> bool:
        if len(self.source) > BYTES:
            self.errors.append((self.file, 1, 1, f"a policy file has at most {BYTES:,} characters"))
            return False
        depth = 0
        for count, event in enumerate(yaml.parse(self.source, yaml.CSafeLoader)):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            problem = _excess(event, depth, count)
            if problem:
                mark = event.start_mark
                self.errors.append((self.file, *_spot(mark), problem))
                return False
        return True

    def mapping(
        self, node: yaml.Node, where: str, known: Iterable[str] | None, required: Iterable[str] = ()
    ) -> dict[str, yaml.Node]:
        """Keys to nodes; unknown, doubled and missing keys are noted. `known` None: any key."""
        if not isinstance(node, yaml.MappingNode):
            self.fault(node, where, "a mapping of keys and values is expected here")
            return {}
        found: dict[str, yaml.Node] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name in found:
                self.fault(key, where, f"duplicate key {name!r}")
            elif known is not None and name not in known:
                self.fault(key, where, f"unknown key {name!r}" + did_you_mean(name, known))
            else:
                found[name] = value
        for name in required:
            if name not in found:
                self.fault(node, where, f"{name!r} is missing")
        return found

    def items(self, node: yaml.Node, where: str) -> list[yaml.Node]:
        if isinstance(node, yaml.SequenceNode):
            return list(node.value)
        self.fault(node, where, "a list is expected here")
        return []

    def text(self, node: yaml.Node, where: str) -> str:
        if isinstance(node, yaml.ScalarNode) and str(node.value).strip():
            return " ".join(str(node.value).split())
        self.fault(node, where, "a text is expected here")
        return ""

    def choice(self, node: yaml.Node, where: str, known: Iterable[str]) -> str:
        value = self.text(node, where)
        options = list(known)
        if value and value not in options:
            listed = ", ".join(options) if len(options) <= 12 else f"{len(options)} are known"
            self.fault(node, where, f"{value!r} is not one of these: {listed}{did_you_mean(value, options)}")
        return value

    def number(self, node: yaml.Node, where: str) -> float:
        value = self.text(node, where)
        if _NUMBER.fullmatch(value):
            return float(value)
        self.fault(node, where, "a number is expected here")
        return 0.0

    def span(self, node: yaml.Node, where: str) -> timedelta:
        """`48h` or `7d`, negative before an anchor."""
        match = _SPAN.fullmatch(self.text(node, where))
        if match is None:
            self.fault(node, where, "a span of time is expected here, such as 48h or 7d")
            return timedelta(days=1)
        span = int(match[2]) * _UNITS[match[3]]
        return -span if match[1] else span

    def condition(self, node: yaml.Node, where: str, words: Mapping[str, Word]) -> Node:
        """The checked tree; where it is wrong, what is wrong is noted and something harmless returned."""
        if not isinstance(node, yaml.ScalarNode):
            self.fault(node, where, "a condition is expected here")
            return _NEVER
        try:
            tree = parse(node.value)
        except Fault as fault:
            self.fault(node, where, fault.message, fault.at)
            return _NEVER
        self.parts += sum(1 for _ in walk(tree))
        if self.parts > PARTS:
            self.fault(node, where, f"all conditions together have at most {PARTS:,} parts")
            return _NEVER
        faults = check(tree, words)
        for fault in faults:
            self.fault(node, where, fault.message, fault.at)
        return _NEVER if faults else tree


class _Marked(Protocol):
    line: int
    column: int


def _spot(mark: _Marked | None) -> tuple[int, int]:
    return (1, 1) if mark is None else (mark.line + 1, mark.column + 1)


def _excess(event: yaml.Event, depth: int, count: int) -> str | None:
    if isinstance(event, yaml.AliasEvent):
        return "YAML aliases are not allowed"
    if depth > DEPTH:
        return f"nested deeper than {DEPTH}"
    return "the policy file is too large" if count > EVENTS else None


def place(source: str, node: yaml.Node, at: int) -> tuple[int, int]:
    """Line and column (from 1) of character `at` of a node's value, through quotes and folded lines.

    Folding changes white space alone, so the n-th other character of the value is the n-th of what was written.
    """
    mark = node.start_mark
    if not isinstance(node, yaml.ScalarNode) or (not at and not node.style):
        return mark.line + 1, mark.column + 1
    begin = mark.index
    if node.style in {"|", ">"}:
        begin = source.find("\n", begin) + 1
    elif node.style:
        begin += 1
    wanted = sum(1 for character in node.value[:at] if not character.isspace())
    for index in range(begin, min(node.end_mark.index, len(source))):
        if source[index].isspace() or (node.style == '"' and source[index] == "\\"):
            continue
        if wanted == 0:
            return source.count("\n", 0, index) + 1, index - source.rfind("\n", 0, index)
        wanted -= 1
    end = node.end_mark
    return end.line + 1, end.column + 1
