"""A history to replay: accounts, and for each of them a row of events that change some of what is known.

What the rules decide acts back: a touch is made, a review is held, the customer is asked less often. So the k-th event
of an account can only be judged after its (k-1)-th, while accounts are strangers to each other.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from services.cadence.account import Plain
from services.cadence.expressions.tree import Node, names
from tests.benchmarks.rules.accounts import accounts
from tests.benchmarks.rules.rulebook import FIRST, trees

EVENTS: dict[str, tuple[float, tuple[str, ...]]] = {
    "usage": (
        0.60,
        (
            "active_users",
            "seat_ratio",
            "limit_ratio",
            "usage_change",
            "usage_spike_ratio",
            "days_since_usage",
        ),
    ),
    "health": (0.14, ("health_score", "color")),
    "nps": (0.06, ("nps_score", "nps_trend")),
    "contract": (
        0.06,
        ("days_to_renewal", "contract_status", "contract_signed", "auto_renew", "stage", "arr"),
    ),
    "touchpoint": (0.14, ("declines_in_row", "attendance_rate", "open_rate", "click_rate")),
}
"""Per kind of event its share, and the words it tells anew."""
AGEING = ("days_since_touch", "days_since_check_in", "days_since_business_review")
"""A day passes between two events of an account."""
TOUCH = (0, 1, 5, 8, 10, 23, 26, 38, 43, 44)
"""By number: rules that have somebody call, so that a touch and a check-in were just now."""
REVIEW = (45,)
RELIEF = (38, 40)
"""Rules that answer declines: they are counted anew."""
WISHES = ((39, "weekly"), (9, "monthly"), (40, "quarterly"))
"""The first of these that holds sets how often the customer hears from us."""


@dataclass(frozen=True, slots=True)
class History:
    """`kinds` and `donors` by wave and account: which event, and from whose book what it tells is copied."""

    rules: tuple[tuple[int, Node], ...]
    words: tuple[str, ...]
    portfolio: list[dict[str, Plain]]
    kinds: NDArray[np.int8]
    donors: NDArray[np.intp]

    @property
    def size(self) -> int:
        return self.kinds.size


@dataclass(frozen=True, slots=True)
class Replayed:
    """What the accounts came to, as columns, how often each rule held, and the processor's seconds."""

    state: dict[str, NDArray[np.float64] | NDArray[np.int32]]
    held: list[int]
    seconds: float

    def same(self, other: "Replayed") -> bool:
        return self.held == other.held and all(
            np.array_equal(column, other.state[name], equal_nan=column.dtype.kind == "f")
            for name, column in self.state.items()
        )


def history(many: int, waves: int) -> History:
    """`waves` events for each of `many` accounts, the same in every run."""
    dice = np.random.default_rng(5)
    rules = tuple(trees(list(FIRST)))
    told = {name for _, each in EVENTS.values() for name in each}
    words = tuple(sorted({name for _, tree in rules for name in names(tree)} | told | set(AGEING)))
    shares = [share for share, _ in EVENTS.values()]
    kinds = dice.choice(len(EVENTS), (waves, many), p=shares).astype(np.int8)
    donors = dice.integers(0, many, (waves, many)).astype(np.intp)
    return History(rules, words, accounts(many, words), kinds, donors)
