"""Compiler: checked conditions to Python functions, one for a whole policy and one for each type of event.

The source holds names of features, operators, and the `repr` of numbers, booleans and texts; the only builtins it can
reach are the functions of the language.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from services.cadence.account import Plain
from services.cadence.expressions import tree
from services.cadence.expressions.tree import Node, flat_parts, names

Values = Mapping[str, Plain]
ConditionFunction = Callable[[Values], tuple[str, str, str | None, int]]
Bits = Callable[[Values, Values], int]
Named = tuple[str, Node]
_DERIVED = frozenset({"color", "segment", "stage"})
_BUILTINS = {"abs": abs, "min": min, "max": max}
_DEEPEST = 16
"""Levels of indentation: Python's parser allows 100."""
_Rule = tuple[int, tuple[str, ...]]
"""A bit, and the sources of the parts that all have to hold."""


@dataclass(frozen=True, slots=True)
class Health:
    """Scores below `red_below` are red, others below `yellow_below` are yellow, the rest is green."""

    red_below: float
    yellow_below: float

    def effective_color(self, color: Plain, score: Plain) -> Plain:
        """The colour itself; without one, that of the score; None without either."""
        if color is not None or not isinstance(score, int | float):
            return color
        return "red" if score < self.red_below else "yellow" if score < self.yellow_below else "green"


def source(node: Node) -> str:
    """The Python expression of a condition; also its canonical text, which the hash of a policy is made of."""
    match node:
        case tree.Const() | tree.Name() | tree.Arithmetic() | tree.Call():
            return _operand(node)
        case tree.Compare():
            return f"({source(node.left)} {node.op} {source(node.right)})"
        case tree.Membership():
            members = "".join(f"{member.value!r}, " for member in node.values)
            return f"({source(node.item)} in ({members}))"
        case tree.IsNull():
            return f"({source(node.item)} is None)"
        case tree.Not():
            return f"(not {source(node.item)})"
        case tree.And() | tree.Or():
            operator = " and " if isinstance(node, tree.And) else " or "
            return f"({operator.join(map(source, node.parts))})"


def _operand(node: tree.Const | tree.Name | tree.Arithmetic | tree.Call) -> str:
    match node:
        case tree.Const():
            return repr(node.value)
        case tree.Name():
            return node.name
        case tree.Arithmetic():
            return _arithmetic(node)
        case tree.Call(function="days_between"):
            return f"abs({' - '.join(map(source, node.arguments))})"
        case tree.Call():
            return f"{node.function}({', '.join(map(source, node.arguments))})"


def _arithmetic(node: tree.Arithmetic) -> str:
    """In doubles, whole numbers too: nothing raises, and every backend computes the same."""
    sides = (node.left, node.right)
    left, right = (
        repr(float(side.value)) if isinstance(side, tree.Const) else source(side) for side in sides
    )
    if not any(isinstance(side, tree.Arithmetic | tree.Const) for side in sides):
        left = f"{left} * 1.0"
    return f"({left} {node.op} {right})"


def compile_conditions(
    health: Health, segments: Sequence[Named], stages: Sequence[Named], rules: Sequence[tuple[int, Node]]
) -> ConditionFunction:
    """`evaluate(values) -> (segment, stage, colour, bits of the rules that hold)`; `rules` are (bit, condition).

    The segment is `segment_override`, else the first whose condition holds, else the last; a stage is never overridden.
    """
    read = {name for _, condition in (*segments, *stages, *rules) for name in names(condition)}
    lines = _loads((read - _DERIVED) | {"color", "health_score"})
    lines += _color(health)
    lines += [" segment = values['segment_override']", " if segment is None:"]
    lines += _first_option("segment", segments, "  ")
    lines += _first_option("stage", stages, " ")
    lines += _bits(rules)
    return cast("ConditionFunction", _define("values", [*lines, " return segment, stage, color, fired"]))


def compile_bits(health: Health, rules: Sequence[tuple[int, Node]], own: frozenset[str]) -> Bits:
    """`evaluate(values, event_values) -> bits of the rules that hold`. `own`: the features read from the event."""
    read = {name for _, condition in rules for name in names(condition)}
    if "color" in own:
        read |= {"color", "health_score"}
    lines = _loads(read, own)
    if "color" in own:
        lines += _color(health)
    return cast("Bits", _define("values, event_values", [*lines, *_bits(rules), " return fired"]))


def compile_condition(condition: Node) -> Callable[[Values], bool]:
    """One condition on its own, over the features it reads."""
    lines = [*_loads(names(condition)), f" return {source(condition)}"]
    return cast("Callable[[Values], bool]", _define("values", lines))


def _define(arguments: str, lines: Iterable[str]) -> object:
    """The function with this body. A body is made of checked trees alone."""
    namespace: dict[str, object] = {"__builtins__": _BUILTINS}
    code = compile("\n".join([f"def evaluate({arguments}):", *lines]), "<policy>", "exec")
    exec(code, namespace)  # noqa: S102 - source made of checked trees, and no builtins but these
    return namespace["evaluate"]


def _loads(read: Iterable[str], own: frozenset[str] = frozenset()) -> list[str]:
    return [f" {name} = {'event_values' if name in own else 'values'}[{name!r}]" for name in sorted(read)]


def _color(health: Health) -> list[str]:
    derived = f"'red' if health_score < {health.red_below!r} else "
    derived += f"'yellow' if health_score < {health.yellow_below!r} else 'green'"
    return [" if color is None and health_score is not None:", f"  color = {derived}"]


def _first_option(name: str, options: Sequence[Named], indent: str) -> list[str]:
    lines: list[str] = []
    for index, (value, condition) in enumerate(options):
        lines.append(f"{indent}{'elif' if index else 'if'} {source(condition)}:")
        lines.append(f"{indent} {name} = {value!r}")
    return [*lines, f"{indent}else:", f"{indent} {name} = {options[-1][0]!r}"]


def _bits(rules: Sequence[tuple[int, Node]]) -> list[str]:
    parts = [(bit, tuple(map(source, flat_parts(condition, tree.And)))) for bit, condition in rules]
    return [" fired = 0", *_grouped(parts, " ")]


def _grouped(rules: Sequence[_Rule], indent: str) -> list[str]:
    """Rules with the same first part share its evaluation; later parts are left to short circuits."""
    by_head: dict[tuple[str, ...], list[_Rule]] = {}
    for bit, parts in rules:
        head = parts[:1] if len(indent) < _DEEPEST else parts
        by_head.setdefault(head, []).append((bit, parts[len(head) :]))
    lines: list[str] = []
    for head, members in by_head.items():
        if len(members) == 1:
            bit, rest = members[0]
            lines += _fired([bit], (*head, *rest), indent)
            continue
        complete = [bit for bit, rest in members if not rest]
        inner = _fired(complete, (), f"{indent} ") if complete else []
        inner += _grouped([rule for rule in members if rule[1]], f"{indent} ")
        lines += [f"{indent}if {' and '.join(head) or True}:", *inner]
    return lines


def _fired(bits: Sequence[int], parts: Sequence[str], indent: str) -> list[str]:
    update = f"fired |= {sum(1 << bit for bit in bits)}"
    return [f"{indent}if {' and '.join(parts)}:", f"{indent} {update}"] if parts else [f"{indent}{update}"]
