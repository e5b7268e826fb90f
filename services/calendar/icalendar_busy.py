"""When somebody is busy, by a calendar file of any program (RFC 5545): repeated, moved, cancelled and all-day events.

Of an event only its times are kept. What its owner declined, what is cancelled and what is marked as free keeps no time.
Times without a zone, and whole days, are those of the owner's zone.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple, cast
from uuid import UUID
from warnings import catch_warnings

import recurring_ical_events
from icalendar import Calendar, Component
from icalendar.timezone import tzp

from schemas.zones import UTC_ZONE, TimeZone
from services.calendar.stretches import Span, to_micros

MOST_REPETITIONS: Final = 24
"""A day, of one event. What repeats more often is no appointment; an event of each second has 34 million a year."""
MOST_SPANS: Final = 50_000
_TOO_OFTEN: Final = frozenset({"SECONDLY", "MINUTELY", "HOURLY"})
_FREE_IN_OUTLOOK: Final = frozenset({"FREE", "WORKINGELSEWHERE"})
_DAY: Final = timedelta(days=1)


class UnreadableCalendar(Exception):
    """It is no calendar, or one that cannot be read within bounds; the message says what is wrong, not what is in it."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem)


class CalendarOwner(NamedTuple):
    """Whose calendar it is. `address`: of their mails, by which their answers are found; None: not known."""

    zone: TimeZone
    address: str | None = None


class ReadCalendar(NamedTuple):
    """Spans in microseconds since 1970. `by_uid`: those of events whose UID may be a touchpoint's, by that UID.

    `left_out`: how many events could not be read, or repeat too often to be appointments.
    """

    spans: Sequence[Span]
    by_uid: Mapping[str, Sequence[Span]]
    left_out: int = 0


def read_calendar(content: bytes, owner: CalendarOwner, first: datetime, until: datetime) -> ReadCalendar:
    """What is busy between two moments (aware). Raises UnreadableCalendar."""
    spans: list[Span] = []
    by_uid: dict[str, list[Span]] = {}
    left_out = 0
    for calendar in _parse(content):
        for uid, events in _group(calendar).items():
            try:
                found = _expand(events, owner, first, until)
            except Exception:  # noqa: BLE001 - whatever one event is made of, the others count
                left_out += 1
                continue
            left_out += found is None
            target = by_uid.setdefault(uid, []) if _may_be_ours(uid) else spans
            target += found or ()
            if len(spans) > MOST_SPANS:
                raise UnreadableCalendar(
                    f"it has more than {MOST_SPANS:,} busy times in the time that counts"
                )
        spans += _published_times(calendar, owner)
    clip = to_micros(first), to_micros(until)
    kept = {uid: _clip(own, clip) for uid, own in by_uid.items()}
    return ReadCalendar(_clip(spans, clip), {uid: own for uid, own in kept.items() if own}, left_out)


def _parse(content: bytes) -> Sequence[Calendar]:
    tzp.use_zoneinfo()  # forgets the zones that other calendars described: many name theirs "Customized Time Zone"
    try:
        with catch_warnings(action="ignore"):  # a zone whose name has a vendor's prefix
            calendars = [
                each for each in Calendar.from_ical(content, multiple=True) if each.name == "VCALENDAR"
            ]
    except Exception as problem:  # noqa: BLE001 - whatever it is made of
        raise UnreadableCalendar(f"it is no iCalendar file: {type(problem).__name__}") from None
    if not calendars:
        raise UnreadableCalendar("it is no iCalendar file: it does not begin with BEGIN:VCALENDAR")
    return calendars


def _group(calendar: Calendar) -> Mapping[str, list[Component]]:
    """The events by UID: an event, and the single repetitions of it that were changed."""
    groups: defaultdict[str, list[Component]] = defaultdict(list)
    for number, event in enumerate(_components(calendar, "VEVENT")):
        groups[str(event.get("UID") or f"without {number}")].append(event)
    return groups


