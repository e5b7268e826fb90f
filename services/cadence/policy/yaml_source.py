"""YAML with places: nodes of a policy file read with care, every mistake noted with its line and column.

Nothing is constructed from YAML but text: no tags, no aliases, no second meaning of `on` or `yes`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import yaml

from services.cadence.expressions.checker import check, did_you_mean
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import And, Const, ExpressionError, Node, walk
from services.cadence.features.registry import Feature
from services.cadence.policy.grammar import TEXT

BYTES = 1_000_000
EVENTS = 50_000
DEPTH = 16
PARTS = 20_000
MISTAKES = 200
Mistake = tuple[str, int, int, str]
"""File, line, column (from 1) and what is wrong there."""
NEVER = Const(value=False, at=0)
"""Stands for a condition that is wrong."""
_HINTS = {
    "mapping values are not allowed": "; put a text that holds a colon in quotes",
    "could not find expected ':'": "; is this line a key with its colon, indented like its neighbours?",
    "cannot start any token": "; indent with spaces, and put a text that begins with a sign in quotes",
    "tab character": "; indent with spaces",
    "did not find expected key": "; indent keys alike, and write a text that begins with a quotation mark after `>-`",
    "expected a single document": "; a file is one document: take out the second `---`",
}


class PolicyRefused(Exception):
    """A policy cannot be used; `errors` are all mistakes found, each `file:line:column: where: what`."""

    def __init__(self, errors: Iterable[str]) -> None:
        self.errors = tuple(errors)
        super().__init__("\n".join(self.errors))


class Enough(Exception):
    """So many mistakes were found that looking for more is not worth the time."""


@dataclass(slots=True)
class Ledger:
    """What is counted over all files of a policy: mistakes, events of YAML, parts of conditions."""

    mistakes: set[Mistake] = field(default_factory=set[Mistake])
    events: int = 0
    parts: int = 0

    def note(self, mistake: Mistake) -> None:
        """Raises `Enough` beyond `MISTAKES`."""
        self.mistakes.add(mistake)
        if len(self.mistakes) >= MISTAKES:
            raise Enough


@dataclass(slots=True)
class Sheet:
    """One file while it is read."""

    file: str
    source: str
    ledger: Ledger

    def fault(self, node: yaml.Node, where: str, message: str, at: int = 0) -> None:
        line, column = place(self.source, node, at)
        told = f"{where}: {message}" if where else message
        self.ledger.note((self.file, line, column, told))

    def compose(self) -> yaml.Node | None:
        """The document's root; None when there is none, or none that can be read, which is then noted."""
        try:
            if self._bounded():
                return yaml.compose(self.source, yaml.CSafeLoader)
        except UnicodeEncodeError as error:
            line = self.source.count("\n", 0, error.start) + 1
            column = error.start - self.source.rfind("\n", 0, error.start)
            self.ledger.note((self.file, line, column, "this character is none: half of a pair"))
        except yaml.YAMLError as error:
            marked = error if isinstance(error, yaml.MarkedYAMLError) else yaml.MarkedYAMLError()
            problem = marked.problem or str(error) or "not readable as YAML"
            hint = next((hint for sign, hint in _HINTS.items() if sign in str(error)), "")
            self.ledger.note((self.file, *_spot(marked.problem_mark), f"YAML: {problem}{hint}"))
        return None

    def _bounded(self) -> bool:
        if len(self.source) > BYTES:
            self.ledger.note((self.file, 1, 1, f"a policy file has at most {BYTES:,} characters"))
            return False
        depth = 0
        for event in yaml.parse(self.source, yaml.CSafeLoader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            self.ledger.events += 1
            problem = _excess(event, depth, self.ledger.events)
            if problem:
                self.ledger.note((self.file, *_spot(event.start_mark), problem))
                return False
        return True

    def pairs(self, node: yaml.Node, where: str) -> dict[str, tuple[yaml.Node, yaml.Node]]:
        """Names to the nodes of key and value; what is doubled, or no mapping, is noted."""
        if not isinstance(node, yaml.MappingNode):
            self.fault(node, where, "a mapping of keys and values is expected here")
            return {}
        found: dict[str, tuple[yaml.Node, yaml.Node]] = {}
        for key, value in node.value:
            name = key.value if isinstance(key, yaml.ScalarNode) else ""
            if name in found:
                self.fault(key, where, f"duplicate key {shown(name)}")
            else:
                found[name] = (key, value)
        return found

    def items(self, node: yaml.Node, where: str) -> list[yaml.Node]:
        if isinstance(node, yaml.SequenceNode) and node.value:
            return list(node.value)
        what = "this list is empty" if isinstance(node, yaml.SequenceNode) else "a list is expected here"
        self.fault(node, where, f"{what}: begin each item with `- `")
        return []

    def text(self, node: yaml.Node, where: str) -> str:
        """One line of text; "" where it is none, which is noted."""
        said = " ".join(str(node.value).split()) if isinstance(node, yaml.ScalarNode) else ""
        if not said:
            self.fault(node, where, "a text is expected here")
        elif len(said) > TEXT:
            self.fault(node, where, f"a text has at most {TEXT:,} characters, this has {len(said):,}")
        elif any(sign < " " or "\x7f" <= sign <= "\x9f" for sign in said):
            self.fault(node, where, "a text holds no control characters")
        else:
            return said
        return ""

    def choice(self, node: yaml.Node, where: str, known: Iterable[str]) -> str:
        """One of these; "" where it is none, which is noted."""
        value, options = self.text(node, where), list(known)
        if not value or value in options:
            return value
        listed = ", ".join(options) if len(options) <= 12 else f"{len(options)} are known"
        self.fault(node, where, f"{shown(value)} is not one of these: {listed}{did_you_mean(value, options)}")
        return ""

    def condition(
        self, node: yaml.Node, where: str, words: Mapping[str, Feature], besides: Sequence[Node] = ()
    ) -> Node:
        """The checked tree, with what has to hold besides before it. `NEVER` where it is wrong, which is noted."""
        if not isinstance(node, yaml.ScalarNode):
            self.fault(node, where, "a condition is expected here")
            return NEVER
        try:
            tree = parse(node.value)
        except ExpressionError as fault:
            self.fault(node, where, fault.message, fault.at)
            return NEVER
        return self.sound(node, where, both(besides, tree), words)

    def sound(self, node: yaml.Node, where: str, tree: Node, words: Mapping[str, Feature]) -> Node:
        """The tree if it is sound, else `NEVER`; its faults are noted at the node it was read from."""
        self.ledger.parts += sum(1 for _ in walk(tree))
        if self.ledger.parts > PARTS:
            self.fault(node, where, f"all conditions together have at most {PARTS:,} parts")
            raise Enough
        faults = check(tree, words)
        for fault in faults:
            self.fault(node, where, fault.message, fault.at)
        return NEVER if faults else tree


def both(besides: Sequence[Node], tree: Node) -> Node:
    """All of these, as one flat conjunction; what always holds is left out."""
    always = isinstance(tree, Const) and tree.value is True
    parts = (*besides, *(() if always else tree.parts if isinstance(tree, And) else (tree,)))
    if not besides or not parts:
        return tree
    return parts[0] if len(parts) == 1 else And(parts, tree.at)


def shown(value: str) -> str:
    """What was written, short enough to be repeated in a message."""
    return repr(value if len(value) <= 60 else value[:57] + "...")


class _Marked(Protocol):
    line: int
    column: int


def _spot(stamp: _Marked | None) -> tuple[int, int]:
    return (1, 1) if stamp is None else (stamp.line + 1, stamp.column + 1)


def _excess(event: yaml.Event, depth: int, count: int) -> str | None:
    if isinstance(event, yaml.AliasEvent):
        return "YAML aliases are not allowed"
    if isinstance(event, yaml.ScalarEvent | yaml.CollectionStartEvent) and event.tag is not None:
        return "YAML tags are not allowed; put a text that begins with `!` in quotes"
    if depth > DEPTH:
        return f"nested deeper than {DEPTH}"
    return "the policy is too large" if count > EVENTS else None


def place(source: str, node: yaml.Node, at: int) -> tuple[int, int]:
    """Line and column (from 1) of character `at` of a node's value, through quotes and folded lines.

    Folding changes white space alone, so the n-th other character of the value is the n-th of what was written.
    """
    stamp = node.start_mark
    if not isinstance(node, yaml.ScalarNode) or (not at and not node.style):
        return stamp.line + 1, stamp.column + 1
    begin = stamp.index
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
