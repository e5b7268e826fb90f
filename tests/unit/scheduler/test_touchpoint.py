"""The few paths a touchpoint's life may take."""

from dataclasses import replace
from datetime import timedelta

import pytest

from services.scheduler.domain.touchpoint import (
    Closure,
    IllegalTransition,
    Outcome,
    Owner,
    Status,
    Verdict,
    cancelled,
    lapsed,
    moved_by_hand,
    planned_again,
    reassigned,
    released,
    settled,
)
from tests.unit.scheduler.wishes import NOW, by_hand

PLANNED = by_hand(NOW)
DONE = Outcome("completed", NOW, "crm", "1")


def test_it_comes_due_at_its_time() -> None:
    due = released(PLANNED, NOW)

    assert (due.status, due.released_at, due.sequence) == (Status.DUE, NOW, 2)


def test_it_never_comes_due_early() -> None:
    with pytest.raises(IllegalTransition, match="released"):
        released(PLANNED, NOW - timedelta(microseconds=1))


def test_it_comes_due_once() -> None:
    with pytest.raises(IllegalTransition):
        released(released(PLANNED, NOW), NOW)


def test_a_planned_one_may_be_settled_early() -> None:
    assert settled(PLANNED, DONE).status is Status.SETTLED


def test_an_overdue_one_may_still_be_settled() -> None:
    overdue = lapsed(released(PLANNED, NOW))

    assert settled(overdue, DONE).sequence == overdue.sequence + 1


def test_a_later_stamped_outcome_replaces_and_an_earlier_one_does_not() -> None:
    done = settled(PLANNED, DONE)
    later = replace(DONE, kind="missed", time=NOW + timedelta(seconds=1))
    earlier = replace(DONE, kind="declined", time=NOW - timedelta(seconds=1))

    assert settled(done, later).outcome == later
    assert settled(done, earlier) == done
    assert settled(done, DONE) == done


def test_a_cancelled_one_is_not_settled() -> None:
    gone = cancelled(PLANNED, Verdict(Closure.BY_HAND, "not wanted"))

    with pytest.raises(IllegalTransition):
        settled(gone, DONE)


def test_only_a_withdrawn_one_is_planned_again() -> None:
    withdrawn = cancelled(PLANNED, Verdict(Closure.WITHDRAWN, "no longer asked for"))
    dropped = cancelled(PLANNED, Verdict(Closure.BY_HAND, "not wanted"))

    again = planned_again(withdrawn, PLANNED)

    assert (again.status, again.sequence, again.verdict) == (Status.PLANNED, withdrawn.sequence + 1, None)
    with pytest.raises(IllegalTransition):
        planned_again(dropped, PLANNED)


def test_a_hand_moved_one_keeps_its_date_and_loses_a_deadline_before_it() -> None:
    tight = replace(PLANNED, deadline=NOW + timedelta(days=1))

    moved = moved_by_hand(tight, NOW + timedelta(days=2))

    assert (moved.due_at, moved.deadline, moved.pinned) == (NOW + timedelta(days=2), None, True)


def test_what_nobody_led_is_led_by_the_person_it_is_given_to() -> None:
    assert reassigned(replace(PLANNED, owner=Owner.AUTOMATION), "bob").owner is Owner.CSM
    assert reassigned(replace(PLANNED, owner=Owner.SALES), "bob").owner is Owner.SALES
