"""What levelling may still move is told by its week or month, beyond six weeks; all else by its time."""

from datetime import UTC, datetime, timedelta

import pytest

from schemas.vocabulary import Owner
from services.calendar.touchpoint import Origin, Touchpoint
from services.scheduler.domain.exactness import exactness_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def touchpoint(
    days: float, window: float | None, *, owner: Owner = "csm", pinned: bool = False
) -> Touchpoint:
    """Due in so many days, in the middle of a window of so many days."""
    due_at = NOW + days * DAY
    half = None if window is None else window / 2 * DAY
    return Touchpoint(
        "t", "acme", "review", Origin.RHYTHM, due_at, due_at, due_at, None, owner, pinned=pinned,
        earliest_at=None if half is None else due_at - half, latest_at=None if half is None else due_at + half,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("one", "exactness"),
    [
        (touchpoint(41.9, 40), "time"),
        (touchpoint(42, 40), "month"),
        (touchpoint(42, 14), "week"),
        (touchpoint(42, 14.1), "month"),
        (touchpoint(300, None), "time"),
        (touchpoint(300, 40, pinned=True), "time"),
        (touchpoint(300, 40, owner="marketing"), "time"),
        (touchpoint(300, 40, owner="automation"), "time"),
        (touchpoint(300, 40, owner="pooled_csm"), "month"),
    ],
)
def test_the_window_decides_beyond_six_weeks(one: Touchpoint, exactness: str) -> None:
    assert exactness_of(one, NOW) == exactness
