"""Labels are right to the unit, and relative to the time they are given."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from services.console import labels

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("distance", "expected"),
    [
        (timedelta(), "just now"),
        (timedelta(seconds=-30), "just now"),
        (timedelta(seconds=30), "now"),
        (timedelta(minutes=3), "in 3 minutes"),
        (timedelta(minutes=-1), "1 minute ago"),
        (timedelta(hours=2), "in 2 hours"),
        (timedelta(hours=23, minutes=59, seconds=50), "in 1 day"),
        (timedelta(days=6, hours=23, minutes=58), "in 7 days"),
        (timedelta(days=45), "in 45 days"),
        (timedelta(days=-120), "4 months ago"),
        (timedelta(days=-365), "1 year ago"),
        (timedelta(days=800), "in 2 years"),
    ],
)
def test_a_distance_is_given_in_its_largest_unit(distance: timedelta, expected: str) -> None:
    assert labels.relative(NOW + distance, NOW) == expected


@pytest.mark.parametrize(
    ("when", "expected"),
    [
        (date(2026, 11, 23), "today"),
        (date(2026, 11, 24), "tomorrow"),
        (date(2026, 11, 22), "Sun 22 Nov"),
        (date(2027, 1, 4), "Mon 4 Jan 2027"),
    ],
)
def test_a_day_is_named_as_people_name_it(when: date, expected: str) -> None:
    assert labels.day(when, NOW.date()) == expected


def test_an_instant_shows_its_zone_and_its_distance() -> None:
    assert labels.when(NOW + timedelta(days=7), NOW) == "Mon 30 Nov, 14:30 UTC (in 7 days)"
    assert labels.when(NOW + timedelta(hours=-2), NOW) == "today 12:30 UTC (2 hours ago)"


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (1, "real time"),
        (60, "1 minute per second"),
        (43_200, "12 hours per second"),
        (86_400, "1 day per second"),
        (0.5, "0.5 times real time"),
    ],
)
def test_the_speed_of_the_service_clock_is_shown(rate: float, expected: str) -> None:
    assert labels.rate(rate) == expected


@pytest.mark.parametrize(
    ("fact", "expected"),
    [
        (310_000.0, "310,000"),
        (0.25, "0.25"),
        (True, "yes"),
        (None, "unknown"),
        ([], "none"),
        (["a", 2], "a, 2"),
        ({"a": 1}, '{"a":1}'),
        ("", "(empty)"),
    ],
)
def test_a_value_is_readable_whatever_its_kind(fact: object, expected: str) -> None:
    assert labels.value(fact) == expected


def test_names_become_titles() -> None:
    assert labels.title("business_review") == "Business review"
    assert labels.title("nps") == "NPS"
    assert labels.title("") == ""


def test_an_owner_is_a_person_when_one_is_assigned() -> None:
    assert labels.owner("csm", "csm-joe") == "csm-joe"
    assert labels.owner("csm", None) == "unassigned"
    assert labels.owner("pooled_csm", "csm-joe") == "csm-joe (pool)"
    assert labels.owner("pooled_csm", None) == "CSM pool"
    assert labels.owner("automation", None) == "automation"


def test_a_rule_names_a_kind_of_owner() -> None:
    assert [labels.owner_kind(kind) for kind in ("csm", "pooled_csm", "sales")] == [
        "CSM",
        "CSM pool",
        "sales",
    ]


def test_a_channel_and_an_owner_are_one_phrase() -> None:
    assert labels.channel_and_owner("in_app", "CSM pool") == "In-app · CSM pool"
    assert labels.channel_and_owner("call", "") == "Call"


@pytest.mark.parametrize(
    ("days", "expected"),
    [
        (1, "every day"),
        (7, "every week"),
        (14, "every 2 weeks"),
        (35, "every 35 days"),
        (365, "every year"),
    ],
)
def test_an_interval_is_given_in_its_usual_words(days: int, expected: str) -> None:
    assert labels.interval(days) == expected


def test_a_listing_reads_like_a_sentence() -> None:
    assert labels.listing([]) == ""
    assert labels.listing(["a"]) == "a"
    assert labels.listing(["a", "b", "c"]) == "a, b and c"


@pytest.mark.parametrize(
    ("zone", "expected"),
    [
        ("Europe/Berlin", "tomorrow 00:30 CET"),
        ("America/Sao_Paulo", "today 20:30 GMT-03"),
        ("UTC", "today 23:30 UTC"),
    ],
)
def test_an_instant_is_shown_in_the_zone_of_now_with_its_own_day(zone: str, expected: str) -> None:
    now = NOW.astimezone(ZoneInfo(zone))
    moment = NOW.replace(hour=23)

    assert labels.stamp(moment, now) == expected
    assert labels.clock_time(moment, now) in expected
    assert labels.in_utc(moment.astimezone(now.tzinfo)) == "2026-11-23 23:30 UTC"


def test_dates_in_a_sentence_are_written_as_people_write_them() -> None:
    assert labels.with_dates("Renews on 2026-12-01; 60 days before") == "Renews on 1 Dec 2026; 60 days before"
    assert labels.with_dates("2026-02-30, week 2026-W14") == "2026-02-30, week 2026-W14"
