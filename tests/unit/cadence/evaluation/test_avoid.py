"""Pauses and seasons: contact with the customer waits, our own work does not, and everything ends by itself."""

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plans import Plan
from services.cadence.account import FactEvent, micros, moment
from services.cadence.evaluation.avoid import HORIZON_DAYS, blackouts_of
from services.cadence.expressions.parser import parse
from tests.unit.cadence.events import DAY, HOUR, NOW, make_event, one_offs
from tests.unit.cadence.events import rhythm as item
from tests.unit.cadence.policies import blackout, evaluated, policy, rhythm, step, stop, trigger

UNDER = policy(
    rhythm("base", "check_in", 14),
    trigger("ask", "nps.answered", "advocacy_ask", 10),
    trigger("plan", "nps.answered", "risk_action_plan", 10),
)
NPS = make_event("nps.answered", NOW - HOUR, score=9)


def paused(until: datetime | None = None, at: datetime = NOW - DAY) -> FactEvent:
    return make_event("outreach.paused", at, until=until, reason="a merger")


def resumed(at: datetime) -> FactEvent:
    return make_event("outreach.resumed", at, reason="done")


def test_a_pause_moves_contact_to_its_end_while_our_own_work_goes_on() -> None:
    decision = evaluated(UNDER, NPS, paused(NOW + 3 * DAY))
    (ask,) = one_offs(decision, "advocacy_ask")
    (work,) = one_offs(decision, "risk_action_plan")

    assert (ask.window.from_, ask.window.to) == (NOW + 3 * DAY, NOW - HOUR + 10 * DAY)
    assert work.window.from_ == NOW - HOUR
    assert item(decision, "check_in") is not None
    assert decision.next_evaluation_at == NOW + 3 * DAY


@pytest.mark.parametrize("until", [None, NOW + 11 * DAY])
def test_what_finds_no_room_after_the_pause_is_told_to_be_stopped_by_it(until: datetime | None) -> None:
    decision = evaluated(UNDER, NPS, paused(until))

    assert one_offs(decision, "advocacy_ask") == []
    assert (stop(decision, "ask").cause, stop(decision, "ask").until) == ("pause", until)
    assert "a merger" in stop(decision, "ask").reason


def test_the_plan_says_what_to_avoid_and_its_key_follows() -> None:
    until = NOW + 3 * DAY
    decision = evaluated(UNDER, paused(until))
    (avoid,) = decision.plan.avoid

    assert (avoid.name, avoid.from_, avoid.to, avoid.touchpoint_types) == ("pause", NOW - DAY, until, ())
    assert avoid.text == "Outreach is paused until 2026-06-04: a merger"
    assert Plan.read(decision.plan.write()) == decision.plan
    assert evaluated(UNDER).plan.avoid == ()
    assert len({evaluated(UNDER).key, decision.key, evaluated(UNDER, paused()).key}) == 3


def test_a_pause_ends_by_itself_or_when_somebody_resumes() -> None:
    until = NOW + 3 * DAY

    assert evaluated(UNDER, NPS, paused(until), now=until - HOUR).plan.avoid
    for decision in (
        evaluated(UNDER, NPS, paused(until), now=until),
        evaluated(UNDER, NPS, paused(until), resumed(NOW), now=NOW + HOUR),
        evaluated(UNDER, NPS, paused(), resumed(NOW), now=NOW + HOUR),
    ):
        assert decision.plan.avoid == ()
        assert len(one_offs(decision, "advocacy_ask")) == 1


def test_a_pause_of_a_contact_is_none_of_the_account() -> None:
    other = make_event("outreach.paused", NOW - DAY, contact_id="ann", until=None)

    assert evaluated(UNDER, NPS, other).key == evaluated(UNDER, NPS).key


SUMMER = blackout("summer", (5, 20), (6, 5), "advocacy_ask", "check_in")
SEASONAL = policy(SUMMER, rhythm("base", "check_in", 14), trigger("ask", "nps.answered", "advocacy_ask", 10))


