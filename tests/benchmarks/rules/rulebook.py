"""Rules of customer success over the real vocabulary, any number of them, the same in every run.

The first fifty stand in fifty.txt; the others are their variants with other thresholds and other members of a choice, as
the rules of a grown policy are. Each is sound by the checker.
"""

import random
import re
from pathlib import Path

from services.cadence.expressions.checker import check
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import ExpressionError, Node
from services.cadence.features.registry import FEATURES

FIRST = tuple(Path(__file__).with_name("fifty.txt").read_text().splitlines())
_CONSTANT = re.compile(r'"[a-z_]+"|(?<![a-z_\d])\d[\d_]*(?:\.\d+)?')
_CHOICES = [word.values for word in FEATURES.values() if word.kind == "choice"]


def rulebook(count: int) -> list[str]:
    """`count` conditions, all different."""
    dice = random.Random(3)
    found = dict.fromkeys(FIRST[:count])
    while len(found) < count:
        text = _CONSTANT.sub(lambda match: _varied(match.group(), dice), dice.choice(FIRST))
        if sound(text):
            found[text] = None
    return list(found)


def trees(conditions: list[str]) -> list[tuple[int, Node]]:
    """(bit, condition) as the compiler takes them."""
    return [(bit, parse(text)) for bit, text in enumerate(conditions)]


def sound(condition: str) -> bool:
    try:
        return not check(parse(condition), FEATURES)
    except ExpressionError:
        return False


def _varied(constant: str, dice: random.Random) -> str:
    if constant.startswith('"'):
        own = next(values for values in _CHOICES if constant[1:-1] in values)
        return f'"{dice.choice(own)}"'
    value = float(constant.replace("_", "")) * dice.uniform(0.6, 1.5)
    return f"{value:.2f}" if "." in constant else str(round(value))
