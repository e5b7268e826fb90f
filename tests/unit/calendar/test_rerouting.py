"""Who keeps a promise instead: the colleague with the most room who has the time before its moment."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from schemas.touchpoints import RiskCause
from services.calendar.deputies import Deputy
from services.calendar.promises import Promise, Risk
from services.calendar.rerouting import find_reroute, is_reroutable
from services.calendar.touchpoint import Origin, Touchpoint, release
from services.calendar.windows import LATE
from tests.unit.calendar.plans import OFFICE, season

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
SATURDAY = datetime(2026, 3, 7, 9, tzinfo=UTC)
END = SATURDAY + DAY
WEEKEND = replace(OFFICE, days=frozenset({5, 6}), person="Ben")
RISK = Risk("closed", "nothing is open")


def late(**changed: object) -> Touchpoint:
    touchpoint = Touchpoint(
        id="ask", account_id="acme", type="advocacy_ask", origin=Origin.ONE_OFF, due_at=SATURDAY + 2 * DAY,
        start_at=SATURDAY, end_at=END, deadline=END + 2 * DAY, owner="csm", csm_id="ada", minutes=30,
        shift=f"{LATE}nothing is open",
    )  # fmt: skip
    return touchpoint._replace(**changed)


def promise(touchpoint: Touchpoint) -> Promise:
    return Promise(touchpoint, END, OFFICE)


def test_who_works_before_the_moment_and_has_most_room_takes_it() -> None:
    deputies = [Deputy("zoe", WEEKEND, 60), Deputy("ben", WEEKEND, 90), Deputy("cy", OFFICE, 0)]

    found = find_reroute(promise(late()), RISK, deputies, (), SATURDAY)

    assert found is not None
    assert (found.csm_id, found.due_at) == ("zoe", SATURDAY)
    assert found.reason == "covered by Ben: nothing is open"


def test_nobody_takes_it_who_is_not_there_or_at_a_time_to_avoid() -> None:
    assert find_reroute(promise(late()), RISK, [Deputy("cy", OFFICE, 0)], (), SATURDAY) is None
    assert find_reroute(promise(late()), RISK, [Deputy("ben", WEEKEND, 0)], [season(0, 30)], SATURDAY) is None
    assert find_reroute(promise(late()), RISK, [Deputy("ben", WEEKEND, 0)], (), END) is None


def test_what_came_due_keeps_its_date_and_needs_the_time_that_it_takes() -> None:
    due = release(late(due_at=SATURDAY - DAY, shift=None), SATURDAY - DAY)
    ben = [Deputy("ben", WEEKEND, 0)]

    found = find_reroute(promise(due), RISK, ben, (), SATURDAY)

    assert found is not None
    assert found.due_at == SATURDAY - DAY
    assert find_reroute(promise(due._replace(minutes=600)), RISK, ben, (), SATURDAY) is None


@pytest.mark.parametrize(
    ("touchpoint", "cause", "expected"),
    [
        (late(), "closed", True),
        (late(), "no_room", False),
        (late(pinned=True), "closed", False),
        (late(shift=None), "away", False),
        (late(owner="automation", csm_id=None), "closed", False),
        (release(late(due_at=SATURDAY, shift=None), SATURDAY), "away", True),
        (release(late(due_at=SATURDAY, shift=None), SATURDAY), "unsettled", False),
    ],
)
def test_only_what_nothing_is_open_for_and_no_person_decided_goes_to_others(
    touchpoint: Touchpoint, cause: RiskCause, *, expected: bool
) -> None:
    assert is_reroutable(promise(touchpoint), Risk(cause, "because")) is expected
