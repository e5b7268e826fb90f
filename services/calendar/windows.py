"""How far a person's touchpoint may move from its target so that the work of their weeks is level.

Within the soft window a day costs little, within the hard window more, outside it nothing may stand. The widths are
shares of the interval that were measured to level a book without changing its rhythm (`docs/calendar.md`).
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple

SHORTEST_INTERVAL_DAYS: Final = 3
"""Below it two occurrences would meet: those of a shorter interval stay where they are."""
LEVELLED: Final = "levelled: "
"""How the shift of a touchpoint begins whose day was chosen for the load of its owner's weeks."""

MOVED_EARLY: Final = "moved before its window"
"""How the shift of a one-off begins that takes place earlier than planned."""
LATE: Final = "late: "
"""How the shift begins of what can only be done after its time."""
TIME_OFF: Final = "time off"
"""How the reason begins why a day of somebody is closed on which they are away."""
BUSY: Final = "is busy then"
"""How the reason ends why an hour of somebody is closed for which their own calendar has something else."""
COVERED: Final = "covered by "
"""How the shift of a touchpoint begins that a colleague leads while its person is away."""

SHARED: Final = "shared with "
"""How the shift of a touchpoint begins that a colleague leads because the weeks of its person are full."""

GAVE_WAY: Final = "gave way: "
"""How the reason of a cancellation begins that made room for what goes before it; it may come back."""


def is_by_season(shift: str | None) -> bool:
    """Whether a time to avoid moved a touchpoint with that shift out of its place."""
    moved = shift is not None and shift.startswith(("moved before ", "moved after "))
    return moved and not (shift or "").startswith(MOVED_EARLY)


class LevelWindow(NamedTuple):
    """The hard window, both ends included, and half the width of the soft one in days."""

    earliest_at: datetime
    latest_at: datetime
    soft_days: int

    def around(self, due_at: datetime) -> "LevelWindow":
        """The window stretched to where the touchpoint had to be put."""
        if self.earliest_at <= due_at <= self.latest_at:  # the usual case, fifty times a plan
            return self
        return self._replace(earliest_at=min(self.earliest_at, due_at), latest_at=max(self.latest_at, due_at))


def half_widths(every_days: int, *, never_skip: bool) -> tuple[int, int]:
    """Days from the target to the ends of the soft and of the hard window of an occurrence.

    Hard windows of neighbours never meet: a routine call moves by less than half its interval, what is never skipped
    by a quarter, so that neighbours are never more than one and a half intervals apart.
    """
    soft = max(1, every_days // 5)
    return soft, max(soft, every_days // 4 if never_skip else every_days // 2 - 1)


def occurrence_window(target: datetime, every_days: int, *, never_skip: bool) -> LevelWindow | None:
    """The window of an occurrence of a rhythm; None where it has to stay."""
    if every_days < SHORTEST_INTERVAL_DAYS:
        return None
    soft, hard = half_widths(every_days, never_skip=never_skip)
    width = timedelta(days=hard)
    return LevelWindow(target - width, target + width, soft)


def one_off_window(target: datetime, latest_at: datetime) -> LevelWindow | None:
    """The window of a one-off, which never moves before its target; None where there is no whole day to move."""
    days = (latest_at - target).days
    return LevelWindow(target, latest_at, max(1, days // 2)) if days >= 1 else None
