"""Calendars as messages and back: the scheduler writes them, a simulation begins with them."""

from schemas.standing import StandingSeries, StandingTouchpoint
from services.calendar.recurrence import FormerMoments, Series
from services.calendar.touchpoint import (
    Cancellation,
    Closure,
    Origin,
    Status,
    Touchpoint,
)

_SHARED = (
    "id", "type", "due_at", "start_at", "end_at", "deadline", "owner", "csm_id", "minutes", "number", "pinned",
    "sequence", "released_at", "follows", "shift", "group", "move_reason", "earliest_at", "latest_at", "soft_days",
)  # fmt: skip
_SHARED_OF_SERIES = (
    "type", "every_days", "anchor", "until", "last_number", "active", "owner", "csm_id", "minutes", "left_out",
    "rrule",
)  # fmt: skip


def write_standing_touchpoint(touchpoint: Touchpoint) -> StandingTouchpoint:
    """The message of a touchpoint; outcomes are left out."""
    cancellation = touchpoint.cancellation
    return StandingTouchpoint.of_valid(
        **{name: getattr(touchpoint, name) for name in _SHARED},
        origin=touchpoint.origin.value,
        status=touchpoint.status.value,
        content=touchpoint.content,
        closure=None if cancellation is None else cancellation.closure.value,
        closure_text="" if cancellation is None else cancellation.text,
    )


def read_standing_touchpoint(message: StandingTouchpoint, account_id: str) -> Touchpoint:
    """The touchpoint of a message."""
    cancellation = None
    if message.closure is not None:
        cancellation = Cancellation(Closure(message.closure), message.closure_text)
    return Touchpoint(
        account_id=account_id,
        origin=Origin(message.origin),
        status=Status(message.status),
        content=message.content,
        cancellation=cancellation,
        **{name: getattr(message, name) for name in _SHARED},
    )


def write_standing_series(series: Series) -> StandingSeries:
    first, last = series.phase or (None, None)
    return StandingSeries.of_valid(
        **{name: getattr(series, name) for name in _SHARED_OF_SERIES},
        content=series.content,
        former=series.former,
        phase_from=first,
        phase_to=last,
    )


def read_standing_series(message: StandingSeries) -> Series:
    first, last = message.phase_from, message.phase_to
    return Series(
        content=message.content,
        former=tuple(FormerMoments.of_valid(**vars(moments)) for moments in message.former),
        phase=None if first is None or last is None else (first, last),
        **{name: getattr(message, name) for name in _SHARED_OF_SERIES},
    )
