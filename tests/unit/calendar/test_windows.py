"""How far touchpoints may move."""

from datetime import timedelta

import pytest

from services.calendar.windows import half_widths, occurrence_window, one_off_window
from tests.unit.calendar.plans import NOW

DAY = timedelta(days=1)


@pytest.mark.parametrize(("every_days", "widths"), [(7, (1, 2)), (14, (2, 6)), (28, (5, 13)), (3, (1, 1))])
def test_widths_are_shares_of_the_interval(every_days: int, widths: tuple[int, int]) -> None:
    assert half_widths(every_days, never_skip=False) == widths


def test_what_is_never_skipped_moves_by_a_third_of_its_interval_at_most() -> None:
    assert half_widths(90, never_skip=True) == (18, 30)


@pytest.mark.parametrize("every_days", [*range(4, 60), 90, 180, 365])
def test_hard_windows_of_neighbours_never_meet(every_days: int) -> None:
    assert 2 * half_widths(every_days, never_skip=False)[1] < every_days
    assert 2 * half_widths(every_days, never_skip=True)[1] < every_days


def test_a_daily_rhythm_is_not_levelled() -> None:
    assert occurrence_window(NOW, 1, never_skip=False) is None


def test_a_one_off_never_moves_before_its_target_and_stays_when_there_is_no_whole_day() -> None:
    window = one_off_window(NOW, NOW + 9 * DAY)
    assert window is not None
    assert (window.earliest_at, window.latest_at, window.soft_days) == (NOW, NOW + 9 * DAY, 4)
    assert one_off_window(NOW, NOW + DAY / 2) is None


def test_a_window_reaches_to_where_a_season_moved_the_touchpoint() -> None:
    window = occurrence_window(NOW, 28, never_skip=False)
    assert window is not None
    assert window.around(NOW + 40 * DAY).latest_at == NOW + 40 * DAY
