"""Quiet hours and send windows: when the mail of a customer may go out, in the zones of the recipient."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from schemas.times import WEEKDAYS, QuietHours, SendWindow, clock_time
from schemas.zones import UTC_ZONE, TimeZone, UnknownZone, find_zone

_MAX_MOVES = 15
"""Quiet hours after quiet hours, of zones of one country, before a message is thought never to find a gap."""


def after_quiet_hours(
    now: datetime, zones: Sequence[str], quiet: QuietHours, window: SendWindow | None = None
) -> datetime:
    """The first moment from `now` on at which none of the recipient's zones has quiet hours (no zone: UTC).

    With a send window: at which it is open in all of them too. A window that lies in quiet hours counts for nothing.

    Several zones are those of a country of which no more is known. When one of them always has quiet hours, the first
    one alone counts.
    """
    places = [zone_named(name) for name in zones] or [UTC_ZONE]
    opening = now
    for _ in range(_MAX_MOVES):
        latest = max(_open_in(zone, opening, quiet, window) for zone in places)
        if latest == opening:
            return opening
        opening = latest
    return _open_in(places[0], now, quiet, window)


def _open_in(zone: TimeZone, now: datetime, quiet: QuietHours, window: SendWindow | None) -> datetime:
    """The first moment outside quiet hours that is in the window too, where the two leave one."""
    opening = after_quiet = _after_quiet_hours_in(zone, now, quiet)
    for _ in range(_MAX_MOVES if window is not None else 0):
        later = _after_quiet_hours_in(zone, _in_window(zone, opening, window), quiet)
        if later == opening:
            return opening
        opening = later
    return after_quiet


def _in_window(zone: TimeZone, now: datetime, window: SendWindow | None) -> datetime:
    """The first moment from now on in the window, by the clock in this zone."""
    if window is None:
        return now
    opens, closes = clock_time(window.from_), clock_time(window.to)
    local = now.astimezone(zone)
    if WEEKDAYS[local.weekday()] in window.days and opens <= local.time() < closes:
        return now
    days = (local.date() + timedelta(days=ahead) for ahead in range(len(WEEKDAYS) + 1))
    openings = (
        datetime.combine(day, opens, zone).astimezone(UTC)
        for day in days
        if WEEKDAYS[day.weekday()] in window.days
    )
    return next((opening for opening in openings if opening > now), now)


def _after_quiet_hours_in(zone: TimeZone, now: datetime, quiet: QuietHours) -> datetime:
    begin, end = clock_time(quiet.from_), clock_time(quiet.to)
    local = now.astimezone(zone)
    clock = local.time()
    is_quiet = begin <= clock < end if begin < end else clock >= begin or clock < end
    if not is_quiet:
        return now
    day = local.date() if clock < end else local.date() + timedelta(days=1)
    opening = datetime.combine(day, end, zone).astimezone(UTC)
    return max(opening, now)


def zone_named(name: str) -> TimeZone:
    """The zone of that IANA name, UTC for an unknown one."""
    try:
        return find_zone(name)
    except UnknownZone:
        return UTC_ZONE
