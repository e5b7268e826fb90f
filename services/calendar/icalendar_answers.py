"""Reads what people answer to invitations: iTIP REPLY and COUNTER (RFC 5546) from strangers' calendars."""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, date, datetime
from typing import Any, Final, NamedTuple, cast

from icalendar import Calendar

from services.calendar.icalendar_events import Answer

MOST_BYTES: Final = 256 * 1024
MOST_ATTENDEES: Final = 200
MOST_ID: Final = 255
MOST_SEQUENCE: Final = 2**31
_FOLD: Final = re.compile(r"\r?\n[ \t]")
_ZONE_BEGINS: Final = "BEGIN:VTIMEZONE"
_ZONE_ENDS: Final = "END:VTIMEZONE"
_ANSWERS: Final[dict[str, Answer]] = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "tentative",
    "NEEDS-ACTION": "needs-action",
}


class AttendeeAnswer(NamedTuple):
    """Somebody who was invited, and what they answer."""

    address: str
    answer: Answer


class CalendarReply(NamedTuple):
    """An answer to an invitation. `sequence`: of the invitation that is answered.

    `is_counter`: another time is proposed, `proposed_at` (in UTC; None: it cannot be read).
    """

    uid: str
    sequence: int
    attendees: Sequence[AttendeeAnswer]
    is_counter: bool = False
    proposed_at: datetime | None = None
    comment: str = ""


def read_reply(content: bytes) -> CalendarReply | None:
    """The answer in this iCalendar text; None: it is none, or cannot be read."""
    if len(content) > MOST_BYTES:
        return None
    try:
        return _read(content)
    except Exception:  # noqa: BLE001 - whatever a stranger's calendar does to the parser: it is no answer
        return None


def _read(content: bytes) -> CalendarReply | None:
    calendar: Any = Calendar.from_ical(_without_zones(content.decode("utf-8", "replace").replace("\x00", "")))
    method = str(calendar.get("METHOD", "")).upper()
    event = next(iter(calendar.walk("VEVENT")), None)
    if event is None or method not in ("REPLY", "COUNTER"):
        return None
    uid = str(event.get("UID", "")).strip()
    if not 0 < len(uid) <= MOST_ID:
        return None
    is_counter = method == "COUNTER"
    return CalendarReply(
        uid=uid,
        sequence=min(max(int(event.get("SEQUENCE", 0)), 0), MOST_SEQUENCE),
        attendees=[_attendee(one) for one in _several(event.get("ATTENDEE"))],
        is_counter=is_counter,
        proposed_at=_instant(event.get("DTSTART")) if is_counter else None,
        comment="\n".join(str(one) for one in _several(event.get("COMMENT"))),
    )


def _without_zones(text: str) -> str:
    """Zones are known by name. A stranger's rules for one could take hours to expand, and would be kept for others."""
    kept, depth = list[str](), 0
    for line in _FOLD.sub("", text).splitlines():
        mark = line.strip().upper()
        depth += mark == _ZONE_BEGINS
        if not depth:
            kept.append(line)
        depth -= bool(depth) and mark == _ZONE_ENDS
    return "\r\n".join(kept) + "\r\n"


def _several(value: Any) -> Iterable[Any]:
    values = cast("list[Any]", value) if isinstance(value, list) else [value] if value is not None else []
    return values[:MOST_ATTENDEES]


def _attendee(value: Any) -> AttendeeAnswer:
    address = str(value).strip()
    if address[:7].lower() == "mailto:":
        address = address[7:]
    answer = str(value.params.get("PARTSTAT", "NEEDS-ACTION")).upper()
    return AttendeeAnswer(address, _ANSWERS.get(answer, "needs-action"))


def _instant(value: Any) -> datetime | None:
    """In UTC; None: a whole day, or a time without a zone that is known by its name."""
    moment: object = value.dt if value is not None else None
    if not isinstance(moment, date) or not isinstance(moment, datetime) or moment.tzinfo is None:
        return None
    return moment.astimezone(UTC)
