"""The mail of the day goes at 07:30 of a working day, where the person is."""

from datetime import UTC, datetime, time

from hypothesis import given
from hypothesis import strategies as st

from schemas.directory import CsmRecord
from schemas.times import WEEKDAYS
from services.notifier.domain.working_day import covered_from_to, last_opening, next_opening, zone_of

zones = st.none() | st.sampled_from(
    ("Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia", "Australia/Lord_Howe", "no/zone")
)
days = st.none() | st.lists(st.sampled_from(WEEKDAYS), min_size=1, max_size=7, unique=True).map(tuple)
people = st.none() | st.builds(
    CsmRecord, csm_id=st.just("carl"), timezone=zones, working_days=days, version=st.just(1)
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(person=people, now=moments)
def test_openings_are_at_half_past_seven_of_a_working_day(person: CsmRecord | None, now: datetime) -> None:
    following, last = next_opening(person, now), last_opening(person, now)

    assert last <= now <= following
    for opening in (following, last):
        local = opening.astimezone(zone_of(person))
        assert local.time() == time(7, 30)
        assert WEEKDAYS[local.weekday()] in ((person.working_days if person else None) or WEEKDAYS[:5])


@given(person=people, now=moments)
def test_every_moment_is_in_the_mail_of_one_day(person: CsmRecord | None, now: datetime) -> None:
    first = next_opening(person, now)
    start, end = covered_from_to(person, first)
    second = next_opening(person, end)

    assert start <= first < end
    assert covered_from_to(person, second)[0] == end
