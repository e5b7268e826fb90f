"""Deciding features: those that are enough for a condition to have the result it has, whatever the others become."""

from collections.abc import Callable
from collections.abc import Set as AbstractSet

from services.cadence.expressions import tree
from services.cadence.expressions.trace import Trace
from services.cadence.expressions.tree import names


def deciding_names(truth: Trace, price: Callable[[AbstractSet[str]], int]) -> frozenset[str]:
    """Of a chain of `and` that is false the cheapest false part is enough, of `or` that is true the cheapest true one.

    A checked condition never fails on a null, so that what is left out may become anything.
    """
    match truth.node:
        case tree.And() if truth.holds is False:
            enough = [deciding_names(part, price) for part in truth.parts if part.holds is False]
        case tree.Or() if truth.holds is True:
            enough = [deciding_names(part, price) for part in truth.parts if part.holds is True]
        case node:
            if truth.holds is None or not truth.parts:
                return frozenset(names(node))
            return frozenset[str]().union(*(deciding_names(part, price) for part in truth.parts))
    return min(enough, key=price)
