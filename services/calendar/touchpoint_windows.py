"""The windows of touchpoints: only what a person leads, and nobody has pinned, may be levelled."""

from datetime import datetime

from services.calendar.touchpoint import Touchpoint
from services.calendar.windows import LevelWindow


def _movable_window(touchpoint: Touchpoint, window: LevelWindow | None) -> LevelWindow | None:
    is_movable = touchpoint.is_led_by_person and touchpoint.csm_id is not None and not touchpoint.pinned
    return window.around(touchpoint.due_at) if window is not None and is_movable else None


def has_window(touchpoint: Touchpoint, window: LevelWindow | None) -> bool:
    """Whether it has the window that `with_window` would give it."""
    movable = _movable_window(touchpoint, window)
    if movable is None:
        return touchpoint.earliest_at is None
    return movable == (touchpoint.earliest_at, touchpoint.latest_at, touchpoint.soft_days)


def with_window(touchpoint: Touchpoint, window: LevelWindow | None) -> Touchpoint:
    """The touchpoint with the window in which it may be levelled, stretched to where it stands; None: with none."""
    movable = _movable_window(touchpoint, window)
    if movable is None:
        return touchpoint._replace(earliest_at=None, latest_at=None, soft_days=0)
    return touchpoint._replace(
        earliest_at=movable.earliest_at,
        latest_at=movable.latest_at,
        soft_days=movable.soft_days,
    )


def may_return(touchpoint: Touchpoint, now: datetime) -> bool:
    """Whether it gave way and its window has not ended: it comes back when there is room."""
    return touchpoint.gave_way and touchpoint.latest_at is not None and touchpoint.latest_at > now
