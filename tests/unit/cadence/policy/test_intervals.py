"""How a policy writes how often a rhythm is: days, units of the calendar, recurrence rules."""

import re

import pytest

from schemas.recurrence_text import interval_text
from services.cadence.policy.intervals import read_interval


@pytest.mark.parametrize(
    ("written", "days", "text"),
    [
        ("14d", 14, "every 14 days"),
        ("week", 7, "every week"),
        ("2 weeks", 14, "every 2 weeks"),
        ("week on wednesday", 7, "every Wednesday"),
        ("Week on Wednesday", 7, "every Wednesday"),
        ("week on monday and thursday", 4, "every Monday and Thursday"),
        ("2 weeks on tuesday", 14, "every 2 weeks on Tuesday"),
        ("month", 30, "every month"),
        ("6 months", 180, "every 6 months"),
        ("month on 15", 30, "on the 15th of each month"),
        ("month on 1st, 15th", 15, "on the 1st and the 15th of each month"),
        ("month on last day", 30, "on the last day of each month"),
        ("month on last friday", 30, "on the last Friday of each month"),
        ("month on first weekday", 30, "on the first weekday of each month"),
        ("quarter", 90, "every quarter"),
        ("quarter on first monday", 90, "on the first Monday of each quarter"),
        ("quarter on last friday", 90, "on the last Friday of the last month of each quarter"),
        ("year", 365, "every year"),
        ("year on 15 march", 365, "on the 15th of March each year"),
        ("FREQ=MONTHLY;BYDAY=2TU", 30, "on the second Tuesday of each month"),
        ({"rrule": "FREQ=MONTHLY;BYDAY=2TU"}, 30, "on the second Tuesday of each month"),
    ],
)
def test_an_interval_is_read_with_its_mean_days(written: object, days: int, text: str) -> None:
    """S1, S134: how often and in what pattern."""
    interval = read_interval(written)
    assert interval.days == days
    assert interval_text(*interval) == text


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("monthly", "not 'monthly'; did you mean 'month'?"),
        ("fortnightly", "did you mean '2 weeks'?"),
        ("2 days", "did you mean '2d'?"),
        ("3w", "did you mean '3 weeks'?"),
        ("36h", "whole days are expected here"),
        ("0 weeks", "an interval is at least 1 week"),
        (
            "week on wed",
            "a weekday such as wednesday is expected after `on`, not 'wed'; did you mean 'wednesday'?",
        ),
        ("week on 3", "a weekday such as wednesday is expected"),
        ("month on friday", "did you mean 'first friday'?"),
        ("month on 32", "BYMONTHDAY=32: a number from 1 to 31"),
        ("month on sixth monday", "a day of the month such as 15"),
        ("month on first weekday and last friday", "make two rules of them"),
        ("2 quarters on first monday", "leave the number out, or use months"),
        ("quarter on first monday and last friday", "all `last` or none of them"),
        ("year on monday", "a day of the year such as `15 march`"),
        ("year on 31 february", "there is no day 31 in month 2"),
        ("20 years", "more than 3650 days apart"),
        ("FREQ=HOURLY", "use DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("FREQ=DAILY;COUNT=3", "a rhythm has no end of its own"),
        ("RRULE:FREQ=DAILY", "write the rule alone, from FREQ= on"),
        ({"rrule": "FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2"}, "falls on no day"),
        ({"rule": "FREQ=DAILY"}, "has the one key `rrule`"),
        (["7d"], "a text is expected here"),
    ],
)
def test_another_text_is_refused_with_what_to_write(written: object, message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        read_interval(written)
