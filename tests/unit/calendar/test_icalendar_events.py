"""Calendars are read back by three parsers that share nothing: Python's icalendar, npm's ical.js and node-ical."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from icalendar import Calendar

from schemas.zones import UnknownZone
from services.calendar.icalendar_events import CalendarEntry, CalendarPerson, end_of, write_calendar
from tests.node import run_script

HOUR = timedelta(hours=1)
MOMENT = datetime(2026, 7, 1, 9, tzinfo=UTC)
DST_ZONES = (
    "Europe/Berlin", "Europe/Dublin", "America/New_York", "America/Santiago", "Australia/Sydney",
    "Australia/Lord_Howe", "Pacific/Auckland",
)  # fmt: skip
OTHER_ZONES = ("America/Vancouver", "Asia/Tokyo", "Asia/Kathmandu", "Pacific/Apia", "UTC")
READERS = ("icalendar", "ical.js", "node-ical")
ANN = CalendarPerson("Ann Archer", "ann@customer.example")
NAMES = (
    "Müller, Söhne; Partner",
    "Ltd: \u201cQuarter\u201d",
    "סקירה רבעונית: " + "שלום עולם " * 12,
    "مراجعة ربع سنوية، " + "مرحبا " * 30,
    "四半期レビュー" * 12,
    "👩🏽‍💻" * 12,
    *("x" * length + "é€😀" * 20 for length in range(60, 68)),
)


def entry(starts_at: datetime = MOMENT, zone: str = "Europe/Berlin", **fields: Any) -> CalendarEntry:
    base = CalendarEntry(
        uid="d4b6", sequence=0, starts_at=starts_at, ends_at=starts_at + 0.75 * HOUR, zone=zone,
        summary="Business review", stamp=MOMENT,
    )  # fmt: skip
    return base._replace(**fields)


def read(data: bytes, folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Reader -> the events as it understands them."""
    path = folder / "calendar.ics"
    path.write_bytes(data)
    (by_node,) = run_script("read_calendar.js", str(path))
    return {**by_node, "icalendar": [_event(event) for event in Calendar.from_ical(data).events]}


def _event(event: Any) -> dict[str, Any]:
    def text(key: str) -> str | None:
        return None if event.get(key) is None else str(event[key])

    people: list[Any] = [] if event.get("ATTENDEE") is None else event["ATTENDEE"]
    return {
        "uid": text("UID"),
        "starts": _stamp(event["DTSTART"].dt),
        "ends": _stamp(event["DTEND"].dt),
        "summary": text("SUMMARY"),
        "description": text("DESCRIPTION"),
        "url": text("URL"),
        "sequence": event["SEQUENCE"],
        "status": text("STATUS"),
        "people": [
            [one.params.get("CN", ""), one.removeprefix("mailto:"), one.params["PARTSTAT"]] for one in people
        ],
    }


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")


def lines(data: bytes) -> list[str]:
    """The lines of a file, put together again."""
    return data.decode().replace("\r\n ", "").split("\r\n")


