"""Which promises do not fit: the fewest, against every choice; and until when the others do."""

from datetime import UTC, datetime, timedelta
from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from services.calendar.working_time import open_time
from services.calendar.workload import Work, measure_workload
from tests.unit.calendar.plans import OFFICE

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MONDAY = datetime(2026, 3, 2, 9, tzinfo=UTC)


def promise(name: str, minutes: int, hours: float) -> Work:
    return Work(name, minutes * MINUTE, MONDAY + hours * HOUR, is_promise=True)


@st.composite
def works(draw: st.DrawFn) -> list[Work]:
    count = draw(st.integers(0, 6))
    return [promise(str(n), draw(st.integers(1, 600)), draw(st.integers(1, 60))) for n in range(count)]


def fits(work: list[Work]) -> bool:
    taken = timedelta()
    for each in sorted(work, key=lambda one: one.by):
        taken += each.span
        if taken > open_time(MONDAY, each.by, OFFICE):
            return False
    return True


@given(works())
def test_no_fewer_promises_can_be_left_out_and_the_others_fit_until_the_moment_that_is_named(
    work: list[Work],
) -> None:
    found = measure_workload(work, OFFICE, MONDAY)

    left = [each for each in work if each.id not in found.overloads]
    assert fits(left)
    most = max(size for size in range(len(work) + 1) for kept in combinations(work, size) if fits([*kept]))
    assert len(left) == most
    for each in left:
        until = found.room_until[each.id]
        taken = sum((one.span for one in left if (one.by, one.id) <= (each.by, each.id)), timedelta())
        assert open_time(until, each.by, OFFICE) == taken


def test_what_is_fixed_stays_and_takes_its_time() -> None:
    meeting = Work("meeting", 8 * HOUR, MONDAY + 8 * HOUR, is_promise=False)

    found = measure_workload([meeting, promise("ask", 30, 8), promise("call", 30, 30)], OFFICE, MONDAY)

    assert found.overloads == {
        "ask": "510 minutes of work are to be done by 2026-03-02T17:00:00Z, and 480 are open until then"
    }
    assert found.room_until == {"call": MONDAY + 5 * HOUR + 30 * MINUTE}
