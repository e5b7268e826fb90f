"""Conditions as a person would write them in Python: one function a rule, over the dictionary of an account.

No guard that Python does not need (`None == "red"` is false by itself), chained comparisons, brackets only where they
count. So the peer is what somebody would put into a code base without a rule engine, not our own output once more.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import cast

from services.cadence.account import Plain
from services.cadence.expressions.tree import (
    And,
    Arithmetic,
    Compare,
    Const,
    IsNull,
    Membership,
    Name,
    Node,
    Not,
    Or,
)

Rules = Callable[[Mapping[str, Plain]], list[bool]]
_POWER = {"or": 1, "and": 2, "not": 3, "compare": 4, "+": 5, "-": 5, "*": 6, "/": 6}


def written(conditions: Sequence[Node]) -> str:
    """The module: a function for each rule, all of them in `RULES`, and `judge` over them."""
    functions = [
        f"def rule_{number}(account):\n    return {expression(tree)}\n"
        for number, tree in enumerate(conditions)
    ]
    names = ", ".join(f"rule_{number}" for number in range(len(conditions)))
    evaluate_conditions = "def judge(account):\n    return [rule(account) for rule in RULES]\n"
    return "\n\n".join([*functions, f"RULES = [{names}]\n", evaluate_conditions])


def hand_rules(conditions: Sequence[Node]) -> Rules:
    """`judge(account)` of the module: which rules hold, in their order."""
    namespace: dict[str, object] = {}
    exec(compile(written(conditions), "<by hand>", "exec"), namespace)  # noqa: S102 - made above
    return cast("Rules", namespace["judge"])


def expression(node: Node, power: int = 0) -> str:
    """`power`: how tightly what stands around it binds."""
    text, own = _spoken(node)
    return f"({text})" if own < power else text


def _spoken(node: Node) -> tuple[str, int]:
    match node:
        case Compare() | Membership() | IsNull():
            return _atom(node), _POWER["compare"]
        case Not(item=IsNull(item=item)):
            return f"{expression(item, 5)} is not None", _POWER["compare"]
        case Not():
            return f"not {expression(node.item, _POWER['not'])}", _POWER["not"]
        case And():
            return _every(node)
        case Or():
            return " or ".join(expression(each, 2) for each in node.parts), _POWER["or"]
        case _:
            return _value(node)


def _value(node: Node) -> tuple[str, int]:
    match node:
        case Const():
            return repr(node.value), 9
        case Name():
            return f'account["{node.name}"]', 9
        case Arithmetic(op=op):
            own = _POWER[op]
            return f"{expression(node.left, own)} {op} {expression(node.right, own + 1)}", own
        case _:
            raise TypeError(f"nobody writes {type(node).__name__} by hand here: teach `_value`")


def _atom(node: Compare | Membership | IsNull) -> str:
    match node:
        case Compare():
            return f"{expression(node.left, 5)} {node.op} {expression(node.right, 5)}"
        case Membership():
            members = ", ".join(repr(each.value) for each in node.values)
            comma = "," if len(node.values) == 1 else ""
            return f"{expression(node.item, 5)} in ({members}{comma})"
        case IsNull():
            return f"{expression(node.item, 5)} is None"


def _every(node: And) -> tuple[str, int]:
    between = _between(node)
    if between is not None:
        return between, _POWER["compare"]
    parts = [
        part
        for part, following in zip(node.parts, [*node.parts[1:], None], strict=True)
        if not _needless(part, following)
    ]
    if len(parts) == 1:
        return _spoken(parts[0])
    return " and ".join(expression(each, _POWER["and"] + 1) for each in parts), _POWER["and"]


def _between(node: And) -> str | None:
    match node.parts:
        case (
            Compare(op=">=", left=Name(name=one), right=low),
            Compare(op="<=", left=Name(name=other) as word, right=high),
        ) if one == other:
            return f"{expression(low, 5)} <= {expression(word)} <= {expression(high, 5)}"
        case _:
            return None


def _needless(guard: Node, following: Node | None) -> bool:
    """`x is not null` right before `x == constant` or `x in [...]`."""
    match guard, following:
        case (
            Not(item=IsNull(item=Name(name=name))),
            Compare(op="==", left=Name(name=compared), right=Const()) | Membership(item=Name(name=compared)),
        ):
            return name == compared
        case _:
            return False
