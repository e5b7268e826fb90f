"""The dates of rules, against a scan over all days that follows the definition."""

from calendar import monthrange
from datetime import date, timedelta
from itertools import islice, pairwise, takewhile

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from schemas.recurrence_dates import iterate_dates, mean_days, read_rule
from schemas.recurrence_rule import WEEKDAYS, InvalidRule, RecurrenceRule

DAY = timedelta(days=1)


def period_of(rule: RecurrenceRule, day: date) -> int:
    """The number of the day, the week, the month or the year."""
    numbers = {
        "DAILY": day.toordinal(),
        "WEEKLY": (day - timedelta(days=day.weekday())).toordinal() // 7,
        "MONTHLY": 12 * day.year + day.month,
        "YEARLY": day.year,
    }
    return numbers[rule.frequency]


def names(rule: RecurrenceRule, anchor: date, day: date) -> bool:
    """Whether its parts name the day, without regard to INTERVAL and BYSETPOS."""
    length = monthrange(day.year, day.month)[1]
    months, month_days, weekdays = rule.months, rule.month_days, rule.weekdays
    if not rule.has_day and rule.frequency == "WEEKLY":
        weekdays = ((0, anchor.weekday()),)
    elif not rule.has_day:
        month_days = (anchor.day,)
        months = months or ((anchor.month,) if rule.frequency == "YEARLY" else ())
    is_last_for_longer = not (rule.weekdays or rule.positions)
    days = {length + 1 + number if number < 0 else number for number in month_days}
    days = {min(number, length) for number in days} if is_last_for_longer else days
    return (
        (not months or day.month in months)
        and (not month_days or day.day in days)
        and (not weekdays or any(is_weekday(rule, which, number, day) for which, number in weekdays))
    )


