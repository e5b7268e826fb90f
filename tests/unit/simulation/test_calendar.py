"""What is kept of the calendar of a simulated account is what the calendar says after each change."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.calendar.touchpoint import Status, Touchpoint
from services.simulation.calendar import LAST, AccountCalendar
from tests.unit.calendar.plans import NOW, by_hand

TYPES = frozenset({"check_in"})


def touch(name: str, days: int, csm_id: str | None, touchpoint_type: str, status: Status) -> Touchpoint:
    return by_hand(NOW + timedelta(days=days))._replace(
        id=name, csm_id=csm_id, type=touchpoint_type, status=status
    )


touches = st.builds(
    touch,
    st.sampled_from("abcd"),
    st.integers(-3, 3),
    st.sampled_from([None, "ada", "bob"]),
    st.sampled_from(["check_in", "tips"]),
    st.sampled_from([Status.PLANNED, Status.DUE, Status.CANCELLED]),
)


@given(st.lists(touches), st.lists(touches | st.sampled_from("abcd"), max_size=12))
def test_after_each_change_the_answers_are_those_of_the_calendar_itself(
    first: list[Touchpoint], changes: list[Touchpoint | str]
) -> None:
    calendar = AccountCalendar(first)
    for change in changes:
        if isinstance(change, Touchpoint):
            calendar[change.id] = change
        elif change in calendar:
            del calendar[change]
        planned = [each for each in calendar.values() if each.status is Status.PLANNED]
        assert calendar.planned == planned
        assert calendar.first_due_at == min((each.due_at for each in planned), default=LAST)
        assert calendar.led_by("ada") == [
            each for each in planned if each.csm_id == "ada" and each.is_led_by_person
        ]
        assert calendar.of_types(TYPES) == [each for each in planned if each.type in TYPES]
        assert calendar.of_types(frozenset()) == []
