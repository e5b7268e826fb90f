"""What the doors count, by kind."""

from collections.abc import Callable

from services.scheduler.application.accept import Tally

Counted = Callable[[str, int], None]


def count_all(tally: Tally, what: str, counted: Counted) -> None:
    """`what` is why those calendars were looked at."""
    counted(what, tally.calendars)
    counted("left_out", tally.left_out)
    counted("stretched", tally.stretched)
