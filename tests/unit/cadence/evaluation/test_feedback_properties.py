"""Laws of feedback, whatever was said in whatever order."""

from datetime import datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent, micros
from services.cadence.account.issued import Issued
from services.cadence.evaluation.feedback import MOST_STEPS, FeedbackStep, active_steps, evaluate_feedback
from services.cadence.evaluation.state import EvaluationState
from services.cadence.policy import Damping
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event
from tests.unit.cadence.policies import evaluated, feedback, policy, rhythm

DAMPING = Damping((7, 14, 30, 60, 90, 180), timedelta(days=60), timedelta(days=180), "email")
UNDER = policy(
    rhythm("base", "check_in", 14, within=(7, 60)),
    rhythm("floor", "business_review", 90, precedence="floor"),
    feedback("declines", "touchpoint.settled", "declines_in_row >= 2", 1, "check_in", "business_review"),
    feedback(
        "much", "survey.answered", 'survey_answer is not null and survey_answer == "too_much"', 1, "check_in"
    ),
    feedback(
        "little",
        "survey.answered",
        'survey_answer is not null and survey_answer == "too_little"',
        -1,
        "check_in",
    ),
    damping=DAMPING,
)
US = timedelta(microseconds=1)


@st.composite
def events(draw: st.DrawFn) -> FactEvent:
    at = NOW - draw(st.integers(0, 400)) * DAY
    if draw(st.booleans()):
        answer = draw(st.sampled_from(["too_much", "too_little", "about_right"]))
        return make_event("survey.answered", at, survey="rhythm", answer=answer)
    return make_event(
        "touchpoint.settled",
        at,
        touchpoint_id=str(draw(st.integers(0, 5))),
        touchpoint_type="check_in",
        outcome=draw(st.sampled_from(["declined", "missed", "attended"])),
    )


posts = st.lists(events(), max_size=15)


def interval(post: list[FactEvent], now: datetime = NOW) -> int:
    (found,) = [
        each for each in evaluated(UNDER, *post, now=now).plan.rhythms if each.touchpoint_type == "check_in"
    ]
    return found.every_days


@given(posts, st.data())
def test_the_order_of_arrival_means_nothing(post: list[FactEvent], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(post))

    assert evaluated(UNDER, *post).key == evaluated(UNDER, *shuffled, *post).key


@given(posts)
def test_feedback_never_leaves_what_the_rule_allows_and_moves_by_no_more_than_two_steps(
    post: list[FactEvent],
) -> None:
    state = EvaluationState(UNDER, facts_after(post), Issued(), Portfolio(), NOW)

    assert 7 <= interval(post) <= 60
    assert all(abs(level) <= MOST_STEPS for _, level in evaluate_feedback(state).levels)


@given(st.lists(st.integers(0, 500), max_size=20), st.integers(0, 500))
def test_at_most_one_step_counts_in_any_spacing(days: list[int], now: int) -> None:
    rule = UNDER.content.feedback[0]
    ordered = [FeedbackStep(micros(NOW + day * DAY), str(day), rule, 0, {}) for day in sorted(days)]
    turns: set[int] = set()
    live = active_steps(ordered, DAMPING, micros(NOW + now * DAY), turns)

    spacing, lasts = DAMPING.spacing // US, DAMPING.lasts // US
    assert all(later.at - former.at >= spacing for former, later in pairwise(live))
    assert all(micros(NOW + now * DAY) - lasts < each.at <= micros(NOW + now * DAY) for each in live)
    # Whatever is asked for either counts, or there was a step less than the spacing before it.
    if ordered and ordered[0].at <= micros(NOW + now * DAY) < ordered[0].at + lasts:
        assert live[0] == ordered[0]


@given(posts, st.floats(0, 1, exclude_max=True))
def test_nothing_changes_before_the_next_evaluation(post: list[FactEvent], share: float) -> None:
    first = evaluated(UNDER, *post)
    until = first.next_evaluation_at or NOW + 400 * DAY
    later = NOW + timedelta(microseconds=int((until - NOW) / US * share))

    assert evaluated(UNDER, *post, now=later).key == first.key


@given(posts)
def test_in_the_end_everything_is_forgotten(post: list[FactEvent]) -> None:
    assert interval(post, NOW + 180 * DAY) == 14
