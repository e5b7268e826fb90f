"""Our candidates, made from the same (bit, condition) pairs as the others."""

from collections.abc import Callable, Mapping, Sequence

from services.cadence.account import Plain
from services.cadence.expressions.compile import Health, compile_bits
from services.cadence.expressions.trace import AtomResults, Tracer
from services.cadence.expressions.tree import Node
from services.cadence.features.registry import FEATURES

Rules = Sequence[tuple[int, Node]]
Account = Mapping[str, Plain]
_NOTHING: Account = {}


def verdict(rules: Rules) -> Callable[[Account], int]:
    """Which rules hold, as bits: one generated function for all."""
    bits = compile_bits(Health(40, 70), rules, frozenset())
    return lambda account: bits(account, _NOTHING)


def every_atom(rules: Rules) -> Callable[[Account], tuple[int, AtomResults]]:
    """The same, with the truth of every atom beside it."""
    bits, record = verdict(rules), recorder(rules).record
    return lambda account: (bits(account), record(account))


def recorder(rules: Rules) -> Tracer:
    return Tracer([tree for _, tree in rules], FEATURES)


def explained(rules: Rules) -> Callable[[Account], int]:
    """Which rules hold, put together from the record of their atoms: it has to say what the verdict says."""
    kept = recorder(rules)

    def fired(account: Account) -> int:
        told = kept.record(account)
        return sum(1 << bit for index, (bit, _) in enumerate(rules) if kept.trace(index, told).holds)

    return fired
