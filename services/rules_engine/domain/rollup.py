"""What the accounts below a parent add up to. What nobody knows is null, never 0."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from services.cadence.account import DAY, Facts
from services.cadence.account.relation import CLOSED, relate
from services.cadence.account.stamps import EPOCH_ORDINAL

_FROM_WORST: Final = ("red", "yellow", "green")
_NOT_RENEWED: Final = CLOSED | {"draft", "superseded"}


@dataclass(frozen=True, slots=True)
class Child:
    """An account directly below the parent. `arr`: its yearly revenue, None when it is not known."""

    color: str | None
    arr: float | None
    facts: Facts


def roll_up(children: Sequence[Child], today: date) -> dict[str, object] | None:
    """As the API returns it; None for an account without children.

    `arr`: the sum of the known revenues; `arr_unknown`: of how many children it is not known.
    """
    if not children:
        return None
    revenues = [child.arr for child in children if child.arr is not None]
    colors = {child.color for child in children}
    renewals = [day for child in children for day in _renewals(child.facts, today) if day >= today]
    return {
        "children": len(children),
        "arr": sum(revenues) if revenues else None,
        "arr_unknown": len(children) - len(revenues),
        "worst_color": next((color for color in _FROM_WORST if color in colors), None),
        "next_renewal_on": min(renewals, default=None),
    }


def _renewals(facts: Facts, today: date) -> list[date]:
    """When the terms of the contracts that are in force end."""
    at = (today.toordinal() - EPOCH_ORDINAL) * DAY
    days = [
        standing.term.ends_on
        for standing in relate(facts.contracts, at).standings
        if standing.state not in _NOT_RENEWED
    ]
    return [date.fromordinal(day + EPOCH_ORDINAL) for day in days if day is not None]
