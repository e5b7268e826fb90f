"""The days of a rhythm by the calendar after its interval changed: whole weeks, months and years stay what they are."""

from schemas.recurrence_dates import read_rule
from schemas.recurrence_rule import RecurrenceRule
from services.cadence.policy import Rhythm

_WEEK, _MONTH, _YEAR = 7, 30, 365


def rule_of_interval(rhythm: Rhythm, every_days: int) -> str | None:
    """The recurrence rule of the rhythm at that interval; None: every so many days.

    A rhythm on one weekday keeps the weekday, also by the month: a Wednesday mail goes out on the first Wednesday.
    """
    if rhythm.rrule is None or every_days == rhythm.every_days:
        return rhythm.rrule
    moved = _of_days(read_rule(rhythm.rrule), every_days)
    return None if moved is None else str(moved)


def _of_days(base: RecurrenceRule, every_days: int) -> RecurrenceRule | None:
    weekday = base.weekday
    if every_days % _YEAR == 0:
        return RecurrenceRule("YEARLY", every_days // _YEAR)
    if every_days % _MONTH == 0:
        months = every_days // _MONTH
        if base.frequency == "MONTHLY":
            return RecurrenceRule("MONTHLY", months, base.weekdays, base.month_days, base.positions)
        return RecurrenceRule("MONTHLY", months, ((1, weekday),) if weekday is not None else ())
    if every_days % _WEEK == 0:
        return RecurrenceRule("WEEKLY", every_days // _WEEK, ((0, weekday),) if weekday is not None else ())
    return None