def test_what_falls_into_a_season_moves_to_its_end() -> None:
    (ask,) = one_offs(evaluated(SEASONAL, NPS), "advocacy_ask")

    assert ask.window.from_ == datetime(2026, 6, 6, tzinfo=UTC)
    assert ask.window.to == NOW - HOUR + 10 * DAY
    # It stays where it was moved to when the season is over.
    assert one_offs(evaluated(SEASONAL, NPS, now=NOW + 6 * DAY), "advocacy_ask") == [ask]


def test_what_has_no_room_after_a_season_is_stopped_by_it_unless_it_is_never_skipped() -> None:
    long = blackout("long", (5, 20), (6, 30), "advocacy_ask", "business_review")
    asks = trigger("ask", "nps.answered", "advocacy_ask", 10)
    review = trigger("review", "nps.answered", "business_review", 10)
    decision = evaluated(policy(long, asks, review), NPS)

    assert one_offs(decision, "advocacy_ask") == []
    assert stop(decision, "ask").cause == "blackout"
    assert stop(decision, "ask").until == datetime(2026, 7, 1, tzinfo=UTC)
    (kept,) = one_offs(decision, "business_review")
    assert (kept.window.from_, kept.never_skip) == (NOW - HOUR, True)


@pytest.mark.parametrize(
    ("place", "ends"),
    [
        ({"timezone": "America/Los_Angeles"}, datetime(2026, 6, 6, 7, tzinfo=UTC)),
        ({"timezone": "Pacific/Auckland"}, datetime(2026, 6, 5, 12, tzinfo=UTC)),
        ({"country": "JP"}, datetime(2026, 6, 5, 15, tzinfo=UTC)),
        ({"timezone": "Nowhere/Nowhere"}, datetime(2026, 6, 6, tzinfo=UTC)),
        ({}, datetime(2026, 6, 6, tzinfo=UTC)),
    ],
)
def test_the_days_of_a_season_are_those_of_the_account(place: dict[str, str], ends: datetime) -> None:
    described = make_event("account.described", NOW - DAY, **place)
    (ask,) = one_offs(evaluated(SEASONAL, described, NPS), "advocacy_ask")

    assert ask.window.from_ == ends


def test_what_begins_on_the_evening_before_a_season_begins_in_it_where_clocks_are_ahead() -> None:
    under = policy(
        blackout("later", (6, 2), (6, 20), "advocacy_ask"), trigger("ask", "nps.answered", "advocacy_ask", 10)
    )
    evening = datetime(2026, 6, 1, 20, tzinfo=UTC)
    answer = make_event("nps.answered", evening, score=9)
    described = make_event("account.described", NOW - DAY, timezone="Pacific/Auckland")

    assert one_offs(evaluated(under, answer, now=evening), "advocacy_ask")
    ahead = evaluated(under, described, answer, now=evening)
    assert one_offs(ahead, "advocacy_ask") == []
    assert stop(ahead, "ask").until == datetime(2026, 6, 20, 12, tzinfo=UTC)


def test_the_key_follows_the_zone_of_an_account() -> None:
    here, there = (
        evaluated(SEASONAL, make_event("account.described", NOW - DAY, timezone=zone), NPS)
        for zone in ("Europe/Berlin", "America/Los_Angeles")
    )

    assert here.key != there.key


def test_steps_of_a_timeline_move_out_of_a_season_too() -> None:
    under = policy(SUMMER, step("s", "advocacy_ask", -10, 9))
    renewal = make_event(
        "contract.changed", NOW - 300 * DAY, contract_id="c", status="active", renews_on=date(2026, 6, 12)
    )
    (found,) = one_offs(evaluated(under, renewal), "advocacy_ask")

    assert found.window.from_ == datetime(2026, 6, 6, tzinfo=UTC)


