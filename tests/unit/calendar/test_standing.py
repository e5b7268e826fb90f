"""Calendars as messages and back: a simulation begins with exactly what the scheduler has (F4)."""

from dataclasses import fields
from datetime import timedelta

import pytest

from schemas.plans import About, Cause
from schemas.standing import (
    StandingAccount,
    StandingFormer,
    StandingPerson,
    StandingSeries,
    StandingTouchpoint,
    TouchpointContent,
)
from schemas.times import QuietHours
from services.calendar.customer_days import CustomerPlace
from services.calendar.person_hours import PersonDays
from services.calendar.recurrence import FormerMoments, Series
from services.calendar.standing import (
    read_standing_series,
    read_standing_touchpoint,
    write_standing_series,
    write_standing_touchpoint,
)
from services.calendar.touchpoint import (
    Cancellation,
    Closure,
    Origin,
    Status,
    Touchpoint,
)
from tests.unit.calendar.plans import NOW, reason

WEEK = timedelta(days=7)
MONTHLY = "FREQ=MONTHLY;BYMONTHDAY=1"
CONTENT = TouchpointContent(
    channel="meeting",
    purpose="talk",
    topic="account",
    audience=("champion",),
    reason=reason(),
    quiet_hours=QuietHours.model_validate({"from": "19:00", "to": "07:00"}),
    precedence="floor",
    priority=3,
    about=About(contract_id="c-1"),
    cause=Cause(source="/crm", id="c-1"),
)
FORMER = FormerMoments(every_days=7, owner="csm", anchor=NOW, after=NOW, left_at=NOW + WEEK, rrule=MONTHLY)
SERIES = Series(
    type="check_in", every_days=30, anchor=NOW, until=NOW + WEEK, last_number=4, active=True, content=CONTENT,
    owner="csm", csm_id="ada", minutes=30, left_out=(NOW,), former=(FORMER,), phase=(NOW, NOW + WEEK), rrule=MONTHLY,
)  # fmt: skip
TOUCHPOINT = Touchpoint(
    id="9ef4f0a2-3c3d-4c64-a5e3-07c8a3c9a001", account_id="acme", type="escalation", origin=Origin.CALENDAR,
    due_at=NOW, start_at=NOW - WEEK, end_at=NOW + WEEK, deadline=NOW + WEEK, owner="sales", status=Status.CANCELLED,
    csm_id="ada", minutes=30, number=7, pinned=True, sequence=3, released_at=NOW, content=CONTENT,
    cancellation=Cancellation(Closure.WITHDRAWN, "its cause is gone"),
    follows="9ef4f0a2-3c3d-4c64-a5e3-07c8a3c9a002", shift="covered by eve", group="9ef4f0a2-3c3d-4c64-a5e3-07c8a3c9a003",
    move_reason="asked for", earliest_at=NOW - WEEK, latest_at=NOW + WEEK, soft_days=2,
)  # fmt: skip


def test_a_touchpoint_and_a_series_come_back_with_every_field() -> None:
    """Each field has a value that is not its default, so that one that is not carried is found."""
    assert all(
        getattr(TOUCHPOINT, name) != default
        for name, default in Touchpoint._field_defaults.items()
        if name != "outcome"
    )
    assert set(CONTENT.model_fields_set) == set(TouchpointContent.model_fields)
    message = StandingTouchpoint.read(write_standing_touchpoint(TOUCHPOINT).write())
    assert read_standing_touchpoint(message, "acme") == TOUCHPOINT
    assert read_standing_series(StandingSeries.read(write_standing_series(SERIES).write())) == SERIES


@pytest.mark.parametrize("origin", Origin)
def test_every_origin_and_status_is_carried(origin: Origin) -> None:
    for status in Status:
        touchpoint = TOUCHPOINT._replace(origin=origin, status=status)
        assert read_standing_touchpoint(write_standing_touchpoint(touchpoint), "acme") == touchpoint


def test_a_new_field_of_the_calendar_is_a_new_field_of_the_standing_one() -> None:
    """The account's id is that of the page; of outcomes nothing is simulated."""
    left_out, spelled = {"account_id", "outcome", "cancellation"}, {"closure", "closure_text"}
    assert set(StandingTouchpoint.model_fields) - spelled == set(Touchpoint._fields) - left_out
    assert set(StandingFormer.model_fields) == set(FormerMoments.model_fields)
    names = {each.name for each in fields(Series)}
    assert set(StandingSeries.model_fields) - {"phase_from", "phase_to"} == names - {"phase"}
    assert set(CustomerPlace._fields) <= set(StandingAccount.model_fields)
    assert set(PersonDays._fields) - {"away"} <= set(StandingPerson.model_fields) - {"time_off"}
