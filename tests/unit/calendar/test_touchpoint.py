"""The transitions of a touchpoint."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from services.calendar.touchpoint import (
    Cancellation,
    Closure,
    IllegalTransition,
    RecordedOutcome,
    Status,
    WrongTime,
    become_overdue,
    cancel,
    check_new_time,
    move_by_hand,
    plan_again,
    reassign,
    release,
    restore,
    settle,
)
from tests.unit.calendar.plans import NOW, by_hand

PLANNED = by_hand(NOW)
DONE = RecordedOutcome("completed", NOW, "crm", "1")


def test_it_comes_due_at_its_time() -> None:
    due = release(PLANNED, NOW)

    assert (due.status, due.released_at, due.sequence) == (Status.DUE, NOW, 2)


def test_it_never_comes_due_early() -> None:
    with pytest.raises(IllegalTransition, match="released"):
        release(PLANNED, NOW - timedelta(microseconds=1))


def test_it_comes_due_once() -> None:
    with pytest.raises(IllegalTransition):
        release(release(PLANNED, NOW), NOW)


def test_a_planned_one_may_be_settled_early() -> None:
    assert settle(PLANNED, DONE).status is Status.SETTLED


def test_an_overdue_one_may_still_be_settled() -> None:
    overdue = become_overdue(release(PLANNED, NOW))

    assert settle(overdue, DONE).sequence == overdue.sequence + 1


def test_a_later_stamped_outcome_replaces_and_an_earlier_one_does_not() -> None:
    done = settle(PLANNED, DONE)
    later = replace(DONE, kind="missed", time=NOW + timedelta(seconds=1))
    earlier = replace(DONE, kind="declined", time=NOW - timedelta(seconds=1))

    assert settle(done, later).outcome == later
    assert settle(done, earlier) == done
    assert settle(done, DONE) == done


def test_a_cancelled_one_is_not_settled() -> None:
    gone = cancel(PLANNED, Cancellation(Closure.BY_HAND, "not wanted"))

    with pytest.raises(IllegalTransition):
        settle(gone, DONE)


def test_only_a_withdrawn_one_is_planned_again() -> None:
    withdrawn = cancel(PLANNED, Cancellation(Closure.WITHDRAWN, "no longer asked for"))
    dropped = cancel(PLANNED, Cancellation(Closure.BY_HAND, "not wanted"))

    again = plan_again(withdrawn, PLANNED)

    assert (again.status, again.sequence, again.cancellation) == (
        Status.PLANNED,
        withdrawn.sequence + 1,
        None,
    )
    with pytest.raises(IllegalTransition):
        plan_again(dropped, PLANNED)


def test_a_hand_moved_one_keeps_its_date_its_deadline_and_the_reason() -> None:
    """C: also where it is due only after its deadline; then it does not become overdue."""
    tight = PLANNED._replace(deadline=NOW + timedelta(days=1))

    moved = move_by_hand(tight, NOW + timedelta(days=2), "they are away")

    assert (moved.due_at, moved.deadline, moved.pinned) == (NOW + timedelta(days=2), tight.deadline, True)
    assert (moved.move_reason, moved.overdue_at) == ("they are away", None)


@pytest.mark.parametrize(
    ("to", "problem"),
    [
        (NOW - timedelta(seconds=1), "is in the past"),
        (NOW + timedelta(days=1, seconds=1), "is after the deadline, 2026-"),
        (NOW, None),
        (NOW + timedelta(days=1), None),
    ],
)
def test_a_time_in_the_past_or_after_the_deadline_is_refused(to: datetime, problem: str | None) -> None:
    """C: the text says how to go on."""
    tight = PLANNED._replace(deadline=NOW + timedelta(days=1))
    if problem is None:
        check_new_time(tight, to, NOW)
        return
    with pytest.raises(WrongTime, match=f"{problem}.*force it with a reason"):
        check_new_time(tight, to, NOW)


def test_what_no_person_owned_becomes_the_csms_when_reassigned() -> None:
    assert reassign(PLANNED._replace(owner="automation"), "bob").owner == "csm"
    assert reassign(PLANNED._replace(owner="sales"), "bob").owner == "sales"


def test_a_reopened_outcome_does_not_count_whatever_arrives_later_with_an_earlier_stamp() -> None:
    reopened = replace(DONE, kind="reopened", time=NOW + timedelta(hours=1), id="2")
    due = release(PLANNED, NOW)

    again = settle(settle(due, DONE), reopened)

    assert (again.status, again.sequence) == (Status.DUE, 4)
    assert settle(again, DONE) is again
    assert settle(settle(PLANNED, DONE), reopened).status is Status.PLANNED
    assert settle(due, reopened)._replace(outcome=None) == due
    assert settle(settle(due, reopened), DONE).status is Status.DUE


def test_a_restored_one_is_as_it_was_and_its_sequence_grows() -> None:
    moved = move_by_hand(PLANNED, NOW + timedelta(days=1))

    again = restore(moved, PLANNED, None)

    assert (again.sequence, again._replace(sequence=1)) == (3, PLANNED)


def test_an_outcome_on_top_of_another_one_is_later() -> None:
    early = replace(DONE, time=NOW - timedelta(hours=1), id="0")

    assert early.later_than(DONE).stamp > DONE.stamp
    assert DONE.later_than(early) is DONE
    assert DONE.later_than(None) is DONE
