"""Compile: checked conditions to Python. One function judges the whole policy, one more per event a trigger stands on.

The source holds nothing but names of the vocabulary and `repr` of numbers, truths and texts; it runs without builtins.
What an explanation needs (the truth of every atom) will be another reading of the same trees.
"""

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from services.rules_engine.domain.facts import Plain
from services.rules_engine.domain.language.tree import (
    Among,
    Arithmetic,
    Compare,
    Const,
    Either,
    Every,
    IsNull,
    Name,
    Node,
    Not,
    children,
    names,
)
from services.rules_engine.domain.vocabulary.registry import WORDS

Values = Mapping[str, Plain]
Judge = Callable[[Values], tuple[str, str, str | None, int]]
Bits = Callable[[Values, Values], int]
Named = tuple[str, Node]
_DERIVED = ("color", "segment", "stage")


@dataclass(frozen=True, slots=True)
class Health:
    """Scores below these are red, or yellow; the rest is green."""

    red_below: float
    yellow_below: float


def source(node: Node) -> str:
    """The Python expression of a condition; also its canonical text, free of spacing."""
    match node:
        case Const():
            return repr(node.value)
        case Name():
            return node.name
        case Arithmetic() | Compare():
            return f"({source(node.left)} {node.op} {source(node.right)})"
        case Among():
            members = "".join(f"{value.value!r}, " for value in node.values)
            return f"({source(node.item)} in ({members}))"
        case IsNull():
            return f"({source(node.item)} is None)"
        case Not():
            return f"(not {source(node.item)})"
        case Every() | Either():
            return "(" + (" and " if isinstance(node, Every) else " or ").join(map(source, node.parts)) + ")"


def compile_judge(
    health: Health, segments: Sequence[Named], stages: Sequence[Named], rules: Sequence[tuple[int, Node]]
) -> Judge:
    """`judge(values) -> (segment, stage, colour, bits of the rules that hold)`; `rules` are (bit, condition)."""
    trees = [tree for _, tree in (*segments, *stages)] + [tree for _, tree in rules]
    lines = _loads(trees, extra=("color", "health_score"))
    lines += _color(health)
    lines += [" segment = values['segment_override']", " if segment is None:"]
    lines += _first("segment", segments, "  ")
    lines += _first("stage", stages, " ")
    lines += _bits(rules)
    lines.append(" return segment, stage, color, fired")
    return cast("Judge", _function("values", lines))


def compile_bits(health: Health, rules: Sequence[tuple[int, Node]], own: frozenset[str]) -> Bits:
    """`bits(values, words)`: which rules hold. `own` are the names read from `words`: those of the entry itself."""
    used = {name for _, tree in rules for name in names(tree)}
    if "color" in own:
        used |= {"color", "health_score"}
    lines = [f" {name} = {'words' if name in own else 'values'}[{name!r}]" for name in sorted(used)]
    if "color" in own:
        lines += _color(health)
    return cast("Bits", _function("values, words", [*lines, *_bits(rules), " return fired"]))


def compile_condition(tree: Node) -> Callable[[Values], bool]:
    """One condition on its own, over the words it reads."""
    lines = [f" {name} = values[{name!r}]" for name in names(tree)]
    return cast("Callable[[Values], bool]", _function("values", [*lines, f" return {source(tree)}"]))


def _loads(trees: Iterable[Node], extra: tuple[str, ...]) -> list[str]:
    used = {name for tree in trees for name in names(tree)} - set(_DERIVED)
    return [f" {name} = values[{name!r}]" for name in sorted(used | set(extra))]


def _color(health: Health) -> list[str]:
    derived = f"'red' if health_score < {health.red_below!r} else "
    derived += f"'yellow' if health_score < {health.yellow_below!r} else 'green'"
    return [" if color is None and health_score is not None:", f"  color = {derived}"]


def _first(name: str, options: Sequence[Named], indent: str) -> list[str]:
    lines: list[str] = []
    for index, (value, tree) in enumerate(options):
        lines.append(f"{indent}{'elif' if index else 'if'} {source(tree)}:")
        lines.append(f"{indent} {name} = {value!r}")
    return [*lines, f"{indent}else:", f"{indent} {name} = {options[-1][0]!r}"]


def _bits(rules: Sequence[tuple[int, Node]]) -> list[str]:
    lines = [" fired = 0"]
    for bit, tree in rules:
        lines += [f" if {source(tree)}:", f"  fired |= {1 << bit}"]
    return lines


def _function(arguments: str, lines: list[str]) -> object:
    namespace: dict[str, object] = {"__builtins__": {}}
    code = compile("\n".join([f"def judge({arguments}):", *lines]), "<policy>", "exec")
    exec(code, namespace)  # noqa: S102 - source made above from checked trees, no builtins
    return namespace["judge"]


def day_counts(trees: Iterable[Node]) -> dict[str, tuple[int, ...] | None]:
    """Per day-count read: the counts (days passed since its base) at which a condition may turn; None: any day."""
    found: dict[str, set[int] | None] = {}
    for tree in trees:
        _collect(tree, found)
    return {name: None if days is None else tuple(sorted(days)) for name, days in found.items()}


def _collect(node: Node, found: dict[str, set[int] | None]) -> None:
    match node:
        case (
            Compare(left=Name(name=name), right=Const(value=value))
            | Compare(left=Const(value=value), right=Name(name=name))
        ):
            _turns(name, [value], found)
        case Among(item=Name(name=name), values=values):
            _turns(name, [each.value for each in values], found)
        case IsNull():
            return
        case Name(name=name) if _counts(name):
            found[name] = None
        case _:
            for child in children(node):
                _collect(child, found)


def _counts(name: str) -> bool:
    return name in WORDS and WORDS[name].counts is not None


def _turns(name: str, values: Sequence[object], found: dict[str, set[int] | None]) -> None:
    if not _counts(name):
        return
    held = found.setdefault(name, set())
    if held is None:
        return
    sign = -1 if WORDS[name].counts == "until" else 1
    for value in values:
        if isinstance(value, int | float):
            held.update(range(math.floor(sign * value), math.ceil(sign * value) + 2))
