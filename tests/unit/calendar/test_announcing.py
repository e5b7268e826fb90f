from datetime import timedelta

import pytest

from services.calendar.announcing import ANNOUNCED_AHEAD, INVITED_AHEAD, find_announce_from
from services.calendar.touchpoint import Origin, Status
from tests.unit.calendar.plans import NOW, by_hand

DAY = timedelta(days=1)
FAR = by_hand(NOW + 300 * DAY)._replace(origin=Origin.RHYTHM, pinned=False)


def test_an_occurrence_of_a_rhythm_is_announced_five_weeks_ahead() -> None:
    assert find_announce_from(FAR, (), NOW) == FAR.due_at - ANNOUNCED_AHEAD == FAR.due_at - 35 * DAY


def test_one_that_people_are_invited_to_is_announced_half_a_year_ahead() -> None:
    """S189, X13."""
    assert find_announce_from(FAR, {FAR.type}, NOW) == FAR.due_at - INVITED_AHEAD == FAR.due_at - 183 * DAY
    near = FAR._replace(due_at=NOW + 183 * DAY)
    assert find_announce_from(near, {near.type}, NOW) is None
    assert find_announce_from(near, {"another"}, NOW) is not None


@pytest.mark.parametrize(
    "change", [{"origin": Origin.ONE_OFF}, {"pinned": True}, {"status": Status.DUE}, {"origin": Origin.HAND}]
)
def test_all_else_is_announced_at_once(change: dict[str, object]) -> None:
    assert find_announce_from(FAR._replace(**change), (), NOW) is None
