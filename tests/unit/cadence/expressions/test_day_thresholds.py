"""The counts of days at which a condition may change."""

from services.cadence.expressions.day_thresholds import day_counts
from services.cadence.expressions.parser import parse


def test_a_count_of_days_inside_a_call_may_change_the_condition_on_any_day() -> None:
    plain = parse("days_since_touch is not null and days_since_touch > 7")
    called = parse("days_since_touch is not null and abs(days_since_touch) > 7")

    assert day_counts([plain]) == {"days_since_touch": (7, 8)}
    assert day_counts([plain, called]) == {"days_since_touch": None}


def test_days_since_a_touchpoint_type_of_the_policy_count_too() -> None:
    tree = parse("days_since_roadmap_day is not null and days_since_roadmap_day >= 90")

    assert day_counts([tree]) == {"days_since_roadmap_day": (90, 91)}
