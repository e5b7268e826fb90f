"""Loosening: what of a condition can be told from the words of an entry alone, whatever is true of the account."""

from collections.abc import Callable, Iterable

from services.cadence.expressions.compile import Health, Values, compile_bits
from services.cadence.expressions.tree import And, Node, Not, Or, names

Loose = Callable[[Values], bool]
_NO_VALUES: Values = {}


def compile_loose(health: Health, trees: Iterable[Node], own: frozenset[str]) -> Loose:
    """False only where none of these conditions holds for an entry with these words, whoever's entry it is."""
    loose = [loosened(tree, own) for tree in trees]
    rules = [(bit, tree) for bit, tree in enumerate(loose) if tree is not None]
    if len(rules) < len(loose):
        return lambda _words: True
    bits = compile_bits(health, rules, own)

    def may(words: Values) -> bool:
        try:
            return bits(_NO_VALUES, words) != 0
        except TypeError:
            # What guarded this word against null was said of the account.
            return True

    return may


def loosened(tree: Node, own: frozenset[str]) -> Node | None:
    """A condition over `own` alone that holds wherever this one does; None: no such condition says anything."""
    if own.issuperset(names(tree)):
        return tree
    match tree:
        case And():
            found = [loosened(each, own) for each in tree.parts]
            parts = tuple(part for part in found if part is not None)
            return And(parts, tree.at) if parts else None
        case Or():
            found = [loosened(each, own) for each in tree.parts]
            parts = tuple(part for part in found if part is not None)
            return Or(parts, tree.at) if len(parts) == len(found) else None
        case Not(item=Not(item=item)):
            return loosened(item, own)
        case _:
            return None
