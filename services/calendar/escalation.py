"""Escalations of the calendar itself: what it cannot place as it should goes to a person, who can do something about it.

The id follows from the cause, so that the same cause makes one escalation, however often it is found.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, NamedTuple

from schemas.ids import derived_id
from schemas.plans import Cause, Reason
from schemas.standing import TouchpointContent
from schemas.touchpoints import CALENDAR_RULE
from services.calendar.open_hours import OpenHours, next_open, to_wall, working_hours
from services.calendar.touchpoint import Origin, Touchpoint
from services.calendar.weeks import name_week

TYPE: Final = "escalation"
MINUTES: Final = 30
AHEAD: Final = timedelta(days=28)
"""How long before the moment in question a person learns of it: time to find cover or to agree on another day."""
SOURCE: Final = "/drumbeat/calendar"


class Problem(StrEnum):
    """What does not fit; the rule of the reason of its escalation."""

    GAP = f"{CALENDAR_RULE}gap"
    """Between two touchpoints that are never skipped more time passes than one and a half intervals."""
    DEADLINE = f"{CALENDAR_RULE}deadline"
    """A touchpoint cannot take place before its deadline."""
    NO_DAY = f"{CALENDAR_RULE}no_day"
    """A touchpoint has no allowed day in its window."""
    NO_ROOM = f"{CALENDAR_RULE}no_room"
    """The weeks of its person have no room for a touchpoint that is not given up."""


OF_PEOPLE: Final = frozenset({Problem.NO_DAY, Problem.NO_ROOM})
"""Found when a person's book is levelled; the others when an account's calendar is reconciled."""


class Difficulty(NamedTuple):
    """Something that does not fit: of which account, whose, when, and in plain English. `cause` identifies it."""

    problem: Problem
    account_id: str
    cause: str
    csm_id: str | None
    at: datetime
    purpose: str
    text: str


def escalation_id(account_id: str, problem: Problem, cause: str) -> str:
    return derived_id("touchpoint", account_id, TYPE, problem, cause)


def make_escalation(difficulty: Difficulty, hours: OpenHours, now: datetime) -> Touchpoint:
    """The escalation, for the account's CSM: four weeks ahead, or as soon as they work."""
    due_at = next_open(max(now, difficulty.at - AHEAD), working_hours(hours))
    end_at = max(difficulty.at, due_at)
    content = TouchpointContent(
        channel="in_app",
        purpose=difficulty.purpose,
        topic=None,
        audience=(),
        reason=Reason(rule=difficulty.problem, policy="", text=difficulty.text),
        precedence="escalation",
        priority=3,
        cause=Cause(source=SOURCE, id=difficulty.cause),
    )
    return Touchpoint(
        id=escalation_id(difficulty.account_id, difficulty.problem, difficulty.cause),
        account_id=difficulty.account_id, type=TYPE, origin=Origin.CALENDAR, due_at=due_at, start_at=due_at,
        end_at=end_at, deadline=end_at if end_at > due_at else None, owner="csm", csm_id=difficulty.csm_id,
        minutes=MINUTES, content=content,
    )  # fmt: skip


def problem_of(touchpoint: Touchpoint) -> Problem | None:
    """What an escalation of the calendar is about; None: it is none."""
    if touchpoint.origin is not Origin.CALENDAR or touchpoint.content is None:
        return None
    return Problem(touchpoint.content.reason.rule)


def name_person(csm_id: str, hours: OpenHours) -> str:
    """As the directory names whose hours these are, as far as it does."""
    return hours.person or csm_id


def name_type(touchpoint_type: str) -> str:
    """`business_review` -> `business review`."""
    return touchpoint_type.replace("_", " ")


def name_weeks(moments: Iterable[datetime], hours: OpenHours) -> str:
    """`week 2026-W14`, or `weeks 2026-W14 to 2026-W16`."""
    days = sorted(to_wall(moment, hours.zone).date() for moment in moments)
    first, last = name_week(days[0]), name_week(days[-1])
    return f"week {first}" if first == last else f"weeks {first} to {last}"
