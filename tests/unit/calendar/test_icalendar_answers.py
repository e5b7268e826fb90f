"""Answers to invitations are read from strangers' calendars, whatever these do."""

from datetime import UTC, datetime

import pytest

from services.calendar.icalendar_answers import MOST_BYTES, MOST_SEQUENCE, read_reply

SLOW_ZONE = """\
BEGIN:VTIMEZONE
TZID:{zone}
BEGIN:STANDARD
DTSTART:19010101T000000
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
RRULE:FREQ=SECONDLY
END:STANDARD
BEGIN:DAYLIGHT
DTSTART:19010101T000000
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
RRULE:FREQ=SECONDLY
END:DAYLIGHT
END:VTIMEZONE
"""


def counter(start: str, zones: str = "", method: str = "COUNTER", more: str = "SEQUENCE:1") -> bytes:
    text = f"""\
BEGIN:VCALENDAR
VERSION:2.0
METHOD:{method}
{zones}BEGIN:VEVENT
UID:t1
{more}
ATTENDEE;PARTSTAT=TENTATIVE:MAILTO:ann@acme.example
DTSTART{start}
END:VEVENT
END:VCALENDAR
"""
    return text.replace("\n", "\r\n").encode()


@pytest.mark.parametrize(
    ("start", "at"),
    [
        (":20260311T090000Z", datetime(2026, 3, 11, 9, tzinfo=UTC)),
        (";TZID=Europe/Berlin:20260311T100000", datetime(2026, 3, 11, 9, tzinfo=UTC)),
        (";TZID=W. Europe Standard Time:20260311T100000", datetime(2026, 3, 11, 9, tzinfo=UTC)),
        (";TZID=Nowhere:20260311T100000", None),
        (":20260311T100000", None),
        (";VALUE=DATE:20260311", None),
    ],
)
def test_a_proposed_time_is_read_in_its_zone_by_name(start: str, at: datetime | None) -> None:
    reply = read_reply(counter(start))

    assert reply is not None
    assert reply.is_counter
    assert reply.proposed_at == at


@pytest.mark.timeout(10)
@pytest.mark.parametrize("fold", ["", "\n "])
def test_a_zone_with_endless_rules_is_not_expanded(fold: str) -> None:
    zones = SLOW_ZONE.format(zone="Slow").replace("VTIMEZONE", f"VTIME{fold}ZONE")
    reply = read_reply(counter(";TZID=Slow:20260311T100000", zones))

    assert reply is not None
    assert reply.proposed_at is None


def test_a_zone_that_a_stranger_defines_is_not_kept_for_others() -> None:
    zone = SLOW_ZONE.format(zone="Theirs").replace("SECONDLY", "YEARLY")
    assert read_reply(counter(";TZID=Theirs:20260311T100000", zone)) is not None
    later = read_reply(counter(";TZID=Theirs:20260311T100000"))

    assert later is not None
    assert later.proposed_at is None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        counter(":20260311T090000Z", method="REQUEST"),
        counter(":20260311T090000Z").replace(b"UID:t1", b"UID:"),
        counter(":20260311T090000Z").replace(b"UID:t1", b"UID:" + b"x" * 300),
        b"x" * (MOST_BYTES + 1),
        b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR",
        counter(":20260311T090000Z", more="SEQUENCE:many"),
    ],
)
def test_what_is_no_answer_is_none(content: bytes) -> None:
    assert read_reply(content) is None


def test_a_sequence_beyond_all_bounds_is_cut() -> None:
    reply = read_reply(counter(":20260311T090000Z", more="SEQUENCE:99999999999999999999"))

    assert reply is not None
    assert reply.sequence == MOST_SEQUENCE
