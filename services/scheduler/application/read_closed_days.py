"""The days on which an account or who leads it is away: public holidays of both, and the person's time off."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Annotated

from pydantic import Field

from schemas.base import Id, SchemaModel
from schemas.times import TimeOff
from services.calendar.open_hours import DateSpan
from services.calendar.public_holidays import HolidayCalendar

_DAY = timedelta(days=1)


class NamedDay(SchemaModel):
    """A public holiday."""

    on: date
    name: str


@dataclass(frozen=True, slots=True)
class AccountDays:
    """What closes days of an account. `customer`, `csm`: None, it is not known where they are."""

    customer: HolidayCalendar | None = None
    csm_id: str | None = None
    csm: HolidayCalendar | None = None
    away: tuple[DateSpan, ...] = ()


class ClosedDays(SchemaModel):
    """The days of a period, in order, on which a customer or its CSM is not there. Weekends are not among them."""

    customer_holidays: Annotated[
        tuple[NamedDay, ...] | None,
        Field(description="public holidays of the customer; null: its country is not known"),
    ] = None
    csm_id: Annotated[Id | None, Field(description="who leads the account, after hand-overs")] = None
    csm_holidays: Annotated[
        tuple[NamedDay, ...] | None,
        Field(description="public holidays of the CSM; null: there is none, or their country is not known"),
    ] = None
    csm_time_off: Annotated[
        tuple[TimeOff, ...], Field(description="time off of the CSM that touches the period")
    ] = ()


def find_closed_days(days: AccountDays, first: date, last: date) -> ClosedDays:
    """Those from `first` to `last`, both included."""
    away = [span for span in days.away if span.first <= last and span.last >= first]
    return ClosedDays(
        customer_holidays=_holidays(days.customer, first, last),
        csm_id=days.csm_id,
        csm_holidays=_holidays(days.csm, first, last),
        csm_time_off=tuple(TimeOff(from_=span.first, to=span.last) for span in sorted(away)),
    )


def _holidays(calendar: HolidayCalendar | None, first: date, last: date) -> tuple[NamedDay, ...] | None:
    if calendar is None or not calendar.is_known:
        return None
    days = (first + _DAY * number for number in range((last - first).days + 1))
    named = ((day, calendar.name_of(day)) for day in days)
    return tuple(NamedDay(on=day, name=name) for day, name in named if name is not None)
