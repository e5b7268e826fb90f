"""The VTIMEZONE of a zone (RFC 5545, 3.6.5), from the rules that `schemas.zones` has in force.

Readers differ in what they understand of it. A list of RDATEs in one line is read as its first date by some, so a change
of the clocks that comes back every year is one observance with an RRULE, and any other is an observance of its own, with
nothing but its beginning.
"""

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import groupby
from typing import Final, NamedTuple, Protocol, cast

from icalendar import Component, Timezone, TimezoneDaylight, TimezoneStandard

from schemas.zones import TimeZone, find_zone

LAST_YEAR: Final = 2037
"""The last year that the database writes out in full: a change of every year up to it has no known end."""
_DAY: Final = timedelta(days=1)
_WEEK: Final = timedelta(weeks=1)
_SECOND: Final = timedelta(seconds=1)
_WEEKDAYS: Final = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")
_LAST: Final = -1


class _Change(NamedTuple):
    """A change of the clocks: `starts_at` is what they showed when it began, without a zone."""

    starts_at: datetime
    offset_from: timedelta
    offset_to: timedelta
    label: str
    is_daylight: bool

    def kind(self) -> tuple[object, ...]:
        """What changes of one kind have in common, apart from their day in the month."""
        return (
            self.is_daylight, self.offset_from, self.offset_to, self.label,
            self.starts_at.month, self.starts_at.weekday(), self.starts_at.time(),
        )  # fmt: skip

    def place(self) -> int:
        """Which of its weekdays in the month it is on: 1 to 5."""
        return (self.starts_at.day - 1) // 7 + 1

    def is_on_last(self) -> bool:
        return (self.starts_at + _WEEK).month != self.starts_at.month


class _Properties(Protocol):
    """Whatever has properties: the package declares the type of their values only in part."""

    def add(self, name: str, value: object, /) -> None: ...


def add_properties(component: Component, properties: Mapping[str, object]) -> None:
    """Add them, each under its name. A list is several properties of one name."""
    for name, value in properties.items():
        cast(_Properties, component).add(name, value)


def build_timezone(name: str, first: datetime, last: datetime) -> Timezone:
    """The component that tells the clocks of the zone of that IANA name between two instants, and a year around them.

    Raises UnknownZone for any other name.
    """
    zone = find_zone(name)
    years = range(first.astimezone(zone).year - 1, last.astimezone(zone).year + 2)
    timezone = Timezone()
    add_properties(timezone, {"TZID": name})
    for change, recurs_on in _observances(zone, years):
        timezone.add_component(_component(change, recurs_on))
    return timezone


def _observances(zone: TimeZone, years: range) -> list[tuple[_Change, int | None]]:
    """The changes of those years in order; of one that is on the n-th such weekday of every year, the first and n."""
    ahead = range(years.start, max(years.stop, LAST_YEAR + 1))
    changes = [change for year in ahead for change in _changes(zone, year)]
    observances: list[tuple[_Change, int | None]] = []
    for _, group in groupby(sorted(changes, key=_by_kind), key=_by_kind):
        alike = list(group)
        place = _shared_place(alike) if [one.starts_at.year for one in alike] == list(ahead) else None
        observances += (
            [(alike[0], place)] if place else [(one, None) for one in alike if one.starts_at.year in years]
        )
    if not any(change.starts_at.year == years.start for change, _ in observances):
        observances.append((_state(zone, datetime(years.start, 1, 1, tzinfo=UTC)), None))
    return sorted(observances, key=lambda observance: observance[0].starts_at)


def _by_kind(change: _Change) -> str:
    return repr(change.kind())


def _shared_place(changes: Iterable[_Change]) -> int | None:
    """Which weekday of the month all of them are on: 1 to 4, -1 for the last; None: they have none in common."""
    alike = list(changes)
    if all(change.is_on_last() for change in alike):
        return _LAST
    places = {change.place() for change in alike}
    return min(places) if len(places) == 1 else None


@lru_cache(maxsize=4096)
def _changes(zone: TimeZone, year: int) -> tuple[_Change, ...]:
    """The changes of the offset in a year of UTC; the database has no two within a day."""
    return tuple(_find_changes(zone, datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)))


def _find_changes(zone: TimeZone, start: datetime, end: datetime) -> Iterator[_Change]:
    before = start
    while before < end:
        after = min(before + _DAY, end)
        if _offset(zone, before) != _offset(zone, after):
            yield _change(zone, before, after)
        before = after


def _change(zone: TimeZone, before: datetime, after: datetime) -> _Change:
    """The one change between two instants."""
    while after - before > _SECOND:
        middle = before + (after - before) // 2
        middle = middle.replace(microsecond=0)
        if _offset(zone, middle) == _offset(zone, before):
            before = middle
        else:
            after = middle
    state, old = _state(zone, after), _offset(zone, before)
    # Where winter is the exception (Dublin, Casablanca), standard time comes back as what others call daylight time.
    is_daylight = state.is_daylight or _saving(zone, before) < timedelta(0)
    return state._replace(
        starts_at=(after + old).replace(tzinfo=None), offset_from=old, is_daylight=is_daylight
    )


def _state(zone: TimeZone, at: datetime) -> _Change:
    """What the clocks show at an instant, as a change from the same to the same."""
    offset, label = _offset(zone, at), at.astimezone(zone).tzname() or ""
    return _Change(
        (at + offset).replace(tzinfo=None), offset, offset, label, _saving(zone, at) > timedelta(0)
    )


def _offset(zone: TimeZone, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta(0)


def _saving(zone: TimeZone, at: datetime) -> timedelta:
    return at.astimezone(zone).dst() or timedelta(0)


def _component(change: _Change, recurs_on: int | None) -> TimezoneDaylight | TimezoneStandard:
    component = TimezoneDaylight() if change.is_daylight else TimezoneStandard()
    properties: dict[str, object] = {
        "DTSTART": change.starts_at,
        "TZOFFSETFROM": change.offset_from,
        "TZOFFSETTO": change.offset_to,
        "TZNAME": change.label,
    }
    if recurs_on is not None:
        properties["RRULE"] = _rule(change, recurs_on)
    add_properties(component, properties)
    return component


def _rule(change: _Change, recurs_on: int) -> Mapping[str, object]:
    day = f"{recurs_on}{_WEEKDAYS[change.starts_at.weekday()]}"
    return {"FREQ": "YEARLY", "BYDAY": day, "BYMONTH": change.starts_at.month}
