"""Quiet hours: when the mail of a customer may go out, in the zones of the recipient."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from schemas.times import QuietHours, clock_time
from schemas.zones import UTC_ZONE, TimeZone, UnknownZone, find_zone

_MAX_MOVES = 15
"""Quiet hours after quiet hours, of zones of one country, before a message is thought never to find a gap."""


def after_quiet_hours(now: datetime, zones: Sequence[str], quiet: QuietHours) -> datetime:
    """The first moment from `now` on at which none of the recipient's zones has quiet hours (no zone: UTC).

    Several zones are those of a country of which no more is known. When one of them always has quiet hours, the first
    one alone counts.
    """
    places = [zone_named(name) for name in zones] or [UTC_ZONE]
    opening = now
    for _ in range(_MAX_MOVES):
        latest = max(_after_quiet_hours_in(zone, opening, quiet) for zone in places)
        if latest == opening:
            return opening
        opening = latest
    return _after_quiet_hours_in(places[0], now, quiet)


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
