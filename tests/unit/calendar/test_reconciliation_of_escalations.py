"""What the calendar cannot place as it should is escalated once, in plain English, and withdrawn with its cause."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from schemas.times import Window
from services.calendar.escalation import AHEAD, Problem, problem_of
from services.calendar.reconciliation.context import ChangeKind, StoredCalendar
from services.calendar.touchpoint import Cancellation, Closure, Origin, Status, Touchpoint, cancel
from tests.unit.calendar.plans import (
    NOW,
    by_rule,
    calendar,
    come_due,
    decided,
    one_off,
    plan,
    reconciled,
    rhythm,
    season,
)

DAY = timedelta(days=1)
REVIEW = rhythm(90, touchpoint_type="business_review", never_skip=True)
LONG = season(60, 160, "business_review", name="retail")
"""The second review, due on day 90, has to stand on day 59 or 160, and the third is due on day 180."""
STUCK = season(20, 250, "business_review", name="freeze")


def escalations(stored: StoredCalendar, status: Status = Status.PLANNED) -> list[Touchpoint]:
    return [each for each in stored.touchpoints if each.origin is Origin.CALENDAR and each.status is status]


def test_a_review_moves_to_a_side_of_a_season_and_nothing_is_escalated_while_the_gap_is_short() -> None:
    """X20, S26."""
    stored = calendar(plan([REVIEW], avoid=[season(80, 118, "business_review", name="retail")]))

    reviews = sorted(each.due_at for each in stored.touchpoints if each.type == "business_review")
    assert len(reviews) == 5
    assert all((later - sooner).days <= 135 for sooner, later in pairwise(reviews))
    assert escalations(stored) == []


def test_a_gap_of_more_than_one_and_a_half_intervals_is_escalated_with_weeks_person_and_remedy() -> None:
    """X20: not more than 4.5 months between two reviews, else an escalation."""
    (escalation,) = escalations(calendar(plan([REVIEW], avoid=[STUCK])))

    assert problem_of(escalation) is Problem.GAP
    assert (escalation.type, escalation.owner, escalation.csm_id) == ("escalation", "csm", "ada")
    assert escalation.content is not None
    assert escalation.content.topic is None
    assert escalation.content.precedence == "escalation"
    text = escalation.content.reason.text
    for part in ("business review", "weeks 2026-W", "ada", "135", "freeze", "What helps"):
        assert part in text
    assert escalation.due_at >= NOW + 135 * DAY - AHEAD - 5 * DAY


def test_the_same_cause_makes_one_escalation_and_a_gone_cause_withdraws_it_with_its_reason() -> None:
    stuck = plan([REVIEW], avoid=[STUCK])
    stored = calendar(stuck)
    assert {change.kind for change in reconciled(stuck, stored).changes} == {ChangeKind.KEEP}

    free = calendar(plan([REVIEW], version=2), stored)
    assert escalations(free) == []
    (withdrawn,) = escalations(free, Status.CANCELLED)
    assert withdrawn.cancellation is not None
    assert (withdrawn.cancellation.closure, withdrawn.cancellation.text) == (
        Closure.WITHDRAWN,
        "its cause is gone",
    )

    again = calendar(decided(stuck, version=3), free)
    assert [each.id for each in escalations(again)] == [withdrawn.id]
    assert escalations(again)[0].sequence > withdrawn.sequence


def test_an_escalation_that_came_due_is_its_persons_and_stays() -> None:
    stored = calendar(plan([REVIEW], avoid=[STUCK]))
    (escalation,) = escalations(stored)
    later = escalation.due_at + DAY
    due = come_due(stored, later)
    free = calendar(plan([REVIEW], version=2, at=later), due, now=later)

    assert [each.id for each in escalations(free, Status.DUE)] == [escalation.id]


def test_a_rhythm_that_is_not_protected_is_not_escalated() -> None:
    stored = calendar(plan([rhythm(90, touchpoint_type="business_review")], avoid=[STUCK]))

    assert escalations(stored) == []


def test_a_deadline_that_cannot_be_met_is_escalated() -> None:
    start = datetime(2026, 3, 10, 9, tzinfo=UTC)
    late = one_off("renewal_discussion", window=Window(from_=start, to=start + 5 * DAY), never_skip=True)
    blocked = season(-1, 60, "renewal_discussion", name="freeze")
    (escalation,) = escalations(calendar(plan(one_offs=[late], avoid=[blocked])))

    assert problem_of(escalation) is Problem.DEADLINE
    assert escalation.content is not None
    assert "renewal discussion" in escalation.content.reason.text
    assert "2026-03-15" in escalation.content.reason.text
    assert escalations(calendar(plan(one_offs=[late]))) == []


def test_what_is_held_until_further_notice_is_not_escalated() -> None:
    assert escalations(calendar(plan([REVIEW], avoid=[season(20, None, "business_review")]))) == []


def without(stored: StoredCalendar, number: int) -> StoredCalendar:
    """A person cancelled that review."""
    touchpoints = [
        cancel(each, Cancellation(Closure.BY_HAND, "no longer wanted")) if each.number == number else each
        for each in stored.touchpoints
    ]
    return replace(stored, touchpoints=tuple(touchpoints))


def text_of(escalation: Touchpoint) -> str:
    assert escalation.content is not None
    return escalation.content.reason.text


@pytest.mark.parametrize("rule", [None, "FREQ=MONTHLY;INTERVAL=3"])
def test_a_gap_that_a_person_made_by_cancelling_a_review_is_escalated(rule: str | None) -> None:
    """X20: days 0 and 180 are left, whatever the targets are."""
    review = plan([REVIEW.model_copy(update={"rrule": rule})])
    again = calendar(decided(review, version=2), without(calendar(review), 2))

    (escalation,) = escalations(again)
    assert problem_of(escalation) is Problem.GAP
    assert "Between two touchpoints of type business review pass 18" in text_of(escalation)


def test_a_gap_that_a_long_pause_leaves_is_escalated() -> None:
    """X20: what the pause leaves out counts as well as what it moves."""
    paused = season(0, 210, name="pause")
    (first,) = escalations(calendar(plan([REVIEW], avoid=[paused])))
    assert "The first touchpoint of type business review is only after 21" in text_of(first)

    known = plan([REVIEW.model_copy(update={"last_touch_at": NOW - 30 * DAY})], avoid=[paused])
    (later,) = escalations(calendar(known))
    assert "Between two touchpoints of type business review pass 24" in text_of(later)


def test_a_rhythm_that_begins_long_after_the_last_contact_is_no_difficulty_nor_is_a_rule_with_wide_gaps() -> (
    None
):
    old = plan([REVIEW.model_copy(update={"last_touch_at": NOW - 300 * DAY, "urgency": "spread"})])
    assert escalations(calendar(old)) == []
    assert escalations(calendar(decided(old, version=2), calendar(old))) == []

    uneven = plan([by_rule("FREQ=YEARLY;BYMONTH=1,2,3;BYMONTHDAY=1", never_skip=True)])
    assert escalations(calendar(uneven)) == []


def test_a_review_that_took_place_early_leaves_no_gap_before_the_next_one() -> None:
    review = plan([REVIEW])
    stored = without(calendar(review), 2)  # settled on day 85, as the rules engine says
    now = NOW + 85 * DAY
    early = REVIEW.model_copy(update={"last_touch_at": now})
    stored = replace(come_due(stored, NOW), last_due_at={"business_review": NOW})

    assert escalations(calendar(plan([early], version=2, at=now), stored, now=now)) == []
