"""How many minutes fit into weeks when each demand has its own weeks: a maximum flow, built demand by demand.

Demands with the same weeks are one class. A demand that finds its weeks full pushes others along chains of weeks; when
that ends, the weeks that it reached are full of demands that fit nowhere else: the proof that there is no room
(Hall's condition). Whole numbers of any size.
"""

from collections.abc import Iterable, Sequence

Weeks = tuple[int, ...]


class WeekFlow:
    """Minutes of demands placed into weeks, each demand split over its weeks as is needed."""

    def __init__(self, capacity: Sequence[int]) -> None:
        self._spare = list(capacity)
        self._placed: dict[Weeks, dict[int, int]] = {}
        self._of_week: list[list[Weeks]] = [[] for _ in capacity]

    def push(self, weeks: Weeks, minutes: int) -> int:
        """Place minutes into these weeks, moving others where needed; the minutes that found no room."""
        if weeks not in self._placed:
            self._placed[weeks] = {}
            for week in weeks:
                self._of_week[week].append(weeks)
        for week in weeks:
            minutes -= self._fill(weeks, week, min(self._spare[week], minutes))
        while minutes:
            came_from, end = self._search(weeks)
            if end is None:
                break
            minutes -= self._push_along(weeks, self._trace(came_from, end), minutes)
        return minutes

    def take_back(self, weeks: Weeks, minutes: int) -> None:
        """Remove minutes of this class that were placed before."""
        for week, placed in [*self._placed[weeks].items()]:
            taken = min(placed, minutes)
            self._fill(weeks, week, -taken)
            minutes -= taken

    def find_reach(self, weeks: Weeks) -> set[int]:
        """The weeks that a demand which found no room reaches: all of them are full."""
        return set(self._search(weeks)[0])

    def _fill(self, weeks: Weeks, week: int, minutes: int) -> int:
        placed = self._placed[weeks]
        placed[week] = placed.get(week, 0) + minutes
        self._spare[week] -= minutes
        return minutes

    def _search(self, weeks: Weeks) -> tuple[dict[int, tuple[int, Weeks]], int | None]:
        """Breadth first from these weeks to the first with room.

        By reached week the week before it and the class that moves from there; a week of the start came from itself.
        """
        came_from = {week: (week, weeks) for week in weeks}
        expanded = {weeks}
        queue = list(weeks)
        for week in queue:
            if self._spare[week]:
                return came_from, week
            for other in self._of_week[week]:
                if other not in expanded and self._placed[other].get(week):
                    expanded.add(other)
                    for target in other:
                        if target not in came_from:
                            came_from[target] = week, other
                            queue.append(target)
        return came_from, None

    @staticmethod
    def _trace(came_from: dict[int, tuple[int, Weeks]], end: int) -> list[tuple[int, Weeks, int]]:
        """The moves that make room, last first: (from, class, to)."""
        moves: list[tuple[int, Weeks, int]] = []
        while came_from[end][0] != end:
            before, mover = came_from[end]
            moves.append((before, mover, end))
            end = before
        return moves

    def _push_along(self, weeks: Weeks, moves: Sequence[tuple[int, Weeks, int]], minutes: int) -> int:
        end, start = moves[0][2], moves[-1][0]
        amount = min(minutes, self._spare[end], *(self._placed[mover][source] for source, mover, _ in moves))
        for source, mover, target in moves:
            self._fill(mover, source, -amount)
            self._fill(mover, target, amount)
        return self._fill(weeks, start, amount)


def find_overfull(demands: Iterable[tuple[Weeks, int]], capacity: Sequence[int]) -> set[int]:
    """The weeks that some demands together overfill, as few as prove it; empty when all fit."""
    flow = WeekFlow(capacity)
    without_room = [weeks for weeks, minutes in demands if flow.push(weeks, minutes)]
    return {week for weeks in without_room for week in flow.find_reach(weeks)}
