"""Busy time read from calendars as Google, Outlook and Apple publish them, and from what is broken or hostile."""

from datetime import UTC, datetime, timedelta
from time import monotonic
from zoneinfo import ZoneInfo

import pytest

from services.calendar.icalendar_busy import CalendarOwner, ReadCalendar, UnreadableCalendar, read_calendar
from services.calendar.stretches import from_micros

FIRST, UNTIL = datetime(2026, 3, 1, tzinfo=UTC), datetime(2027, 4, 5, tzinfo=UTC)
BERLIN = CalendarOwner(ZoneInfo("Europe/Berlin"), "dana@vendor.example")

GOOGLE = """BEGIN:VCALENDAR
PRODID:-//Google Inc//Google Calendar 70.9054//EN
VERSION:2.0
CALSCALE:GREGORIAN
METHOD:PUBLISH
X-WR-CALNAME:dana@vendor.example
X-WR-TIMEZONE:Europe/Berlin
BEGIN:VTIMEZONE
TZID:Europe/Berlin
X-LIC-LOCATION:Europe/Berlin
BEGIN:DAYLIGHT
TZOFFSETFROM:+0100
TZOFFSETTO:+0200
TZNAME:CEST
DTSTART:19700329T020000
RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU
END:DAYLIGHT
BEGIN:STANDARD
TZOFFSETFROM:+0200
TZOFFSETTO:+0100
TZNAME:CET
DTSTART:19701025T030000
RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU
END:STANDARD
END:VTIMEZONE
BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:20260324T090000
DTEND;TZID=Europe/Berlin:20260324T093000
RRULE:FREQ=WEEKLY;UNTIL=20260421T215959Z;BYDAY=TU
EXDATE;TZID=Europe/Berlin:20260407T090000
DTSTAMP:20260301T080000Z
UID:7kukuqrfedlm2f9t0j0v0i6k4o@google.com
STATUS:CONFIRMED
SUMMARY:Stand-up with a very long title that goes on and on so that the line ha
 s to be folded
TRANSP:OPAQUE
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:20260415T140000
DTEND;TZID=Europe/Berlin:20260415T150000
DTSTAMP:20260301T080000Z
UID:7kukuqrfedlm2f9t0j0v0i6k4o@google.com
RECURRENCE-ID;TZID=Europe/Berlin:20260414T090000
STATUS:CONFIRMED
SUMMARY:Stand-up
TRANSP:OPAQUE
END:VEVENT
BEGIN:VEVENT
DTSTART;TZID=Europe/Berlin:20260421T090000
DTEND;TZID=Europe/Berlin:20260421T093000
UID:7kukuqrfedlm2f9t0j0v0i6k4o@google.com
RECURRENCE-ID;TZID=Europe/Berlin:20260421T090000
STATUS:CANCELLED
SUMMARY:Stand-up
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260511
DTEND;VALUE=DATE:20260513
UID:trip@google.com
STATUS:CONFIRMED
SUMMARY:Trip
TRANSP:OPAQUE
END:VEVENT
BEGIN:VEVENT
DTSTART;VALUE=DATE:20260520
DTEND;VALUE=DATE:20260521
UID:birthday@google.com
SUMMARY:Birthday
TRANSP:TRANSPARENT
END:VEVENT
BEGIN:VEVENT
DTSTART:20260601T080000Z
DTEND:20260601T090000Z
UID:declined@google.com
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=DECLINED;CN=Dana;X-NUM
 -GUESTS=0:mailto:Dana@vendor.example
ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;CN=Bo:mailto:bo@vendor.example
SUMMARY:Not for me
END:VEVENT
END:VCALENDAR
"""

