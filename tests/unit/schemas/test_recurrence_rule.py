"""Recurrence rules are read into one form; what a rhythm cannot have is refused with what to do."""

import re

import pytest

from schemas.recurrence_rule import InvalidRule, parse_rule


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("freq=weekly;byday=we", "FREQ=WEEKLY;BYDAY=WE"),
        ("FREQ=WEEKLY;INTERVAL=1;BYDAY=FR,MO,MO", "FREQ=WEEKLY;BYDAY=MO,FR"),
        ("BYMONTHDAY=-1,15;FREQ=MONTHLY;INTERVAL=2", "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=15,-1"),
        ("FREQ=MONTHLY;BYDAY=+1MO,-1FR", "FREQ=MONTHLY;BYDAY=1MO,-1FR"),
        ("FREQ=YEARLY;BYMONTH=7,1;BYDAY=TH;BYSETPOS=1", "FREQ=YEARLY;BYMONTH=1,7;BYDAY=TH;BYSETPOS=1"),
    ],
)
def test_rules_with_one_meaning_have_one_form(text: str, canonical: str) -> None:
    assert str(parse_rule(text)) == canonical
    assert parse_rule(canonical) == parse_rule(text)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("FREQ=HOURLY", "use DAILY, WEEKLY, MONTHLY or YEARLY"),
        ("BYDAY=MO", "FREQ is missing"),
        ("FREQ=DAILY;COUNT=3", "COUNT is not supported: a rhythm has no end of its own"),
        ("FREQ=DAILY;UNTIL=20271231", "UNTIL is not supported"),
        ("DTSTART:20260101T090000\nRRULE:FREQ=DAILY", "the calendar chooses the start"),
        ("FREQ=DAILY;DTSTART=20260101", "the calendar chooses the start"),
        ("RRULE:FREQ=DAILY", "write the rule alone, from FREQ= on"),
        ("FREQ=DAILY;BYHOUR=9", "the calendar chooses the time of day; remove it"),
        ("FREQ=WEEKLY;WKST=SU", "weeks begin on Monday"),
        ("FREQ=WEEKLY;BYFOO=1", "BYFOO is not one of these: FREQ, INTERVAL"),
        ("FREQ=WEEKLY;BYDAY=MO;BYDAY=TU", "BYDAY is there twice"),
        ("FREQ=WEEKLY;BYDAY=Montag", "BYDAY=MONTAG: a weekday such as WE"),
        ("FREQ=WEEKLY;BYDAY=2MO", "a numbered weekday belongs to a month or a year"),
        ("FREQ=MONTHLY;BYDAY=6MO", "no month has 6 of one weekday"),
        ("FREQ=MONTHLY;BYDAY=MO,1FR", "number all of BYDAY or none"),
        ("FREQ=MONTHLY;BYMONTHDAY=0", "BYMONTHDAY=0: a number from 1 to 31"),
        ("FREQ=MONTHLY;BYMONTHDAY=32", "from 1 to 31, or from -28 to -1 to count from the end"),
        ("FREQ=WEEKLY;BYMONTHDAY=1", "BYMONTHDAY does not go with FREQ=WEEKLY"),
        ("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=31", "there is no day 31 in month 2; write BYMONTHDAY=-1"),
        ("FREQ=MONTHLY;BYMONTH=4,6;BYMONTHDAY=31", "there is no day 31 in month 4 and 6"),
        ("FREQ=MONTHLY;BYSETPOS=1", "BYSETPOS picks from the days of BYDAY or BYMONTHDAY"),
        ("FREQ=MONTHLY;INTERVAL=5;BYMONTH=2", "leave it to the start whether they ever meet"),
        ("FREQ=DAILY;INTERVAL=7;BYDAY=MO", "leaves it to the start which days they meet"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL=0: a number from 1 to 3650"),
        ("FREQ=DAILY;INTERVAL=1,2", "INTERVAL is one number"),
        ("", "is not NAME=VALUE"),
        ("FREQ=", "is not NAME=VALUE"),
        ("FREQ=DAILY" + " " * 200, "at most 200 characters"),
    ],
)
def test_what_a_rhythm_cannot_have_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidRule, match=re.escape(message)):
        parse_rule(text)
