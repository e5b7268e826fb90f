"""What to give up when a book does not fit: as little as possible of what yields first, protected touches last.

Touches are kept by priority as long as everything still fits. For touches of one length no choice keeps more of the
higher priorities: the sets that fit are a transversal matroid. Nothing is given up without a reason.
"""

from typing import NamedTuple

from services.calendar.levelling.demands import Demand, describe_weeks, find_confined, list_demands
from services.calendar.levelling.model import NOWHERE, Book, Hold, check_book
from services.calendar.levelling.week_flow import WeekFlow


class GivenUp(NamedTuple):
    """A touch that finds no room beside what goes before it, and why.

    `needed`: minutes that can lie only in the weeks from `first_week` to `last_week`, its own included. `available`:
    what these weeks hold.
    """

    touch_id: str
    first_week: int
    last_week: int
    needed: int
    available: int
    reason: str


class Relief(NamedTuple):
    """The touches to give up, those of the lowest priority first, none when the book fits; and those that are kept,
    by id.
    """

    given_up: tuple[GivenUp, ...]
    kept: tuple[str, ...]


def relieve(book: Book) -> Relief:
    """What to give up so that the rest fits. Raises InvalidBook.

    Kept first: what is frozen, then by priority, what people are invited to, what stands somewhere, and the shorter ones.
    A touch that gave way before stands nowhere: it takes no room from one like it.
    """
    check_book(book)
    demands, capacity = list_demands(book)
    flow = WeekFlow(capacity)
    kept: list[Demand] = []
    given_up: list[tuple[Demand, GivenUp]] = []
    for demand in sorted(demands, key=_rank):
        missing = flow.push(demand.weeks, demand.minutes)
        if not missing:
            kept.append(demand)
            continue
        reached = sorted(flow.find_reach(demand.weeks))
        flow.take_back(demand.weeks, demand.minutes - missing)
        needed = demand.minutes + sum(each.minutes for each in find_confined(kept, reached))
        available = sum(capacity[week] for week in reached)
        reason = (
            f"no room {describe_weeks(book, reached)}: {available} minutes, "
            f"{needed - demand.minutes} of them needed by what goes before it, {demand.minutes} by itself"
        )
        given_up.append(
            (demand, GivenUp(demand.touch.id, reached[0], reached[-1], needed, available, reason))
        )
    given_up.sort(key=lambda entry: (entry[0].touch.priority, entry[0].touch.id))
    return Relief(tuple(entry for _, entry in given_up), tuple(sorted(each.touch.id for each in kept)))


def _rank(demand: Demand) -> tuple[bool, int, bool, bool, int, str]:
    touch = demand.touch
    is_free, is_nowhere = touch.hold is Hold.FREE, touch.day == NOWHERE
    return touch.hold is not Hold.FROZEN, -touch.priority, is_free, is_nowhere, demand.minutes, touch.id