@pytest.mark.parametrize("zone", DST_ZONES + OTHER_ZONES)
def test_three_parsers_read_the_same_times_in_both_halves_of_the_year(zone: str, tmp_path: Path) -> None:
    moments = [datetime(2026 + month // 12, month % 12 + 1, 1, 17, 5, tzinfo=UTC) for month in range(24)]
    events = read(write_calendar([entry(at, zone, uid=f"u{at:%y%m}") for at in moments]), tmp_path)
    expected = [(_stamp(at), _stamp(at + 0.75 * HOUR)) for at in moments]
    for reader in READERS:
        assert [(event["starts"], event["ends"]) for event in events[reader]] == expected, reader


def test_a_zone_with_new_rules_is_read_right_by_those_who_read_its_description(tmp_path: Path) -> None:
    """node-ical takes the rules of its Node for a name that it knows, and those are older than 20 September 2026."""
    at = datetime(2026, 12, 1, 17, tzinfo=UTC)
    events = read(write_calendar([entry(at, "Africa/Casablanca")]), tmp_path)
    for reader in ("icalendar", "ical.js"):
        assert [event["starts"] for event in events[reader]] == [_stamp(at)], reader


@pytest.mark.parametrize(
    ("zone", "change"),
    [
        ("Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("Europe/Berlin", datetime(2026, 10, 25, 1, tzinfo=UTC)),
        ("Australia/Sydney", datetime(2026, 4, 4, 16, tzinfo=UTC)),
        ("Australia/Sydney", datetime(2026, 10, 3, 16, tzinfo=UTC)),
        ("America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),
    ],
)
def test_no_time_around_a_change_of_the_clocks_is_read_as_another(
    zone: str, change: datetime, tmp_path: Path
) -> None:
    moments = [change + HOUR * half / 2 for half in range(-8, 9)]
    events = read(write_calendar([entry(at, zone, uid=f"u{at:%d%H%M}") for at in moments]), tmp_path)
    for reader in READERS:
        assert [event["starts"] for event in events[reader]] == [_stamp(at) for at in moments], reader


@pytest.mark.parametrize("name", NAMES)
def test_three_parsers_read_the_same_texts_whatever_is_in_them(name: str, tmp_path: Path) -> None:
    description = f"1. Goals, open points; risks\n2. {name}\n3. End"
    address = "https://drumbeat.example/a?b=1,2;c=ü"
    people = (ANN._replace(name=name, answer="accepted"), CalendarPerson("", "bo@customer.example"))
    data = write_calendar([entry(summary=name, description=description, url=address, attendees=people)])
    for reader, (event,) in read(data, tmp_path).items():
        assert event["summary"].strip() == name.strip(), reader
        assert event["description"] == description, reader
        assert event["url"] == "https://drumbeat.example/a?b=1,2;c=%C3%BC", reader
        assert [person[0] for person in event["people"]] == [" ".join(name.replace(";", ",").split()), ""], (
            reader
        )
        assert [person[2] for person in event["people"]] == ["ACCEPTED", "NEEDS-ACTION"], reader


def test_a_backslash_is_read_as_one(tmp_path: Path) -> None:
    """node-ical reads an escaped backslash before an n as one before a line break."""
    events = read(write_calendar([entry(summary="C:\\new")]), tmp_path)
    assert [events[reader][0]["summary"] for reader in ("icalendar", "ical.js")] == ["C:\\new"] * 2


@pytest.mark.parametrize("name", NAMES)
def test_a_line_has_at_most_75_octets_and_no_half_character(name: str) -> None:
    data = write_calendar([entry(summary=name, attendees=(ANN._replace(name=name),))])
    assert b"\n" not in data.replace(b"\r\n", b"")
    for line in data.split(b"\r\n"):
        assert len(line) <= 75
        line.decode()


def test_equal_entries_give_equal_bytes() -> None:
    first = write_calendar([entry(attendees=(ANN,))], method="REQUEST")
    assert write_calendar([entry(attendees=(ANN,))], method="REQUEST") == first


def test_an_entry_has_an_end_and_no_duration() -> None:
    written = lines(write_calendar([entry()]))
    assert "DTSTART;TZID=Europe/Berlin:20260701T110000" in written
    assert "DTEND;TZID=Europe/Berlin:20260701T114500" in written
    assert not [line for line in written if line.startswith("DURATION")]


def test_each_zone_is_described_once() -> None:
    zones = ("Europe/Berlin", "Asia/Tokyo", "Europe/Berlin", "UTC")
    written = lines(write_calendar([entry(zone=zone) for zone in zones]))
    assert [line for line in written if line.startswith("TZID:")] == ["TZID:Asia/Tokyo", "TZID:Europe/Berlin"]


@pytest.mark.parametrize("hour", [0, 1])
def test_a_time_that_the_clocks_show_twice_is_written_in_utc(hour: int) -> None:
    starts_at = datetime(2026, 10, 25, hour, 30, tzinfo=UTC)
    written = lines(write_calendar([entry(starts_at, ends_at=starts_at + 2 * HOUR)]))
    assert f"DTSTART:20261025T0{hour}3000Z" in written
    assert f"DTEND:20261025T0{hour + 2}3000Z" in written
    assert "BEGIN:VTIMEZONE" not in written


@pytest.mark.parametrize("method", [None, "REQUEST", "CANCEL", "PUBLISH"])
def test_a_method_is_written_only_where_it_is_given(method: Any) -> None:
    written = lines(write_calendar([entry()], method=method))
    assert [line for line in written if line.startswith("METHOD")] == ([f"METHOD:{method}"] if method else [])


def test_who_organises_and_who_is_asked_is_written_as_the_receiver_needs_it() -> None:
    organizer = CalendarPerson('Cleo "C" Carr', "cleo@vendor.example")
    asked = (ANN, CalendarPerson("Bo", "bo@customer.example", "declined"))
    written = lines(write_calendar([entry(organizer=organizer, attendees=asked)], method="REQUEST"))
    assert "ORGANIZER;CN=\"Cleo 'C' Carr\":mailto:cleo@vendor.example" in written
    assert (
        'ATTENDEE;CN="Ann Archer";CUTYPE=INDIVIDUAL;PARTSTAT=NEEDS-ACTION;ROLE=REQ-PARTICIPANT;RSVP=TRUE:'
        "mailto:ann@customer.example"
    ) in written
    assert (
        "ATTENDEE;CN=Bo;CUTYPE=INDIVIDUAL;PARTSTAT=DECLINED;ROLE=REQ-PARTICIPANT;RSVP=FALSE:"
        "mailto:bo@customer.example"
    ) in written


def test_nobody_adds_a_line_with_a_name_an_address_or_a_text() -> None:
    bad = "x\r\nATTENDEE:mailto:eve@evil.example\x07"
    person = CalendarPerson(bad, bad)
    data = write_calendar(
        [entry(uid=bad, summary=bad, description=bad, url=bad, organizer=person, attendees=(person,))],
        name=bad,
        source=bad,
    )
    assert not [line for line in lines(data) if line.startswith("ATTENDEE:")]
    assert b"\x07" not in data
    assert len(Calendar.from_ical(data).events) == 1


def test_a_cancelled_entry_says_so_with_its_sequence() -> None:
    written = lines(write_calendar([entry(status="cancelled", sequence=3)], method="CANCEL"))
    assert {"METHOD:CANCEL", "STATUS:CANCELLED", "SEQUENCE:3", "UID:d4b6"} <= set(written)


def test_free_time_does_not_block_the_day() -> None:
    written = lines(write_calendar([entry(is_free=True), entry()]))
    assert [line for line in written if line.startswith("TRANSP")] == ["TRANSP:TRANSPARENT", "TRANSP:OPAQUE"]


def test_a_feed_says_its_name_its_address_and_how_often_to_read_it() -> None:
    data = write_calendar(
        [], method="PUBLISH", name="Customer, Ltd", source="https://drumbeat.example/f.ics", refresh=HOUR
    )
    assert {
        "METHOD:PUBLISH", "NAME:Customer\\, Ltd", "X-WR-CALNAME:Customer\\, Ltd", "X-PUBLISHED-TTL:PT1H",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "SOURCE;VALUE=URI:https://drumbeat.example/f.ics",
    } <= set(lines(data))  # fmt: skip


def test_a_zone_that_the_database_does_not_have_is_refused() -> None:
    with pytest.raises(UnknownZone):
        write_calendar([entry(zone="Mars/Olympus")])


@pytest.mark.parametrize(("minutes", "length"), [(0, 30), (10, 15), (15, 15), (45, 45)])
def test_what_has_no_length_takes_half_an_hour_and_nothing_less_than_a_quarter(
    minutes: int, length: int
) -> None:
    start = datetime(2026, 3, 2, 9, tzinfo=UTC)

    assert end_of(start, minutes) == start + timedelta(minutes=length)