def _expand(
    events: Sequence[Component], owner: CalendarOwner, first: datetime, until: datetime
) -> list[Span] | None:
    """The busy times of one event and its repetitions; None: it repeats too often."""
    if not any("RRULE" in event or "RDATE" in event for event in events):
        return [span for event in events for span in _span(event, owner)]
    if any(_repeats_too_often(rule) for event in events for rule in _rules(event)):
        return None
    calendar = Calendar()
    calendar.subcomponents = list(events)
    query = cast("Any", recurring_ical_events).of(calendar)
    occurrences: Iterable[Component] = query.between(first - _DAY, until + _DAY)
    return [span for event in occurrences for span in _span(event, owner)]


def _rules(event: Component) -> Iterator[Mapping[str, Sequence[object]]]:
    yield from _values(event, "RRULE")


def _repeats_too_often(rule: Mapping[str, Sequence[object]]) -> bool:
    times = 1
    for part in ("BYHOUR", "BYMINUTE", "BYSECOND"):
        times *= len(rule.get(part, ())) or 1
    frequencies = {str(each).upper() for each in rule.get("FREQ", ())}
    return bool(frequencies & _TOO_OFTEN) or times > MOST_REPETITIONS


def _span(event: Component, owner: CalendarOwner) -> Iterator[Span]:
    """The time of one event, if it keeps its owner busy."""
    if _is_free(event, owner):
        return
    starts: date | datetime = event.decoded("DTSTART")
    start_at = _instant(starts, owner.zone)
    if "DTEND" in event:
        end_at = _instant(event.decoded("DTEND"), owner.zone)
    elif "DURATION" in event:
        end_at = start_at + event.decoded("DURATION")
    else:
        end_at = start_at if isinstance(starts, datetime) else _instant(starts + _DAY, owner.zone)
    if end_at > start_at:
        yield to_micros(start_at), to_micros(end_at)


def _is_free(event: Component, owner: CalendarOwner) -> bool:
    is_cancelled = str(event.get("STATUS", "")).upper() == "CANCELLED"
    is_transparent = str(event.get("TRANSP", "")).upper() == "TRANSPARENT"
    in_outlook = str(event.get("X-MICROSOFT-CDO-BUSYSTATUS", "")).upper()
    return is_cancelled or is_transparent or in_outlook in _FREE_IN_OUTLOOK or _has_declined(event, owner)


def _has_declined(event: Component, owner: CalendarOwner) -> bool:
    if owner.address is None:
        return False
    wanted = f"mailto:{owner.address}".lower()
    return any(
        str(each).lower() == wanted and str(each.params.get("PARTSTAT", "")).upper() == "DECLINED"
        for each in _values(event, "ATTENDEE")
    )


def _components(calendar: Calendar, name: str) -> list[Component]:
    return [each for each in calendar.subcomponents if each.name == name]


def _values(component: Component, name: str) -> list[Any]:
    """The values of a property that may be there several times, each with its parameters."""
    found: Any = component.get(name)
    return cast("list[Any]", found) if isinstance(found, list) else [] if found is None else [found]


def _instant(moment: date | datetime, zone: TimeZone) -> datetime:
    """Of a whole day its midnight, and of a time without a zone that time, by the owner's clock."""
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return (moment.replace(tzinfo=zone) if moment.tzinfo is None else moment).astimezone(UTC_ZONE)


def _published_times(calendar: Calendar, owner: CalendarOwner) -> Iterator[Span]:
    """The times of VFREEBUSY: what a calendar publishes that shows nothing else."""
    for component in _components(calendar, "VFREEBUSY"):
        for value in _values(component, "FREEBUSY"):
            if str(value.params.get("FBTYPE", "BUSY")).upper() == "FREE":
                continue
            for period in cast("Iterable[Any]", getattr(value, "dts", (value,))):
                start_at, end = cast("tuple[datetime, datetime | timedelta]", period.dt)
                end_at = _instant(end, owner.zone) if isinstance(end, datetime) else start_at + end
                yield to_micros(_instant(start_at, owner.zone)), to_micros(end_at)


def _clip(spans: Iterable[Span], bounds: Span) -> list[Span]:
    clipped = ((max(start, bounds[0]), min(end, bounds[1])) for start, end in spans)
    return [span for span in clipped if span[0] < span[1]]


def _may_be_ours(uid: str) -> bool:
    """Whether it is written as the ids of touchpoints are."""
    try:
        return str(UUID(uid)) == uid
    except ValueError:
        return False
