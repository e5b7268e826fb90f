"""A check-in near a business review of the same person is part of it: by targets, with the reason."""

from dataclasses import replace
from datetime import timedelta

from services.calendar.reconciliation.context import ChangeKind, StoredCalendar
from services.calendar.touchpoint import Closure, Status, Touchpoint, move_by_hand
from tests.unit.calendar.plans import NOW, calendar, decided, plan, reconciled, rhythm, season

DAY = timedelta(days=1)
REVIEW = rhythm(91, touchpoint_type="business_review", never_skip=True)
CHECK_IN = rhythm(30, folds_into=("business_review",))
BOTH = plan([CHECK_IN, REVIEW])


def targets(stored: StoredCalendar, name: str, status: Status = Status.PLANNED) -> list[int]:
    same = [each for each in stored.touchpoints if each.type == name and each.status is status]
    return sorted((each.start_at - NOW).days for each in same)


def folded(stored: StoredCalendar) -> list[Touchpoint]:
    return [each for each in stored.touchpoints if each.status is Status.CANCELLED]


def test_a_check_in_within_three_days_of_a_review_is_part_of_it_and_says_so() -> None:
    stored = calendar(BOTH)

    assert targets(stored, "business_review") == [0, 91, 182, 273, 364]
    assert targets(stored, "check_in") == [30, 60, 120, 150, 210, 240, 300, 330, 360]
    assert targets(stored, "check_in", Status.CANCELLED) == [0, 90, 180, 270]
    second = folded(stored)[1].cancellation
    assert second is not None
    assert (second.closure, second.text) == (Closure.SUPPRESSED, "part of the business review on 2026-06-01")


def reasons(stored: StoredCalendar) -> list[str]:
    return [each.cancellation.text for each in folded(stored) if each.cancellation is not None]


def test_a_check_in_that_is_part_of_a_review_names_the_day_on_which_the_review_is() -> None:
    """Its target, day 91, is in a season: it is on day 80, and the check-in of day 90 stays part of it."""
    moved = decided(BOTH, avoid=(season(80.9, 110, "business_review"),))

    assert reasons(calendar(moved))[1] == "part of the business review on 2026-05-21"
    held = decided(BOTH, avoid=(season(80.9, None, "business_review"),))
    assert reasons(calendar(held))[1] == "part of the business review, which is held until further notice"


def test_folding_comes_to_rest_and_does_not_follow_a_day_that_moves() -> None:
    stored = calendar(BOTH)
    assert {change.kind for change in reconciled(BOTH, stored).changes} == {ChangeKind.KEEP}

    moved = tuple(
        each._replace(due_at=each.due_at + 9 * DAY, shift="levelled: there is more room", earliest_at=each.start_at,
                      latest_at=each.start_at + 30 * DAY)
        if each.type == "business_review" and each.status is Status.PLANNED and each.number == 2
        else each
        for each in stored.touchpoints
    )  # fmt: skip
    again = calendar(decided(BOTH, version=2), replace(stored, touchpoints=moved))
    assert targets(again, "check_in") == targets(stored, "check_in")


def test_a_check_in_comes_back_when_the_reviews_end() -> None:
    stored = calendar(BOTH)
    alone = calendar(plan([CHECK_IN], version=2), stored)

    assert [day for day in targets(alone, "check_in") if day > 0] == list(range(30, 361, 30))


def test_a_check_in_that_is_planned_already_is_cancelled_when_a_review_comes_near() -> None:
    stored = calendar(plan([CHECK_IN]))
    ids = {each.id for each in stored.touchpoints if each.status is Status.PLANNED}
    both = calendar(decided(BOTH, version=2), stored)

    assert targets(both, "check_in") == [0, 30, 60, 120, 150, 210, 240, 300, 330, 360]
    assert targets(both, "check_in", Status.CANCELLED) == [90, 180, 270]
    assert {each.id for each in both.touchpoints if each.type == "check_in"} == ids


def test_nothing_is_folded_before_the_first_days_are_chosen() -> None:
    spread = plan([rhythm(30, folds_into=("business_review",), urgency="spread"), REVIEW])

    assert folded(calendar(spread)) == []


def test_only_what_the_same_person_leads_is_folded_and_never_what_is_never_skipped() -> None:
    other = plan([CHECK_IN, rhythm(91, touchpoint_type="business_review", csm_id="bob", never_skip=True)])
    kept = plan([rhythm(30, folds_into=("business_review",), never_skip=True), REVIEW])
    digital = plan(
        [
            rhythm(30, owner="automation", csm_id=None, channel="email", folds_into=("business_review",)),
            REVIEW,
        ]
    )

    for each in (other, kept, digital):
        assert 0 in targets(calendar(each), "check_in")


def test_a_review_that_a_season_moves_keeps_what_is_folded_into_its_target() -> None:
    avoid = [season(85, 100, "business_review")]
    stored = calendar(decided(BOTH, avoid=tuple(avoid)))

    assert 90 in targets(stored, "check_in", Status.CANCELLED)


def test_a_check_in_with_a_date_by_hand_stays() -> None:
    stored = calendar(plan([CHECK_IN]))
    pinned = tuple(
        move_by_hand(each, each.due_at + DAY) if each.number == 4 else each for each in stored.touchpoints
    )
    both = calendar(decided(BOTH, version=2), replace(stored, touchpoints=pinned))

    assert 90 in targets(both, "check_in")
