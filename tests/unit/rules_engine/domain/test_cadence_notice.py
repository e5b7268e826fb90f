"""When a customer is told of their cadence: at the beginning, and once for each change that stands (S187, S191, S215)."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from schemas.notices import NoticePhase, NoticeRequested, NoticeRhythm
from services.cadence.account import FactEvent
from services.cadence.evaluation.outlook import project_cadence
from services.cadence.portfolio import Portfolio
from services.rules_engine.domain.cadence_notice import (
    STANDS,
    Cadence,
    NoticeState,
    NoticeStep,
    cadence_of,
    decide_notice,
    find_difference,
)
from tests.conftest import examples
from tests.unit.cadence.events import DAY, HOUR, NOW, facts_after, issued, make_event, shipped

TODAY = NOW.date()


def account(arr: int = 250_000, days_ago: int = 0) -> list[FactEvent]:
    start = NOW - days_ago * DAY
    contract = {"contract_id": "c", "status": "active", "starts_on": start.date()}
    return [
        make_event("account.described", start, arr=arr, csm_id="csm-1"),
        make_event("contract.changed", start, **contract, renews_on=start.date() + 729 * DAY),
        make_event("health.scored", NOW - HOUR, score=85),
    ]


def health(score: int, at: datetime) -> FactEvent:
    return make_event("health.scored", at, score=score)


def step(state: NoticeState, events: Sequence[FactEvent], now: datetime) -> NoticeStep:
    outlook = project_cadence(shipped(), facts_after(events), issued([]), Portfolio(), now)
    return decide_notice("acme", 7, state, outlook, now)


def test_at_onboarding_the_customer_is_told_once_it_has_stood_for_a_day() -> None:
    first = step(NoticeState(), account(), NOW)
    assert (first.notice, first.check_at) == (None, NOW + STANDS)
    assert first.state is not None
    early = step(first.state, account(), NOW + STANDS - HOUR)
    assert (early.notice, early.check_at) == (None, NOW + STANDS)

    then = step(first.state, account(), NOW + STANDS)

    notice = then.notice
    assert notice is not None
    assert (notice.kind, notice.cause, notice.version) == ("cadence_told", "start", 7)
    assert [phase.begins_on > TODAY for phase in notice.phases[1:]] == [True] * (len(notice.phases) - 1)
    assert {rhythm.touchpoint_type: rhythm.every_days for rhythm in notice.rhythms}["check_in"] == 7
    assert then.state is not None
    assert step(then.state, account(), NOW + 40 * DAY).notice is None
    assert step(then.state, account(), NOW + 120 * DAY).notice is None  # as it was told


@pytest.mark.parametrize("days_ago", [31, 400])
def test_an_established_account_is_told_nothing_unasked(days_ago: int) -> None:
    assert step(NoticeState(), account(days_ago=days_ago), NOW) == NoticeStep(None)


def test_a_change_is_told_once_when_it_has_stood_for_a_day_with_why() -> None:
    red = [*account(days_ago=200), health(20, NOW)]

    waiting = step(_told_today(), red, NOW)
    assert (waiting.notice, waiting.check_at) == (None, NOW + STANDS)
    assert waiting.state is not None
    changed = step(waiting.state, red, NOW + STANDS)

    assert changed.notice is not None
    assert (changed.notice.kind, changed.notice.cause) == ("cadence_changed", "attention")
    assert changed.notice.reason is not None
    assert changed.state is not None
    assert step(changed.state, red, NOW + STANDS).notice is None
    assert step(changed.state, red, NOW + STANDS).state == changed.state


def _told_today() -> NoticeState:
    """Told today what an account of half a year has."""
    outlook = project_cadence(shipped(), facts_after(account(days_ago=200)), issued([]), Portfolio(), NOW)
    return NoticeState(cadence_of(outlook), 1)


def test_a_plan_that_flaps_and_is_back_is_not_told() -> None:
    red, green = [*account(days_ago=200), health(20, NOW)], [*account(days_ago=200), health(20, NOW)]
    green.append(health(85, NOW + HOUR))
    waiting = step(_told_today(), red, NOW).state
    assert waiting is not None
    assert waiting.pending is not None

    back = step(waiting, green, NOW + HOUR)

    assert (back.notice, back.check_at) == (None, None)
    assert back.state is not None
    assert (back.state.pending, back.state.pending_since) == (None, None)


def test_what_the_customer_asked_for_is_why() -> None:
    contact = make_event("contact.described", NOW - DAY, contact_id="ann", role="champion")
    wish = make_event(
        "preference.changed", NOW, contact_id="ann", topic="account", channel="any", frequency="monthly"
    )
    asked = [*account(days_ago=200), contact, wish]
    waiting = step(_told_today(), asked, NOW).state
    assert waiting is not None

    notice = step(waiting, asked, NOW + STANDS).notice

    assert notice is not None
    assert notice.cause == "wish"


def test_ids_follow_from_the_account_and_what_is_told() -> None:
    waiting = step(NoticeState(), account(), NOW).state
    assert waiting is not None
    one, two = (step(waiting, account(), NOW + STANDS).notice for _ in range(2))
    assert one == two
    assert one is not None
    again = step(_told_today(), [*account(days_ago=200), health(20, NOW)], NOW).state
    assert again is not None
    later = step(again, [*account(days_ago=200), health(20, NOW)], NOW + STANDS).notice
    assert later is not None
    assert later.notice_id != one.notice_id


def cadence(*phases: tuple[date, int], until: date = TODAY + 365 * DAY) -> Cadence:
    made = (
        NoticePhase(
            begins_on=begins_on,
            rhythms=(NoticeRhythm(touchpoint_type="check_in", every_days=days, channel="call", owner="csm"),),
        )
        for begins_on, days in phases
    )
    return Cadence(tuple(made), until, "enterprise", "onboarding", "green")


@pytest.mark.parametrize(("shift", "differs"), [(0, False), (6, False), (-6, False), (7, True), (-7, True)])
def test_a_phase_that_begins_some_days_earlier_or_later_is_no_change(shift: int, *, differs: bool) -> None:
    change = TODAY + 60 * DAY
    before, after = cadence((TODAY, 7), (change, 30)), cadence((TODAY, 7), (change + shift * DAY, 30))
    found = find_difference(before, after, TODAY)
    assert found == (min(change, change + shift * DAY) if differs else None)


def test_what_was_told_goes_on_when_its_year_is_over_and_is_compared_for_a_month() -> None:
    old = cadence((TODAY - 400 * DAY, 7), (TODAY - 300 * DAY, 30), until=TODAY - 35 * DAY)
    assert find_difference(old, cadence((TODAY, 30)), TODAY) is None
    assert find_difference(old, cadence((TODAY, 30), (TODAY + 60 * DAY, 90)), TODAY) is None
    assert find_difference(old, cadence((TODAY, 90)), TODAY) == TODAY


@settings(max_examples=examples(0.4))
@given(
    st.lists(st.tuples(st.integers(1, 40), st.sampled_from([20, 50, 85])), min_size=1, max_size=6),
    st.randoms(use_true_random=False),
)
def test_whatever_happens_in_any_order_and_repetition_each_change_is_told_once(
    scores: list[tuple[int, int]], dice: Random
) -> None:
    """S191: at most one notice a day and a change, none equal to the one before, and at rest the last one is true."""
    one, notices = _live(scores, dice)
    other, again = _live(scores, dice)

    assert notices == again
    assert one == other
    assert len({notice.notice_id for notice in notices}) == len(notices)
    for before, after in pairwise(notices):
        assert after.at - before.at >= STANDS
        assert after.kind == "cadence_changed"
        known = Cadence(before.phases, TODAY + 365 * DAY, "", "", None)
        assert find_difference(known, Cadence(after.phases, TODAY + 365 * DAY, "", "", None), after.at.date())
    assert one.announced is not None
    assert one.pending is None


def _live(scores: list[tuple[int, int]], dice: Random) -> tuple[NoticeState, list[NoticeRequested]]:
    """The notices of an account whose health comes in any order and several times, and what it was told at the end."""
    state, now, notices = NoticeState(), NOW, list[NoticeRequested]()
    events = account()
    for hours, score in [*scores, (60, scores[-1][1]), (30, scores[-1][1])]:
        now += hours * HOUR
        events.append(health(score, now))
        shuffled = [*events, *events]
        dice.shuffle(shuffled)
        for _ in range(2):
            decided = step(state, shuffled, now)
            assert decided.state is not None
            state = decided.state
            notices += [decided.notice] if decided.notice else []
    return state, notices
