"""Weaker conditions over the features of an event alone, to tell early that no rule can answer it."""

from collections.abc import Callable, Iterable

from services.cadence.expressions.compile import Health, Values, compile_bits
from services.cadence.expressions.tree import And, Node, Not, Or, names

_NO_VALUES: Values = {}


def compile_weakened(
    health: Health, conditions: Iterable[Node], own: frozenset[str]
) -> Callable[[Values], bool]:
    """`may_hold(event_values)`: False only where none of the conditions holds, whatever is true of the account.

    `own`: the features of the event.
    """
    weakened = [weaken(condition, own) for condition in conditions]
    rules = [(bit, condition) for bit, condition in enumerate(weakened) if condition is not None]
    if len(rules) < len(weakened):
        return lambda _event_values: True
    bits = compile_bits(health, rules, own)

    def may_hold(event_values: Values) -> bool:
        try:
            return bits(_NO_VALUES, event_values) != 0
        except TypeError:
            # The guard of this feature against null reads the account, so it is gone.
            return True

    return may_hold


def weaken(condition: Node, own: frozenset[str]) -> Node | None:
    """A condition over `own` alone that holds wherever this one does; None: there is none but `true`."""
    if own.issuperset(names(condition)):
        return condition
    match condition:
        case And() | Or():
            weakened = [weaken(part, own) for part in condition.parts]
            parts = tuple(part for part in weakened if part is not None)
            is_useful = bool(parts) if isinstance(condition, And) else len(parts) == len(weakened)
            return type(condition)(parts, condition.at) if is_useful else None
        case Not(item=Not(item=item)):
            return weaken(item, own)
        case _:
            return None
