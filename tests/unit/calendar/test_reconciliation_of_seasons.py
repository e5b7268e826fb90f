"""The days of a season are those of the customer, wherever it is: no review in its December (S153, F7)."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from schemas.plans import PlanAdjusted, RhythmItem
from schemas.zones import find_zone
from services.calendar.avoid import periods_for
from services.calendar.customer_days import CustomerPlace
from services.calendar.open_hours import OpenHours
from services.calendar.reconciliation import reconcile
from services.calendar.reconciliation.context import AccountHours, ReconcileContext, find_account_hours
from services.calendar.reconciliation.spec import hash_spec
from services.calendar.touchpoint import OPEN, Touchpoint
from services.scheduler.application.project_rhythms import project_rhythms
from tests.unit.cadence.events import decided, make_event
from tests.unit.calendar.plans import EMPTY, NOW, OFFICE, calendar, plan, rhythm, season_of_days

PLACES = [
    ("Pacific/Auckland", "NZ"),
    ("Australia/Sydney", "AU"),
    ("America/Los_Angeles", "US"),
    ("Pacific/Honolulu", "US"),
    ("Europe/Berlin", "DE"),
]
TIPS = rhythm(1, touchpoint_type="tips", owner="marketing", csm_id=None, topic="education", channel="email")
LAST_DAY = date(2026, 3, 20)
SEASON = season_of_days(date(2026, 3, 10), LAST_DAY)


def shipped_reviews(zone: str, country: str, now: datetime) -> PlanAdjusted:
    described = make_event(
        "account.described", now - timedelta(days=400), arr=300_000, csm_id="ada", currency="USD",
        timezone=zone, country=country,
    )  # fmt: skip
    made = decided(described, now=now).plan
    reviews = tuple(each for each in made.rhythms if each.touchpoint_type == "business_review")
    return PlanAdjusted(
        account_id="acme", version=1, policy="p", decided_at=now, rhythms=reviews, avoid=made.avoid
    )


def hours_at(place: CustomerPlace, csm_zone: str) -> AccountHours:
    return find_account_hours(place, (), OFFICE, {"ada": OpenHours(find_zone(csm_zone))})


def planned(made: PlanAdjusted, hours: AccountHours, now: datetime) -> Iterator[Touchpoint]:
    result = reconcile(ReconcileContext(made, EMPTY, hours, now, now))
    return (each.touchpoint for each in result.changes if each.touchpoint.status in OPEN)


@pytest.mark.parametrize(("zone", "country"), PLACES)
def test_nobody_has_a_review_on_a_day_of_their_december(zone: str, country: str) -> None:
    clock = find_zone(zone)
    hours = hours_at(CustomerPlace(zone, (), country), zone)
    starts = [datetime(2026, 9, 2, tzinfo=UTC) + timedelta(days=2 * number) for number in range(46)]
    starts += [datetime(2026, 12, day, hour, tzinfo=UTC) for day in (1, 30, 31) for hour in (1, 12, 22)]
    starts += [datetime(2027, 1, 1, hour, tzinfo=UTC) for hour in (0, 1, 7)]
    days = [
        each.due_at.astimezone(clock).date()
        for now in starts
        for each in planned(shipped_reviews(zone, country, now), hours, now)
    ]

    assert len(days) > 200
    assert not [day for day in days if day.month == 12]


def due_days(item: RhythmItem, hours: AccountHours, zone: str) -> set[date]:
    made = plan([item], avoid=[SEASON])
    return {each.due_at.astimezone(find_zone(zone)).date() for each in planned(made, hours, NOW)}


EVERY_DAY = rhythm(1, csm_id="ada")


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_a_season_has_the_days_of_the_customer_also_when_its_csm_is_elsewhere(zone: str) -> None:
    days = due_days(EVERY_DAY, hours_at(CustomerPlace(zone), "Europe/Berlin"), zone)

    assert date(2026, 3, 9) in days
    assert not [day for day in days if SEASON.from_.date() <= day <= LAST_DAY]


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "America/Los_Angeles"])
def test_where_the_customer_has_no_zone_they_are_those_of_the_csm(zone: str) -> None:
    days = due_days(EVERY_DAY, hours_at(CustomerPlace(), zone), zone)

    assert {date(2026, 3, 9), date(2026, 3, 23)} <= days
    assert not [day for day in days if SEASON.from_.date() <= day <= LAST_DAY]


def test_a_country_with_several_zones_has_its_season_while_it_is_one_of_its_days_anywhere() -> None:
    zones = ("America/New_York", "Pacific/Honolulu")
    hours = hours_at(CustomerPlace(None, zones, "US"), "Europe/Berlin")
    (period,) = periods_for([SEASON], "check_in", "account", hours.season_zones("csm", "ada"))

    assert (period.from_, period.to) == (
        datetime(2026, 3, 10, 4, tzinfo=UTC),
        datetime(2026, 3, 21, 10, tzinfo=UTC),
    )


def test_messages_wait_for_the_day_after_a_season_where_the_customer_is() -> None:
    hours = hours_at(CustomerPlace("Pacific/Auckland"), "UTC")
    days = due_days(TIPS, hours, "Pacific/Auckland")
    assert {date(2026, 3, 9), date(2026, 3, 21)} <= days
    assert not [day for day in days if date(2026, 3, 10) <= day <= LAST_DAY]

    later = season_of_days(date(2026, 6, 10), date(2026, 6, 20))
    stored = calendar(plan([TIPS], avoid=[later]), hours=hours)
    projected = project_rhythms(
        "acme", stored.series.values(), NOW, to=NOW + timedelta(days=150), zones=(hours.zone,),
        plan=plan([TIPS], avoid=[later]),
    )  # fmt: skip
    projected_days = {each.due_at.astimezone(hours.zone).date() for each in projected}
    assert date(2026, 6, 21) in projected_days
    assert not [day for day in projected_days if date(2026, 6, 10) <= day <= date(2026, 6, 20)]


def test_a_plan_that_names_the_days_of_its_season_is_another_one() -> None:
    hours = hours_at(CustomerPlace("Pacific/Auckland"), "UTC")
    without = SEASON.model_copy(update={"first_on": None, "last_on": None})
    digests = {hash_spec(plan([TIPS], avoid=[each]), hours) for each in (SEASON, without)}

    assert len(digests) == 2
    # A plan of before has no days: its season is what it says, in UTC.
    assert periods_for([without], "tips", "education", (hours.zone,)) == (without,)
