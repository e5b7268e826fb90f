"""Why somebody is not available on a day or at a moment: time off, public holidays, the customer's days, busy time."""

from datetime import date, datetime
from typing import Final

from services.calendar.open_hours import DAY, OpenHours, has_open_shift, is_away, shift_of, to_wall
from services.calendar.stretches import from_micros, to_micros
from services.calendar.windows import BUSY, TIME_OFF

SOMEBODY: Final = "its owner"
PUBLIC_HOLIDAY: Final = "public holiday "


def closed_reason(day: date, hours: OpenHours) -> str | None:
    """Why nothing of the shift of that day is open, such as `public holiday Epiphany`; None: something is."""
    if has_open_shift(day, hours):
        return None
    shift = [from_micros(at) for span in shift_of(day, hours) for at in (span[0], span[1] - 1)]
    if not shift:
        return f"there is no such day in {hours.zone.key}"
    customers = (_customer_reason(moment, hours) for moment in shift)
    reason = _own_reason(day, hours) or next((reason for reason in customers if reason), None)
    return reason or (None if hours.busy is None else _busy_reason(hours))


def reason_at(moment: datetime, hours: OpenHours) -> str | None:
    """Why that moment, which is in the usual hours, is closed; None: it is only not in the hours."""
    wall = to_wall(moment, hours.zone)
    own = _own_reason(wall.date(), hours)
    if own is None and hours.end <= hours.start and wall.time() < hours.end:
        own = _own_reason(wall.date() - DAY, hours)
    is_busy = hours.busy is not None and hours.busy.widen(hours.call_minutes).has(to_micros(moment))
    return own or _customer_reason(moment, hours) or (_busy_reason(hours) if is_busy else None)


def _busy_reason(hours: OpenHours) -> str:
    return f"{hours.person or SOMEBODY} {BUSY}"


def _own_reason(day: date, hours: OpenHours) -> str | None:
    if is_away(day, hours.away):
        return f"{TIME_OFF} of {hours.person}" if hours.person else TIME_OFF
    name = None if hours.holidays is None else hours.holidays.name_of(day)
    if name is not None:
        return f"{PUBLIC_HOLIDAY}{name}"
    return None if day.weekday() in hours.days else "no working day"


def _customer_reason(moment: datetime, hours: OpenHours) -> str | None:
    customer = hours.customer
    if customer is None:
        return None
    for zone in customer.zones or (hours.zone,):
        day = to_wall(moment, zone).date()
        name = None if customer.holidays is None else customer.holidays.name_of(day)
        if name is not None:
            return f"{PUBLIC_HOLIDAY}{name} of the customer"
        if day.weekday() in customer.weekend:
            return "weekend of the customer"
    return None