def test_the_plan_tells_of_the_seasons_of_fourteen_months_and_keeps_up_with_them() -> None:
    decision = evaluated(SEASONAL)

    assert [(each.from_.date(), each.to and each.to.date()) for each in decision.plan.avoid] == [
        (date(2026, 5, 20), date(2026, 6, 6)),
        (date(2027, 5, 20), date(2027, 6, 6)),
    ]
    assert [(each.first_on, each.last_on) for each in decision.plan.avoid] == [
        (date(2026, 5, 20), date(2026, 6, 5)),
        (date(2027, 5, 20), date(2027, 6, 5)),
    ]
    # Where clocks are twelve hours behind, its last day is over half a day later.
    assert decision.next_evaluation_at == datetime(2026, 6, 7, tzinfo=UTC)
    assert evaluated(SEASONAL, now=datetime(2026, 6, 6, 23, tzinfo=UTC)).plan.avoid == decision.plan.avoid
    later = evaluated(SEASONAL, now=datetime(2026, 6, 7, tzinfo=UTC))
    assert [each.from_.year for each in later.plan.avoid] == [2027]
    assert later.key != decision.key


def test_a_season_may_run_over_the_turn_of_the_year() -> None:
    turn = policy(blackout("turn", (12, 15), (1, 6), "check_in"), rhythm("base", "check_in", 14))
    now = datetime(2027, 1, 2, tzinfo=UTC)

    assert [
        (each.from_.date(), each.to and each.to.date()) for each in evaluated(turn, now=now).plan.avoid
    ] == [
        (date(2026, 12, 15), date(2027, 1, 7)),
        (date(2027, 12, 15), date(2028, 1, 7)),
    ]


def test_a_freeze_of_one_account_takes_place_once_and_concerns_no_other() -> None:
    freeze = blackout(
        "freeze", date(2026, 7, 10), date(2026, 7, 20), "check_in", when=parse('account_id == "acme"')
    )
    other = blackout("other", (8, 1), (8, 9), "check_in", when=parse('account_id == "other"'))
    decision = evaluated(policy(freeze, other, rhythm("base", "check_in", 14)))

    assert [(each.name, each.from_.date(), each.to and each.to.date()) for each in decision.plan.avoid] == [
        ("freeze", date(2026, 7, 10), date(2026, 7, 21))
    ]
    over = evaluated(policy(freeze, rhythm("base", "check_in", 14)), now=datetime(2026, 7, 22, tzinfo=UTC))
    assert over.plan.avoid == ()


def test_a_season_may_be_that_of_a_region() -> None:
    carnival = blackout("carnival", (2, 1), (2, 20), "check_in", when=parse('region == "NW"'))
    under = policy(carnival, rhythm("base", "check_in", 14))
    described = make_event("account.described", NOW - DAY, country="DE", region="NW")

    assert [each.name for each in evaluated(under, described).plan.avoid] == ["carnival"]
    assert evaluated(under).plan.avoid == ()


days = st.tuples(st.integers(1, 12), st.integers(1, 28)) | st.just((2, 29))


@given(days, days, st.integers(0, 4000))
def test_every_day_is_told_to_be_avoided_exactly_when_it_lies_in_the_season(
    first: tuple[int, int], last: tuple[int, int], ahead: int
) -> None:
    under = policy(blackout("season", first, last, "check_in"))
    now = NOW + ahead * DAY
    windows = blackouts_of(under, 1, micros(now)).ahead

    for day in range(0, HORIZON_DAYS - 1, 9):
        at = now + day * DAY
        place = (at.month, at.day)
        inside = first <= place <= last if first <= last else place >= first or place <= last
        if (2, 29) not in {first, last}:
            assert inside == any(window.start <= micros(at) < (window.end or 0) for window in windows)


@given(days, days, st.integers(0, 800), st.floats(0, 1, exclude_max=True))
def test_nothing_changes_before_the_next_evaluation(
    first: tuple[int, int], last: tuple[int, int], ahead: int, share: float
) -> None:
    under = policy(
        blackout("season", first, last, "advocacy_ask"), trigger("ask", "nps.answered", "advocacy_ask", 10)
    )
    now = NOW + ahead * DAY
    asked = make_event("nps.answered", now - HOUR, score=9)
    decision = evaluated(under, asked, now=now)
    until = micros(decision.next_evaluation_at or now + DAY)
    later = moment(micros(now) + int((until - micros(now)) * share))

    assert decision.next_evaluation_at is not None
    assert decision.next_evaluation_at - now <= timedelta(days=HORIZON_DAYS)
    assert evaluated(under, asked, now=later).key == decision.key