OUTLOOK = """BEGIN:VCALENDAR
METHOD:PUBLISH
PRODID:Microsoft Exchange Server 2010
VERSION:2.0
X-WR-CALNAME:Calendar
BEGIN:VEVENT
RRULE:FREQ=DAILY;COUNT=3;INTERVAL=1
UID:040000008200E00074C5B7101A82E00800000000D0F5
SUMMARY:Busy
DTSTART;TZID=W. Europe Standard Time:20260327T160000
DTEND;TZID=W. Europe Standard Time:20260327T170000
CLASS:PUBLIC
PRIORITY:5
DTSTAMP:20260301T080000Z
TRANSP:OPAQUE
STATUS:CONFIRMED
SEQUENCE:0
X-MICROSOFT-CDO-BUSYSTATUS:BUSY
END:VEVENT
BEGIN:VEVENT
UID:040000008200E00074C5B7101A82E00800000000D0F6
SUMMARY:Elsewhere
DTSTART;TZID=W. Europe Standard Time:20260402T160000
DTEND;TZID=W. Europe Standard Time:20260402T170000
TRANSP:OPAQUE
X-MICROSOFT-CDO-BUSYSTATUS:WORKINGELSEWHERE
END:VEVENT
BEGIN:VEVENT
UID:040000008200E00074C5B7101A82E00800000000D0F7
SUMMARY:Tentative
DTSTART;TZID=Customized Time Zone:20260403T160000
DTEND;TZID=Customized Time Zone:20260403T170000
X-MICROSOFT-CDO-BUSYSTATUS:TENTATIVE
END:VEVENT
BEGIN:VTIMEZONE
TZID:Customized Time Zone
BEGIN:STANDARD
DTSTART:16010101T000000
TZOFFSETFROM:+0530
TZOFFSETTO:+0530
END:STANDARD
END:VTIMEZONE
END:VCALENDAR
"""

APPLE = """BEGIN:VCALENDAR
METHOD:PUBLISH
VERSION:2.0
PRODID:-//Apple Inc.//macOS 15.1//EN
CALSCALE:GREGORIAN
BEGIN:VEVENT
UID:0B6F1B1E-5B1D-4C52-9E07-3B8B7A3F21AA
DTSTART:20260305T120000
DURATION:PT45M
SUMMARY:Lunch wherever I am
TRANSP:OPAQUE
END:VEVENT
BEGIN:VEVENT
UID:3D9F6F0E-0000-4C52-9E07-3B8B7A3F21AA
DTSTART;TZID=America/New_York:20260309T100000
DTEND;TZID=America/New_York:20260309T110000
RRULE:FREQ=WEEKLY;COUNT=4
SUMMARY:Call
END:VEVENT
BEGIN:VEVENT
UID:3D9F6F0E-0000-4C52-9E07-3B8B7A3F21AA
RECURRENCE-ID;RANGE=THISANDFUTURE;TZID=America/New_York:20260323T100000
DTSTART;TZID=America/New_York:20260323T120000
DTEND;TZID=America/New_York:20260323T130000
SUMMARY:Call
END:VEVENT
END:VCALENDAR
"""


def read(text: str, owner: CalendarOwner = BERLIN) -> ReadCalendar:
    return read_calendar(text.replace("\n", "\r\n").encode(), owner, FIRST, UNTIL)


def times(found: ReadCalendar) -> list[str]:
    return [
        f"{from_micros(start):%m-%d %H:%M}/{(from_micros(end) - from_micros(start)) // timedelta(minutes=1)}"
        for start, end in sorted(found.spans)
    ]


def wrap(*events: str) -> str:
    inner = "".join(f"BEGIN:VEVENT\n{event.strip()}\nEND:VEVENT\n" for event in events)
    return f"BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\n{inner}END:VCALENDAR\n"


def test_google_repeats_moves_cancels_and_declines() -> None:
    assert times(read(GOOGLE)) == [
        "03-24 08:00/30",  # before the clocks change
        "03-31 07:00/30",
        "04-15 12:00/60",  # moved from the 14th; the 7th is left out, the 21st cancelled
        "05-10 22:00/2880",  # two days by the clock of Berlin
    ]


def test_outlook_names_zones_its_own_way_and_says_what_is_free() -> None:
    found = read(OUTLOOK)

    assert times(found) == ["03-27 15:00/60", "03-28 15:00/60", "03-29 14:00/60", "04-03 10:30/60"]
    assert found.left_out == 0


def test_a_zone_that_one_calendar_describes_is_not_that_of_another() -> None:
    """Many programs name theirs `Customized Time Zone`; the parser keeps the first for all."""
    read(OUTLOOK)
    other = OUTLOOK.replace("+0530", "-0800")

    assert times(read(other))[-1] == "04-04 00:00/60"


