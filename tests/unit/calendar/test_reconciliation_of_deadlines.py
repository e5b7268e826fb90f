"""Deadlines of what people owe: in their hours, and before the date that the work protects."""

from datetime import UTC, date, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.plans import About, OneOffItem
from schemas.times import Window
from schemas.zones import find_zone
from services.calendar.open_hours import OpenHours, from_wall
from services.calendar.reconciliation.context import AccountHours
from services.calendar.touchpoint import Origin, Status
from services.calendar.windows import LATE
from tests.unit.calendar.plans import EMPTY, calendar, one_off, plan, reconciled

NOW = datetime(2026, 12, 5, 7, tzinfo=UTC)
KIM = AccountHours(find_zone("Europe/Berlin"), OpenHours(find_zone("Europe/Berlin"), person="Kim"), {})


@st.composite
def steps(draw: st.DrawFn) -> OneOffItem:
    """With a date to protect that comes after its window opens."""
    opens_at = NOW + timedelta(hours=draw(st.integers(-48, 240)))
    to = opens_at + timedelta(hours=draw(st.sampled_from([0, 1, 12, 24, 48, 24 * 7])))
    protected = opens_at.date() + timedelta(days=draw(st.integers(1, 8)))
    return one_off(
        window=Window(from_=opens_at, to=to),
        deadline=draw(st.sampled_from([None, to, to + timedelta(days=3)])),
        topic=draw(st.sampled_from([None, "account"])),
        about=About(contract_id="c1", renews_on=protected),
    )


def test_internal_work_without_an_open_hour_before_the_date_it_protects_is_due_until_that_date() -> None:
    """The last hours before it have passed: it is Saturday morning, and the term ends on Sunday."""
    saturday = datetime(2027, 3, 6, 9, tzinfo=UTC)
    step = one_off(
        topic=None,
        window=Window(from_=saturday, to=saturday + timedelta(days=7)),
        deadline=saturday + timedelta(days=7),
        about=About(contract_id="c1", renews_on=date(2027, 3, 7)),
    )
    (made,) = calendar(plan([], [step], at=saturday), hours=KIM, now=saturday).touchpoints

    assert (made.due_at, made.deadline) == (saturday, datetime(2027, 3, 6, 23, tzinfo=UTC))


@given(
    st.sampled_from(["Pacific/Auckland", "Europe/Berlin", "America/Los_Angeles", "Pacific/Kiritimati"]),
    st.sampled_from([(time(9), time(17)), (time(22), time(6)), (time(13), time(21))]),
    st.frozensets(st.integers(0, 6), min_size=1),
    steps(),
)
def test_what_people_owe_ends_before_the_date_it_protects_unless_it_is_late(
    zone: str, shift: tuple[time, time], days: frozenset[int], step: OneOffItem
) -> None:
    place = find_zone(zone)
    ada = OpenHours(place, days, *shift, person="Ada")
    where = AccountHours(place, ada, {"ada": ada})
    assert step.about is not None
    assert step.about.renews_on is not None
    protected = from_wall(datetime.combine(step.about.renews_on, time()), place)

    for change in reconciled(plan([], [step], at=NOW), EMPTY, where, NOW).changes:
        made = change.touchpoint
        if made.status is Status.PLANNED and made.origin is Origin.ONE_OFF and made.deadline is not None:
            assert (made.shift or "").startswith(LATE) or made.deadline <= protected
