"""Compile: checked conditions to Python. One function judges the whole policy, one more per event a trigger stands on.

The source holds nothing but names of the vocabulary and `repr` of numbers, truths and texts; of Python's builtins it
sees the three that the language has too.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import cast

from services.cadence.account import Plain
from services.cadence.expressions.tree import (
    And,
    Arithmetic,
    Call,
    Compare,
    Const,
    IsNull,
    Membership,
    Name,
    Node,
    Not,
    Or,
    names,
)

Values = Mapping[str, Plain]
ConditionFunction = Callable[[Values], tuple[str, str, str | None, int]]
Bits = Callable[[Values, Values], int]
Named = tuple[str, Node]
_DERIVED = ("color", "segment", "stage")
FUNCTIONS = {"abs": abs, "min": min, "max": max}
_DEEPEST = 16


@dataclass(frozen=True, slots=True)
class Health:
    """Scores below these are red, or yellow; the rest is green."""

    red_below: float
    yellow_below: float

    def color(self, score: float) -> str:
        """The colour of a score with which none was told."""
        return "red" if score < self.red_below else "yellow" if score < self.yellow_below else "green"

    def told(self, color: Plain, score: Plain) -> Plain:
        """The colour that was told; without one, that of the score; None without either."""
        return self.color(score) if color is None and isinstance(score, int | float) else color


def source(node: Node) -> str:
    """The Python expression of a condition; also its canonical text, free of spacing."""
    match node:
        case Const() | Name() | Arithmetic() | Call():
            return _operand(node)
        case Compare():
            return f"({source(node.left)} {node.op} {source(node.right)})"
        case Membership():
            members = "".join(f"{value.value!r}, " for value in node.values)
            return f"({source(node.item)} in ({members}))"
        case IsNull():
            return f"({source(node.item)} is None)"
        case Not():
            return f"(not {source(node.item)})"
        case And() | Or():
            return "(" + (" and " if isinstance(node, And) else " or ").join(map(source, node.parts)) + ")"


def _operand(node: Const | Name | Arithmetic | Call) -> str:
    match node:
        case Const():
            return repr(node.value)
        case Name():
            return node.name
        case Arithmetic():
            return _arithmetic(node)
        case Call():
            return _call(node)


def _arithmetic(node: Arithmetic) -> str:
    """In doubles, whole numbers too: nothing raises, and every backend works out the same."""
    left, right = _double(node.left), _double(node.right)
    if not any(isinstance(side, Arithmetic | Const) for side in (node.left, node.right)):
        left = f"{left} * 1.0"
    return f"({left} {node.op} {right})"


def _double(node: Node) -> str:
    return repr(float(node.value)) if isinstance(node, Const) else source(node)


def _call(node: Call) -> str:
    arguments = [source(each) for each in node.arguments]
    if node.function == "days_between":
        return f"abs({' - '.join(arguments)})"
    return f"{node.function}({', '.join(arguments)})"


def compile_conditions(
    health: Health, segments: Sequence[Named], stages: Sequence[Named], rules: Sequence[tuple[int, Node]]
) -> ConditionFunction:
    """`judge(values) -> (segment, stage, colour, bits of the rules that hold)`; `rules` are (bit, condition)."""
    trees = [tree for _, tree in (*segments, *stages)] + [tree for _, tree in rules]
    lines = _loads(trees, extra=("color", "health_score"))
    lines += _color(health)
    lines += [" segment = values['segment_override']", " if segment is None:"]
    lines += _first("segment", segments, "  ")
    lines += _first("stage", stages, " ")
    lines += _bits(rules)
    lines.append(" return segment, stage, color, fired")
    return cast("ConditionFunction", _function("values", lines))


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
    wanted = [(bit, tuple(_parts(tree))) for bit, tree in rules]
    return [" fired = 0", *_grouped(wanted, " ")]


def _parts(tree: Node) -> Iterable[str]:
    if isinstance(tree, And):
        for part in tree.parts:
            yield from _parts(part)
    else:
        yield source(tree)


def _grouped(rules: Sequence[tuple[int, tuple[str, ...]]], indent: str) -> list[str]:
    """Rules that begin alike share the evaluation of their beginning; what comes later is left to short circuits."""
    alike: dict[tuple[str, ...], list[tuple[int, tuple[str, ...]]]] = {}
    for bit, parts in rules:
        head = parts[:1] if len(indent) < _DEEPEST else parts
        alike.setdefault(head, []).append((bit, parts[len(head) :]))
    lines: list[str] = []
    for head, members in alike.items():
        if len(members) == 1:
            bit, rest = members[0]
            lines += _fired([bit], (*head, *rest), indent)
            continue
        ended = [bit for bit, rest in members if not rest]
        inner = _fired(ended, (), f"{indent} ") if ended else []
        inner += _grouped([each for each in members if each[1]], f"{indent} ")
        lines += [f"{indent}if {' and '.join(head) or True}:", *inner]
    return lines


def _fired(bits: Sequence[int], parts: Sequence[str], indent: str) -> list[str]:
    stamp = f"fired |= {sum(1 << bit for bit in bits)}"
    return [f"{indent}if {' and '.join(parts)}:", f"{indent} {stamp}"] if parts else [f"{indent}{stamp}"]


def _function(arguments: str, lines: list[str]) -> object:
    namespace: dict[str, object] = {"__builtins__": FUNCTIONS}
    code = compile("\n".join([f"def judge({arguments}):", *lines]), "<policy>", "exec")
    exec(code, namespace)  # noqa: S102 - source made above from checked trees, and nothing but these builtins
    return namespace["judge"]
