"""What stops a rule that holds: each cause planted once and told, and removed alone it lets the rule through."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent
from services.cadence.evaluation import Decision
from services.cadence.evaluation.evaluate import find_next_evaluation
from services.cadence.policy import Cap, Trigger
from tests.unit.cadence.events import DAY, HOUR, NOW, came_due, make_event, one_offs, settled
from tests.unit.cadence.policies import (
    blackout,
    evaluated,
    limit,
    policy,
    rhythm,
    stop,
    stops,
    trigger,
)

ASK = trigger("ask", "nps.answered", "advocacy_ask", 10)
OTHER = trigger("other", "expansion.signalled", "expansion_discovery", 10)
NPS = make_event("nps.answered", NOW, score=9)


def met(kind: str, days_ago: float) -> FactEvent:
    """A touchpoint of that type came due so long ago."""
    at = NOW - days_ago * DAY
    return make_event(
        "touchpoint.due",
        at,
        "/s",
        touchpoint_id=f"{kind}{days_ago}",
        touchpoint_type=kind,
        due_at=at,
        occurrence=3,
    )


def fires(decision: Decision) -> bool:
    return [each.reason.rule for each in one_offs(decision, "advocacy_ask")] == ["ask"]


def with_cap(count: int, days: int) -> Trigger:
    return replace(ASK, cap=Cap(count, timedelta(days=days)))


def check(stopped: Decision, cause: str, until: datetime | None, removed: Decision) -> None:
    found = stop(stopped, "ask")
    assert (found.cause, found.until) == (cause, until)
    assert stopped.stopped("ask") == found
    assert not fires(stopped)
    assert fires(removed)
    assert removed.stopped("ask") is None


def test_a_cool_down_stops_until_it_is_over() -> None:
    under = policy(replace(ASK, cooldown=timedelta(days=30)))
    stopped = evaluated(under, NPS, came=(met("advocacy_ask", 25),))

    check(stopped, "cooldown", NOW + 5 * DAY, evaluated(under, NPS))
    assert stopped.next_evaluation_at == NOW + 5 * DAY
    assert fires(evaluated(under, NPS, came=(met("advocacy_ask", 25),), now=NOW + 5 * DAY))


def test_a_cap_counts_what_was_held_and_opens_when_the_oldest_of_it_has_passed() -> None:
    came = (met("advocacy_ask", 85), met("advocacy_ask", 40))
    under = policy(with_cap(2, 90))

    check(evaluated(under, NPS, came=came), "cap", NOW + 5 * DAY, evaluated(under, NPS, came=came[1:]))
    assert fires(evaluated(policy(with_cap(3, 90)), NPS, came=came))
    assert fires(evaluated(under, NPS, came=came, now=NOW + 5 * DAY))


def test_a_limit_counts_all_of_its_types_rhythms_too() -> None:
    came = (met("check_in", 8), met("expansion_discovery", 3))
    budget = limit("budget", 2, 14, "advocacy_ask", "expansion_discovery", "check_in")
    base = rhythm("base", "check_in", 14)

    check(
        evaluated(policy(ASK, base, budget), NPS, came=came),
        "limit",
        NOW + 6 * DAY,
        evaluated(policy(ASK, base, budget), NPS, came=came[:1]),
    )
    assert fires(evaluated(policy(ASK, base), NPS, came=came))


def test_a_limit_counts_what_is_planned_the_earlier_fact_has_the_room() -> None:
    budget = limit("budget", 1, 90, "advocacy_ask", "expansion_discovery")
    signal = make_event("expansion.signalled", NOW - HOUR, signal="other")
    stopped = evaluated(policy(ASK, OTHER, budget), NPS, signal)

    check(stopped, "limit", NOW + 90 * DAY, evaluated(policy(ASK, OTHER, budget), NPS))
    assert len(one_offs(stopped, "expansion_discovery")) == 1


def test_of_one_type_the_earlier_fact_asks_first() -> None:
    first = replace(OTHER, rule="first", touchpoint="advocacy_ask")
    signal = make_event("expansion.signalled", NOW - HOUR, signal="other")

    check(evaluated(policy(ASK, first), NPS, signal), "asked_first", None, evaluated(policy(ASK, first), NPS))


def test_of_two_rules_on_one_fact_one_answers() -> None:
    twin = replace(ASK, rule="a-twin")

    check(evaluated(policy(ASK, twin), NPS), "precedence", None, evaluated(policy(ASK), NPS))


def test_a_pause_stops_what_does_not_outlast_it() -> None:
    pause = make_event("outreach.paused", NOW - DAY, until=NOW + 20 * DAY)

    check(evaluated(policy(ASK), NPS, pause), "pause", NOW + 20 * DAY, evaluated(policy(ASK), NPS))


def test_a_season_stops_what_does_not_outlast_it() -> None:
    season = blackout("season", (5, 1), (6, 30), "advocacy_ask")

    stopped = evaluated(policy(ASK, season), NPS)
    check(stopped, "blackout", datetime.fromisoformat("2026-07-01T00:00:00Z"), evaluated(policy(ASK), NPS))


def test_what_was_done_is_over_and_what_came_due_stands() -> None:
    under = policy(ASK)
    (asked,) = one_offs(evaluated(under, NPS), "advocacy_ask")
    due = came_due(asked, NOW + HOUR)

    stands = evaluated(under, NPS, came=(due,), now=NOW + 2 * HOUR)
    over = evaluated(under, NPS, came=(due, settled(asked, NOW + 3 * HOUR)), now=NOW + 4 * HOUR)
    assert (fires(stands), stops(stands)) == (True, [])
    assert (stop(over, "ask").cause, stop(over, "ask").reason) == ("over", "it was completed already")


@pytest.mark.parametrize(
    ("precedence", "cause"), [("preference", "preference"), ("escalation", "precedence")]
)
def test_a_rhythm_gives_way_to_what_comes_first(precedence: str, cause: str) -> None:
    base = rhythm("base", "check_in", 14)
    decision = evaluated(policy(base, rhythm("strong", "check_in", 7, precedence=precedence)))

    assert (stop(decision, "base").cause, stop(decision, "base").reason) == (cause, "strong comes first")
    assert decision.stopped("strong") is None


def test_the_one_that_ends_soonest_is_told_of_several() -> None:
    under = policy(replace(ASK, cooldown=timedelta(days=30)))
    decision = evaluated(
        under, NPS, make_event("nps.answered", NOW - DAY, score=9), came=(met("advocacy_ask", 25),)
    )

    assert stops(decision) == [("ask", "cooldown")] * 2
    found = decision.stopped("ask")
    assert found is not None
    assert found.until == NOW + 5 * DAY


@given(
    st.lists(st.tuples(st.integers(0, 400), st.booleans()), max_size=25),
    st.integers(1, 3),
    st.integers(10, 120),
)
def test_a_budget_is_never_exceeded_in_any_window(
    post: list[tuple[int, bool]], count: int, days: int
) -> None:
    under = policy(ASK, OTHER, limit("budget", count, days, "advocacy_ask", "expansion_discovery"))
    events = [
        make_event("nps.answered", NOW + at * DAY, score=9)
        if nps
        else make_event("expansion.signalled", NOW + at * DAY, signal="x")
        for at, nps in post
    ]
    came: list[FactEvent] = []
    held: list[int] = []
    for day in range(0, 420, 3):
        now = NOW + day * DAY
        known = [each for each in events if each.provenance.time <= now]
        open_ids = {each.fields["touchpoint_id"] for each in came}
        for asked in evaluated(under, *known, came=tuple(came), now=now).plan.touchpoints:
            if asked.id not in open_ids:
                came.append(came_due(asked, now))
                held.append(day)

    for day in held:
        assert sum(1 for other in held if day - days < other <= day) <= count


def test_up_to_a_moment_neither_what_is_over_nor_later_times_to_avoid_is_looked_at_again() -> None:
    """A simulation knows itself when a one-off comes due."""
    asked = evaluated(policy(ASK), NPS)
    closed = blackout("season", (12, 1), (12, 20), "advocacy_ask")
    stopped = evaluated(
        policy(replace(ASK, cooldown=timedelta(days=30))), NPS, came=(met("advocacy_ask", 25),)
    )
    avoiding = evaluated(policy(ASK, closed), NPS)
    until = NOW + 365 * DAY

    def look(decision: Decision, until: datetime | None = None) -> datetime | None:
        return find_next_evaluation(decision.state, decision.outline, until)

    assert (look(asked), look(asked, until)) == (NOW + 10 * DAY, None)
    assert look(stopped, until) == look(stopped) == NOW + 5 * DAY
    assert look(avoiding, until) is None
    listed = look(avoiding, NOW + 800 * DAY)
    assert listed is not None
    assert listed > NOW
