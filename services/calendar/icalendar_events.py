"""Calendars as iCalendar files (RFC 5545, 5546, 7986): invitations, their changes and cancellations, and feeds.

Equal entries give equal bytes. What readers trip over is left out: DURATION, attachments, comma-separated dates.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from importlib.metadata import version
from typing import Final, Literal, NamedTuple
from urllib.parse import quote

from icalendar import Calendar, Event, vCalAddress, vDuration, vText, vUri

from schemas.zones import UTC_ZONE, TimeZone, find_zone
from services.calendar.icalendar_zones import add_properties, build_timezone
from services.calendar.lengths import length_of

Method = Literal["REQUEST", "CANCEL", "PUBLISH"]
Answer = Literal["needs-action", "accepted", "declined", "tentative"]
EntryStatus = Literal["confirmed", "cancelled", "tentative"]

WRITER: Final = f"1 {version('icalendar')}"
"""Whoever keeps what was written compares this as well; the number grows when equal entries give other bytes."""
PRODUCT: Final = "-//Drumbeat//Customer cadence//EN"
CONTENT_TYPE: Final = "text/calendar; charset=utf-8"
# Tabs and line breaks are written as the format has them; other control characters are not part of it.
_CONTROLS: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
# Many readers show the escape of a double quote (RFC 6868) as it stands, and some end a quoted name at a semicolon.
_IN_NAMES: Final = str.maketrans({'"': "'", ";": ","})
_SAFE: Final = "".join(map(chr, range(0x21, 0x7F)))


class CalendarPerson(NamedTuple):
    """Somebody who organises or attends: their name (it may be empty), address and answer."""

    name: str
    address: str
    answer: Answer = "needs-action"


class CalendarEntry(NamedTuple):
    """One event. `starts_at` and `ends_at` are aware; readers see them on the clocks of `zone` (an IANA name).

    `uid` stays for its life. `sequence` grows by one with each change of its time or status. `stamp` (aware) is when it
    was last written: of two with one sequence readers keep the later. `is_free`: its time counts as free.
    """

    uid: str
    sequence: int
    starts_at: datetime
    ends_at: datetime
    zone: str
    summary: str
    stamp: datetime
    description: str = ""
    url: str | None = None
    organizer: CalendarPerson | None = None
    attendees: Sequence[CalendarPerson] = ()
    status: EntryStatus = "confirmed"
    is_free: bool = False


def end_of(starts_at: datetime, minutes: int) -> datetime:
    """When an entry ends that takes so long, the same in invitations and in feeds."""
    return starts_at + length_of(minutes)


def write_calendar(
    entries: Iterable[CalendarEntry],
    *,
    method: Method | None = None,
    name: str | None = None,
    source: str | None = None,
    refresh: timedelta | None = None,
) -> bytes:
    """A calendar of the entries in their order, as UTF-8.

    `method`: what a receiver of a mail is to do with it; None for a file that is only opened. A feed has a `name`, the
    address it is read from as `source` and how often to read it as `refresh`. Raises UnknownZone for a zone that the
    database does not have.
    """
    listed = list(entries)
    calendar = Calendar()
    head = {"PRODID": PRODUCT, "VERSION": "2.0", "CALSCALE": "GREGORIAN"}
    add_properties(calendar, head | ({"METHOD": method} if method else {}))
    add_properties(calendar, _feed(name, source, refresh))
    for zone, (first, last) in sorted(_spans(listed).items()):
        calendar.add_component(build_timezone(zone, first, last))
    for entry in listed:
        calendar.add_component(_event(entry))
    return calendar.to_ical()


def _feed(name: str | None, source: str | None, refresh: timedelta | None) -> Mapping[str, object]:
    """What only a feed has; RFC 7986 names no default type for its address and its interval."""
    properties: dict[str, object] = {}
    if name:
        properties |= dict.fromkeys(("NAME", "X-WR-CALNAME"), vText(_text(name)))
    if source:
        properties["SOURCE"] = _uri(source, {"VALUE": "URI"})
    if refresh:
        properties["REFRESH-INTERVAL"] = vDuration(refresh, {"VALUE": "DURATION"})
        properties["X-PUBLISHED-TTL"] = vDuration(refresh)
    return properties


def _spans(entries: Iterable[CalendarEntry]) -> Mapping[str, tuple[datetime, datetime]]:
    """Each zone that times are written in, with the first and the last instant of its entries."""
    spans: dict[str, tuple[datetime, datetime]] = {}
    for entry in entries:
        if _written_zone(entry) is not UTC_ZONE:
            first, last = spans.get(entry.zone, (entry.starts_at, entry.ends_at))
            spans[entry.zone] = min(first, entry.starts_at), max(last, entry.ends_at)
    return spans


def _written_zone(entry: CalendarEntry) -> TimeZone:
    """The zone of the entry; UTC where its clocks show a time of it twice: readers differ in which one they take."""
    zone = find_zone(entry.zone)
    is_shown_twice = any(_is_shown_twice(at.astimezone(zone)) for at in (entry.starts_at, entry.ends_at))
    return UTC_ZONE if is_shown_twice else zone


def _is_shown_twice(local: datetime) -> bool:
    return local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()


def _event(entry: CalendarEntry) -> Event:
    event, zone = Event(), _written_zone(entry)
    properties: dict[str, object] = {
        "UID": _text(entry.uid),
        "SEQUENCE": entry.sequence,
        "DTSTAMP": entry.stamp.astimezone(UTC_ZONE),
        "DTSTART": entry.starts_at.astimezone(zone),
        "DTEND": entry.ends_at.astimezone(zone),
        "SUMMARY": _text(entry.summary),
        "STATUS": entry.status.upper(),
        "TRANSP": "TRANSPARENT" if entry.is_free else "OPAQUE",
        "ATTENDEE": [_attendee(person) for person in entry.attendees],
    }
    if entry.description:
        properties["DESCRIPTION"] = _text(entry.description)
    if entry.url:
        properties["URL"] = _uri(entry.url)
    if entry.organizer:
        properties["ORGANIZER"] = _address(entry.organizer)
    add_properties(event, properties)
    return event


def _attendee(person: CalendarPerson) -> vCalAddress:
    address = _address(person)
    address.params["CUTYPE"] = "INDIVIDUAL"
    address.params["ROLE"] = "REQ-PARTICIPANT"
    address.params["PARTSTAT"] = person.answer.upper()
    address.params["RSVP"] = "TRUE" if person.answer == "needs-action" else "FALSE"
    return address


def _address(person: CalendarPerson) -> vCalAddress:
    address = vCalAddress(f"mailto:{quote(person.address, safe=_SAFE)}")
    if name := " ".join(_text(person.name).translate(_IN_NAMES).split()):
        address.params["CN"] = name
    return address


def _text(text: str) -> str:
    return _CONTROLS.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))


def _uri(address: str, parameters: Mapping[str, str] | None = None) -> vUri:
    return vUri(quote(address, safe=_SAFE), params=dict(parameters or {}))