def test_apple_has_times_without_a_zone_lengths_and_changes_from_a_date_on() -> None:
    assert times(read(APPLE)) == [
        "03-05 11:00/45",
        "03-09 14:00/60",
        "03-16 14:00/60",
        "03-23 16:00/60",
        "03-30 16:00/60",
    ]
    tokyo = CalendarOwner(ZoneInfo("Asia/Tokyo"))
    assert times(read(APPLE, tokyo))[0] == "03-05 03:00/45"


def test_the_gap_and_the_overlap_of_the_clocks() -> None:
    """RFC 5545, 3.3.5: in the gap by the offset before it, in the overlap the first of the two."""
    gap = "UID:a\nDTSTART;TZID=Europe/Berlin:20260329T023000\nDURATION:PT1H"
    overlap = "UID:b\nDTSTART;TZID=Europe/Berlin:20261025T023000\nDURATION:PT1H"

    assert times(read(wrap(gap, overlap))) == ["03-29 01:30/60", "10-25 00:30/60"]


def test_a_calendar_that_shows_only_free_and_busy() -> None:
    text = (
        "BEGIN:VCALENDAR\nVERSION:2.0\nBEGIN:VFREEBUSY\nFREEBUSY;FBTYPE=FREE:20260304T080000Z/PT1H\n"
        "FREEBUSY;FBTYPE=BUSY-TENTATIVE:20260302T080000Z/20260302T090000Z,20260303T080000Z/PT30M\n"
        "END:VFREEBUSY\nEND:VCALENDAR\n"
    )

    assert times(read(text)) == ["03-02 08:00/60", "03-03 08:00/30"]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;INTERVAL=5",
        "FREQ=DAILY;BYHOUR=9,10,11,12,13,14,15,16;BYMINUTE=0,15,30,45",
    ],
)
def test_what_repeats_without_end_all_day_is_left_out_at_once_and_the_rest_counts(rule: str) -> None:
    often = f"UID:often\nDTSTART:20200101T000000Z\nDTEND:20200101T000001Z\nRRULE:{rule}"
    usual = "UID:usual\nDTSTART:20260302T080000Z\nDTEND:20260302T090000Z"
    began = monotonic()

    found = read(wrap(often, usual))

    assert (times(found), found.left_out) == (["03-02 08:00/60"], 1)
    assert monotonic() - began < 10  # usually a few milliseconds; a busy machine may take longer


def test_an_event_that_cannot_be_read_is_counted_and_the_others_count() -> None:
    broken = "UID:broken\nDTSTART:tomorrow"
    endless = "UID:endless\nDTSTART:20260302T080000Z\nDTEND:20260302T070000Z"
    usual = "UID:usual\nDTSTART:20260303T080000Z\nDTEND:20260303T090000Z"

    found = read(wrap(broken, endless, usual))

    assert (times(found), found.left_out) == (["03-03 08:00/60"], 1)


def test_what_may_be_our_own_stands_apart() -> None:
    ours = "UID:9f1b3c1e-0c6b-5b0e-9d52-4a0b1f1c2d3e\nDTSTART:20260302T080000Z\nDTEND:20260302T090000Z"
    apple = ours.replace("9f1b3c1e-0c6b", "9F1B3C1E-0C6B").replace("0302", "0304")

    found = read(wrap(ours, apple))

    assert times(found) == ["03-04 08:00/60"]
    assert list(found.by_uid) == ["9f1b3c1e-0c6b-5b0e-9d52-4a0b1f1c2d3e"]


def test_what_began_before_counts_from_the_first_moment_on() -> None:
    long = "UID:long\nDTSTART:20200101T000000Z\nDTEND:20260301T060000Z"

    assert times(read(wrap(long))) == ["03-01 00:00/360"]


@pytest.mark.parametrize(
    "text", ["", "<html>sign in</html>", "BEGIN:VCALENDAR\n", "BEGIN:VTODO\nEND:VTODO\n"]
)
def test_what_is_no_calendar_is_refused_without_showing_what_it_is(text: str) -> None:
    with pytest.raises(UnreadableCalendar, match="no iCalendar file") as refused:
        read(text)

    assert "sign in" not in str(refused.value)


def test_too_many_times_are_refused() -> None:
    many = (
        f"UID:{n}\nDTSTART:20260302T000000Z\nDTEND:20260302T010000Z\nRRULE:FREQ=DAILY" for n in range(130)
    )

    with pytest.raises(UnreadableCalendar, match="more than 50,000 busy times"):
        read(wrap(*many))
