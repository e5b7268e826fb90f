"""Weeks in which a person works but has no minutes for touchpoints: whatever lies in them alone does not fit."""

from collections.abc import Iterator, Sequence
from fractions import Fraction

from services.calendar.levelling import Book, Conflict, Hold, Touch
from services.calendar.levelling.conflicts import Group
from services.calendar.levelling.model import WEEK
from services.calendar.person_book import DEFAULT_WEEKLY_MINUTES


def find_idle_weeks(book: Book) -> tuple[Conflict, ...]:
    """The weeks of the touches that have no day with minutes, as conflicts in their order, none sharing a week.

    Such weeks hold nothing, so their headcount is that of people with the usual minutes of a week: one for the person,
    and whoever does the touches spread over these weeks.
    """
    placed = [(weeks, touch) for touch in book.touches if (weeks := _weeks_of(book, touch))]
    return tuple(_describe(weeks, touches) for weeks, touches in _join(sorted(placed)))


def _weeks_of(book: Book, touch: Touch) -> tuple[int, ...]:
    """The weeks with an idle day of its window on which the account can be met; none where it has a day with minutes."""
    window = range(max(touch.earliest, 0), touch.latest + 1)
    if touch.hold is Hold.FROZEN or touch.latest >= len(book.day_minutes):
        return ()
    days = [day for day in window if day not in touch.closed]
    if any(book.day_minutes[day] for day in days):
        return ()
    return tuple(sorted({day // WEEK for day in days if day in book.idle}))


def _join(
    placed: Sequence[tuple[tuple[int, ...], Touch]],
) -> Iterator[tuple[tuple[int, ...], list[Touch]]]:
    """Touches by the weeks that they share, directly or by others."""
    weeks: set[int] = set()
    touches: list[Touch] = []
    for own, touch in placed:
        if weeks and own[0] > max(weeks):
            yield tuple(sorted(weeks)), touches
            weeks, touches = set(), []
        weeks.update(own)
        touches.append(touch)
    if touches:
        yield tuple(sorted(weeks)), touches


def _describe(weeks: tuple[int, ...], touches: Sequence[Touch]) -> Conflict:
    sums: dict[tuple[str, str], list[int]] = {}
    for each in touches:
        sums.setdefault((each.kind, each.account_id), []).append(max(each.minutes, 1))
    groups = [Group(*key, len(minutes), sum(minutes)) for key, minutes in sums.items()]
    needed = sum(group.minutes for group in groups)
    longest = max(touches, key=lambda touch: (touch.minutes, touch.priority, touch.id))
    return Conflict(
        weeks[0],
        weeks[-1],
        needed,
        0,
        (longest.id,),
        1 + Fraction(needed, DEFAULT_WEEKLY_MINUTES * len(weeks)),
        tuple(sorted(groups, key=lambda group: (-group.minutes, group.kind, group.account_id))),
        weeks,
    )
