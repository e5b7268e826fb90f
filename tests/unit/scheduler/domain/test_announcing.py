"""Readers of events hear what remains of the changes, and nothing of what they never knew (row 47)."""

from datetime import timedelta

import pytest

from services.calendar.touchpoint import (
    Cancellation,
    Closure,
    Origin,
    RecordedOutcome,
    Status,
    Touchpoint,
    cancel,
    settle,
)
from services.scheduler.domain.announcing import KnownState, choose_event
from tests.unit.calendar.plans import NOW, by_hand

DAY = timedelta(days=1)
TOUCHPOINT = by_hand(NOW + DAY)._replace(origin=Origin.RHYTHM)
UNKNOWN = KnownState(None)


def known(touchpoint: Touchpoint) -> KnownState:
    return KnownState(
        touchpoint.status,
        touchpoint.due_at,
        touchpoint.start_at,
        touchpoint.end_at,
        touchpoint.deadline,
        touchpoint.owner,
        touchpoint.csm_id,
    )


def closed(closure: Closure, origin: Origin = Origin.RHYTHM) -> Touchpoint:
    return cancel(TOUCHPOINT._replace(origin=origin), Cancellation(closure, "why"))


def test_what_is_new_is_scheduled() -> None:
    assert choose_event(UNKNOWN, TOUCHPOINT) == "scheduled"


def test_what_is_planned_again_after_its_cancellation_is_scheduled_again() -> None:
    assert choose_event(known(closed(Closure.WITHDRAWN)), TOUCHPOINT._replace(sequence=3)) == "scheduled"


@pytest.mark.parametrize(
    "change",
    [
        {"due_at": NOW},
        {"start_at": NOW},
        {"end_at": NOW + 9 * DAY},
        {"deadline": NOW + 9 * DAY},
        {"owner": "sales"},
        {"csm_id": "bob"},
    ],
)
def test_what_readers_see_differently_is_moved(change: dict[str, object]) -> None:
    assert choose_event(known(TOUCHPOINT), TOUCHPOINT._replace(sequence=2, **change)) == "moved"


def test_what_is_again_as_it_was_has_no_event_whatever_its_sequence() -> None:
    assert choose_event(known(TOUCHPOINT), TOUCHPOINT._replace(sequence=21)) is None


def test_what_was_created_and_withdrawn_meanwhile_has_no_event() -> None:
    assert choose_event(UNKNOWN, closed(Closure.WITHDRAWN)) is None
    assert choose_event(UNKNOWN, closed(Closure.WITHDRAWN, Origin.ONE_OFF)) is None
    assert choose_event(UNKNOWN, closed(Closure.SUPPRESSED)) is None
    assert choose_event(known(closed(Closure.WITHDRAWN)), closed(Closure.WITHDRAWN)) is None


def test_what_readers_know_is_cancelled() -> None:
    assert choose_event(known(TOUCHPOINT), closed(Closure.WITHDRAWN)) == "cancelled"


@pytest.mark.parametrize("closure", [Closure.SUPPRESSED, Closure.EXPIRED])
def test_the_refusal_of_a_one_off_is_an_event_because_the_rules_engine_asked_for_it(closure: Closure) -> None:
    assert choose_event(UNKNOWN, closed(closure, Origin.ONE_OFF)) == "cancelled"


def test_what_is_settled_meanwhile_is_known_by_its_outcome() -> None:
    outcome = RecordedOutcome("completed", NOW, "/crm", "1")
    settled = settle(TOUCHPOINT._replace(due_at=NOW), outcome)

    assert settled.status is Status.SETTLED
    assert choose_event(known(TOUCHPOINT), settled) is None
    assert choose_event(UNKNOWN, settled) == "scheduled"
