"""Our candidates, made from the same (bit, condition) pairs as the others."""

from collections.abc import Callable, Mapping, Sequence

from services.cadence.account import Plain
from services.cadence.expressions.compile import Health, compile_bits
from services.cadence.expressions.trace import trace
from services.cadence.expressions.tree import Node

Rules = Sequence[tuple[int, Node]]
Account = Mapping[str, Plain]
_NOTHING: Account = {}


def verdict(rules: Rules) -> Callable[[Account], int]:
    """Which rules hold, as bits: one generated function for all."""
    bits = compile_bits(Health(40, 70), rules, frozenset())
    return lambda account: bits(account, _NOTHING)


def explained(rules: Rules) -> Callable[[Account], int]:
    """Which rules hold, put together from the results of their clauses: it has to say what the verdict says."""
    return lambda account: sum(1 << bit for bit, condition in rules if trace(condition, account).holds)
