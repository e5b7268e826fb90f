"""Usage of the last 30 days against the 30 before, whatever the grain and the delay of reports."""

from datetime import date

from schemas.figures import LimitUse, UsageFigures
from services.cadence.account import FactEvent
from tests.unit.cadence.events import DAY, HOUR
from tests.unit.cadence.figures.figures_of import daily, figures_after, report


def usage_after(*events: FactEvent) -> UsageFigures:
    usage = figures_after(*events).usage
    assert usage is not None
    return usage


def test_the_last_30_days_are_compared_with_the_30_before() -> None:
    usage = usage_after(
        *daily(range(30), active_users=60, events=90, seats=100, seats_used=80),
        *daily(range(30, 60), active_users=40, events=60, seats=100, seats_used=50),
    )

    assert (usage.active_users, usage.active_users_before) == (60, 40)
    assert (usage.events, usage.events_before) == (2700, 1800)
    assert (usage.seats, usage.seats_used, usage.seats_used_before) == (100, 80, 50)
    assert (usage.begins_on, usage.ends_on) == (date(2026, 5, 3), date(2026, 6, 1))


def test_who_reports_five_days_late_is_not_shown_as_using_less() -> None:
    usage = usage_after(*daily(range(5, 65), active_users=40, events=10))

    assert usage.ends_on == date(2026, 5, 27)
    assert (usage.active_users, usage.active_users_before) == (40, 40)
    assert (usage.events, usage.events_before) == (300, 300)


def test_days_without_a_report_make_no_fall() -> None:
    reported = [day for day in range(60) if day % 5 or day >= 30]
    usage = usage_after(*daily(reported, events=10))

    assert (usage.events, usage.events_before) == (250, 250)


def test_what_was_never_reported_is_unknown_and_never_zero() -> None:
    usage = usage_after(*daily(range(10), seats_used=5))

    assert usage.model_dump(exclude={"begins_on", "ends_on"}) == {
        "active_users": None,
        "active_users_before": None,
        "seats": None,
        "seats_used": 5,
        "seats_used_before": None,
        "events": None,
        "events_before": None,
        "features": (),
        "limits": (),
        "weeks": (),
    }


def test_usage_that_ended_long_ago_is_not_that_of_the_last_30_days() -> None:
    assert figures_after(*daily(range(36, 90), active_users=3)).usage is None
    assert figures_after().usage is None


def test_hours_are_joined_to_days_and_months_stand_for_their_days() -> None:
    hours = [report(hour * HOUR, HOUR, active_users=20, events=1) for hour in range(12, 61 * 24)]
    by_hours = usage_after(*hours)
    by_months = usage_after(
        report(0 * DAY, 30 * DAY, active_users=20, events=720),
        report(30 * DAY, 30 * DAY, active_users=20, events=720),
    )

    for usage in (by_hours, by_months):
        assert (usage.active_users, usage.active_users_before) == (20, 20)
        assert (usage.events, usage.events_before) == (720, 720)


def test_sources_add_up_and_one_that_is_new_makes_no_rise() -> None:
    old, new = daily(range(60), active_users=40), daily(range(30), "/second", active_users=10)

    assert usage_after(*old, *daily(range(60), "/second", active_users=10)).active_users_before == 50
    both = usage_after(*old, *new)
    assert (both.active_users, both.active_users_before) == (50, None)


def test_features_are_counted_the_most_used_first() -> None:
    usage = usage_after(
        *daily(range(30), features={"export": 2, "search": 5, "unused": 0}),
        *daily(range(30, 60), features={"export": 3}),
    )

    assert [(used.name, used.count, used.before) for used in usage.features] == [
        ("search", 150, 0),
        ("export", 60, 90),
    ]


def test_a_feature_that_a_report_had_no_room_for_is_not_shown_as_unused() -> None:
    many = {f"f{number:02}": 100 for number in range(24)}
    usage = usage_after(
        *daily(range(25), features={**many, "rare": 1}), *daily(range(25, 30), features={"rare": 9})
    )

    assert "rare" not in {used.name for used in usage.features}
    assert len(usage.features) == 10


def test_of_hours_with_features_the_day_counts_each_once() -> None:
    hours = [report(hour * HOUR, HOUR, features={"search": 2}) for hour in range(12, 31 * 24)]

    (search,) = usage_after(*hours).features

    assert (search.count, search.before) == (30 * 24 * 2, None)


def test_limits_are_those_of_the_newest_report_the_most_used_first() -> None:
    usage = usage_after(
        report(1 * DAY, DAY, limits={"storage": {"used": 1, "limit": 10}}),
        report(
            0 * DAY, DAY, limits={"calls": {"used": 9.5, "limit": 10}, "storage": {"used": 2, "limit": 10}}
        ),
        report(2 * DAY, DAY, "/other", limits={"teams": {"used": 3}, "unknown": {"used": None, "limit": 5}}),
    )

    assert usage.limits == (
        LimitUse(name="calls", used=9.5, limit=10),
        LimitUse(name="storage", used=2, limit=10),
        LimitUse(name="teams", used=3, limit=None),
    )


def test_weeks_end_with_the_last_report_and_begin_with_the_first() -> None:
    usage = usage_after(*daily(range(7), active_users=30), *daily(range(14, 21), active_users=20))

    assert [(week.begins_on, week.active_users) for week in usage.weeks] == [
        (date(2026, 5, 12), 20),
        (date(2026, 5, 19), None),
        (date(2026, 5, 26), 30),
    ]
