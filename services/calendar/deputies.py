"""Colleagues who may stand in for somebody, with what they have planned themselves."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime
from typing import Final, NamedTuple

from services.calendar.busy_time import add_spans
from services.calendar.lengths import length_of
from services.calendar.open_hours import OpenHours
from services.calendar.stretches import to_micros

_NO_WEEKS: Final[Mapping[date, int]] = {}


class DeputyWork(NamedTuple):
    """What a colleague has planned. `is_invited`: people know its time."""

    due_at: datetime
    minutes: int
    is_invited: bool = False


class Deputy(NamedTuple):
    """A colleague who may stand in, and the minutes they have planned at the time in question.

    `hours`: without the meetings to which people are invited, so that nobody is in two at a time. `free`: the minutes
    that are left in each of the weeks in question, by its Monday. `has_hours`: False, they have none for touchpoints in
    any week, and stand in for nobody.
    """

    csm_id: str
    hours: OpenHours
    minutes: int
    free: Mapping[date, int] = _NO_WEEKS
    has_hours: bool = True


def sort_able(deputies: Iterable[Deputy]) -> list[Deputy]:
    """Those who have hours, who has the most room first."""
    return sorted((each for each in deputies if each.has_hours), key=lambda each: (each.minutes, each.csm_id))


def take_on(deputy: Deputy, work: Collection[DeputyWork]) -> Deputy:
    """The deputy with this work besides."""
    spans = [
        (to_micros(each.due_at), to_micros(each.due_at + length_of(each.minutes)))
        for each in work
        if each.is_invited
    ]
    hours = replace(deputy.hours, busy=add_spans(deputy.hours.busy, spans)) if spans else deputy.hours
    return deputy._replace(hours=hours, minutes=deputy.minutes + sum(each.minutes for each in work))
