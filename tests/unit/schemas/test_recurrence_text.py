"""How often a rhythm is, in plain English."""

import pytest

from schemas.recurrence_text import interval_text


@pytest.mark.parametrize(
    ("days", "rule", "text"),
    [
        (1, None, "every day"),
        (14, None, "every 14 days"),
        (1, "FREQ=DAILY", "every day"),
        (3, "FREQ=DAILY;INTERVAL=3", "every 3 days"),
        (7, "FREQ=WEEKLY;BYDAY=WE", "every Wednesday"),
        (7, "FREQ=WEEKLY", "every week"),
        (4, "FREQ=WEEKLY;BYDAY=MO,TH", "every Monday and Thursday"),
        (1, "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every day from Monday to Friday"),
        (14, "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", "every 2 weeks on Tuesday"),
        (30, "FREQ=MONTHLY", "every month"),
        (30, "FREQ=MONTHLY;BYMONTHDAY=15", "on the 15th of each month"),
        (15, "FREQ=MONTHLY;BYMONTHDAY=1,-1", "on the 1st and the last day of each month"),
        (30, "FREQ=MONTHLY;BYDAY=-1FR", "on the last Friday of each month"),
        (30, "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=1", "on the first weekday of each month"),
        (60, "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=22", "every 2 months on the 22nd"),
        (90, "FREQ=MONTHLY;INTERVAL=3", "every quarter"),
        (90, "FREQ=MONTHLY;BYMONTH=1,4,7,10;BYDAY=1MO", "on the first Monday of each quarter"),
        (
            90,
            "FREQ=MONTHLY;BYMONTH=3,6,9,12;BYDAY=-1FR",
            "on the last Friday of the last month of each quarter",
        ),
        (180, "FREQ=MONTHLY;BYMONTH=1,7", "every month of January and July"),
        (365, "FREQ=YEARLY", "every year"),
        (365, "FREQ=YEARLY;BYMONTH=3;BYMONTHDAY=15", "on the 15th of March each year"),
        (213, "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", "by the rule FREQ=MONTHLY;BYMONTHDAY=13;BYDAY=FR"),
        (7, "FREQ=NEVER", "every 7 days (FREQ=NEVER)"),
    ],
)
def test_an_interval_is_said_in_its_usual_words(days: int, rule: str | None, text: str) -> None:
    assert interval_text(days, rule) == text
