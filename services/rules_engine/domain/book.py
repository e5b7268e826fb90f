"""The book: what concerns many accounts at once.

Versioned by its epoch; a change has the sweep decide accounts again.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Book:
    """What `decide` may know beyond the account itself.

    `arr_cutoffs` are the lower bounds of the high and mid-touch shares when segments go by rank;
    None: not ranked.
    """

    epoch: int = 0
    arr_cutoffs: tuple[float, float] | None = None
