"""Sampling: values near the constants of a condition, tried in a fixed order where analysis gives no answer."""

from collections.abc import Mapping

from services.cadence.account import Plain
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.ranges import domain_of
from services.cadence.expressions.tree import Node, names
from services.cadence.features.registry import Feature
from services.cadence.lint.trees import constants

TRIED = 200
_MODULUS, _FACTOR = 2**31 - 1, 48_271


class Dice:
    """The same throws every time."""

    def __init__(self, seed: int = 1) -> None:
        self._state = seed

    def pick(self, count: int) -> int:
        self._state = self._state * _FACTOR % _MODULUS
        return self._state % count


def sampled(tree: Node, words: Mapping[str, Feature]) -> dict[str, Plain] | None:
    """Values of the words read under which it holds, if any are found."""
    near = constants(tree)
    numbers = [each for each in near if isinstance(each, int | float) and not isinstance(each, bool)]
    texts = [each for each in near if isinstance(each, str)]
    offered: dict[str, tuple[Plain, ...]] = {}
    for name in names(tree):
        held = domain_of(words[name])
        offered[name] = held.samples(numbers if held.number else texts if held.only is None else ())
    dice = Dice()
    for _ in range(TRIED):
        values = {name: options[dice.pick(len(options))] for name, options in offered.items()}
        if holds(tree, values):
            return values
    return None