def is_weekday(rule: RecurrenceRule, which: int, number: int, day: date) -> bool:
    if day.weekday() != number or which == 0:
        return day.weekday() == number
    of_month = rule.frequency == "MONTHLY" or rule.months
    first = day.replace(day=1) if of_month else date(day.year, 1, 1)
    last = day.replace(day=monthrange(day.year, day.month)[1]) if of_month else date(day.year, 12, 31)
    return which in (1 + (day - first).days // 7, -1 - (last - day).days // 7)


def scan(rule: RecurrenceRule, anchor: date, first: date, last: date) -> list[date]:
    """Every day from first to last that the rule falls on."""
    begin = date(first.year - 1, 12, 1)
    days = [begin + n * DAY for n in range((date(last.year + 1, 1, 31) - begin).days)]
    named = [day for day in days if names(rule, anchor, day)]
    if rule.positions:
        by_period: dict[int, list[date]] = {}
        for day in named:
            by_period.setdefault(period_of(rule, day), []).append(day)
        named = [
            day
            for of_period in by_period.values()
            for place, day in enumerate(of_period)
            if place + 1 in rule.positions or place - len(of_period) in rule.positions
        ]
    start = period_of(rule, anchor)
    in_turn = (day for day in named if (period_of(rule, day) - start) % rule.interval == 0)
    return sorted(day for day in in_turn if first <= day <= last)


@st.composite
def rule_texts(draw: st.DrawFn) -> str:
    parts = [f"FREQ={draw(st.sampled_from(['DAILY', 'WEEKLY', 'MONTHLY', 'YEARLY']))}"]
    parts += draw(st.sampled_from([[], ["INTERVAL=2"], ["INTERVAL=3"], ["INTERVAL=13"]]))
    numbers = {
        "BYMONTHDAY": st.integers(-28, 31),
        "BYMONTH": st.integers(1, 12),
        "BYSETPOS": st.integers(-3, 3),
    }
    for name, values in numbers.items():
        chosen = draw(st.lists(values.filter(bool), max_size=3))
        parts += [f"{name}={','.join(map(str, chosen))}"] if chosen and draw(st.booleans()) else []
    which = st.sampled_from(["1", "2", "5", "-1", "-2"]) if draw(st.booleans()) else st.just("")
    days = draw(st.lists(st.tuples(which, st.sampled_from(WEEKDAYS)).map("".join), max_size=3))
    return ";".join([*parts, *([f"BYDAY={','.join(days)}"] if days else [])])


def readable(text: str) -> RecurrenceRule | None:
    try:
        return read_rule(text)
    except InvalidRule:
        return None


@given(
    rule_texts(),
    st.dates(date(2023, 1, 1), date(2028, 12, 31)),
    st.integers(0, 800),
)
def test_the_dates_are_those_of_a_scan_over_all_days(text: str, anchor: date, days: int) -> None:
    rule = readable(text)
    assume(rule is not None)
    assert rule is not None
    first = anchor + days * DAY
    last = first + 400 * DAY

    found = list(takewhile(lambda day: day <= last, iterate_dates(rule, anchor, first)))

    assert found == scan(rule, anchor, first, last), f"{text} from {anchor}"
    assert all(one < other for one, other in pairwise(found))


@given(rule_texts(), st.dates(date(2023, 1, 1), date(2028, 12, 31)), st.integers(0, 2000))
def test_a_later_start_gives_the_same_dates(text: str, anchor: date, days: int) -> None:
    rule = readable(text)
    assume(rule is not None)
    assert rule is not None
    first = anchor + days * DAY

    from_anchor = (day for day in iterate_dates(rule, anchor, anchor) if day >= first)

    assert list(islice(iterate_dates(rule, anchor, first), 5)) == list(islice(from_anchor, 5))


def test_a_monthly_rule_does_not_drift_through_the_month() -> None:
    rule = read_rule("FREQ=MONTHLY")
    found = list(islice(iterate_dates(rule, date(2026, 1, 15), date(2026, 1, 15)), 24))

    assert {day.day for day in found} == {15}
    assert [day.month for day in found[:12]] == list(range(1, 13))


def test_a_day_beyond_the_end_of_a_month_is_its_last_and_comes_back() -> None:
    found = list(islice(iterate_dates(read_rule("FREQ=MONTHLY"), date(2027, 12, 31), date(2027, 12, 31)), 5))

    assert [(day.month, day.day) for day in found] == [(12, 31), (1, 31), (2, 29), (3, 31), (4, 30)]


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("FREQ=DAILY", 1),
        ("FREQ=WEEKLY;BYDAY=WE", 7),
        ("FREQ=WEEKLY;INTERVAL=2;BYDAY=TU", 14),
        ("FREQ=WEEKLY;BYDAY=MO,TH", 4),
        ("FREQ=MONTHLY", 30),
        ("FREQ=MONTHLY;BYDAY=-1FR", 30),
        ("FREQ=MONTHLY;BYMONTHDAY=1,15", 15),
        ("FREQ=MONTHLY;INTERVAL=3", 90),
        ("FREQ=MONTHLY;BYMONTH=1,4,7,10;BYDAY=1MO", 90),
        ("FREQ=MONTHLY;INTERVAL=6", 180),
        ("FREQ=YEARLY", 365),
        ("FREQ=YEARLY;INTERVAL=2", 730),
        ("FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13", 213),
    ],
)
def test_the_mean_interval_is_in_usual_days(text: str, days: int) -> None:
    assert mean_days(read_rule(text)) == days


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FREQ=WEEKLY;BYDAY=MO;BYSETPOS=2", "falls on no day; change BYDAY"),
        ("FREQ=MONTHLY;BYDAY=5MO;BYMONTHDAY=1", "falls on no day"),
        ("FREQ=MONTHLY;INTERVAL=2;BYDAY=5MO", "not every month has such a day"),
        ("FREQ=YEARLY;INTERVAL=2;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO", "not every year has such a day"),
        ("FREQ=YEARLY;INTERVAL=20", "more than 3650 days apart; use a smaller INTERVAL"),
    ],
)
def test_a_rule_that_may_never_come_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidRule, match=message):
        read_rule(text)
