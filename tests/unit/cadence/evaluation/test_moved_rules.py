"""A rhythm by the calendar whose interval changes stays one: in weeks, months and years."""

import pytest

from services.cadence.evaluation.moved_rules import rule_of_interval
from services.cadence.expressions.parser import parse
from services.cadence.policy import Rhythm
from services.cadence.policy.intervals import read_interval


@pytest.mark.parametrize(
    ("every", "days", "rule"),
    [
        ("week on wednesday", 7, "FREQ=WEEKLY;BYDAY=WE"),
        ("week on wednesday", 14, "FREQ=WEEKLY;INTERVAL=2;BYDAY=WE"),
        ("week on wednesday", 30, "FREQ=MONTHLY;BYDAY=1WE"),
        ("week on wednesday", 90, "FREQ=MONTHLY;INTERVAL=3;BYDAY=1WE"),
        ("week on wednesday", 365, "FREQ=YEARLY"),
        ("week on wednesday", 10, None),
        ("week", 30, "FREQ=MONTHLY"),
        ("month", 7, "FREQ=WEEKLY"),
        ("month", 90, "FREQ=MONTHLY;INTERVAL=3"),
        ("month", 1, None),
        ("month on 15", 60, "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=15"),
        ("month on last friday", 7, "FREQ=WEEKLY;BYDAY=FR"),
        ("quarter on first tuesday", 30, "FREQ=MONTHLY;BYDAY=1TU"),
        ("30d", 90, None),
    ],
)
def test_a_wished_interval_has_the_rule_of_its_unit(every: str, days: int, rule: str | None) -> None:
    """S134, S143: who wishes a Wednesday mail once a month gets it on a Wednesday."""
    interval = read_interval(every)
    rhythm = Rhythm(
        rule="tips", when=parse("true"), because="So it is.", touchpoint="tips", every_days=interval.days,
        rrule=interval.rrule,
    )  # fmt: skip
    assert rule_of_interval(rhythm, days) == rule
