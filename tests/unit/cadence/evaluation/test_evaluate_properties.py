"""Laws of the plan, whatever was heard."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent
from services.cadence.account.issued import Issued
from services.cadence.evaluation import evaluate_account
from services.cadence.policy import compile_policy
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.events import (
    DAY,
    HOUR,
    NOW,
    came_due,
    decided,
    facts_after,
    issued,
    make_event,
    shipped,
)

moments = st.integers(-60 * 24, 0).map(lambda hours: NOW + hours * HOUR)
days = st.integers(-500, 400).map(lambda day: NOW.date() + day * DAY)
PARTS = (
    "rhythms",
    "triggers",
    "steps",
    "touchpoints",
    "adjustments",
    "feedback",
    "limits",
    "blackouts",
)
ARR = st.sampled_from([None, 500, 5_000, 50_000, 500_000])


@st.composite
def facts(draw: st.DrawFn) -> FactEvent:
    at = draw(moments)
    match draw(st.integers(0, 6)):
        case 0:
            return make_event(
                "account.described", at, arr=draw(ARR), csm_id=draw(st.sampled_from([None, "a"]))
            )
        case 1:
            return make_event("health.scored", at, score=draw(st.integers(0, 100)))
        case 2:
            return make_event("nps.answered", at, score=draw(st.integers(0, 10)))
        case 3:
            return make_event(
                "milestone.reached", at, milestone="m", kind=draw(st.sampled_from(["success", "adoption"]))
            )
        case 4:
            return make_event("expansion.signalled", at, signal="power_users")
        case 5:
            end = at - draw(st.integers(0, 3)) * DAY
            used = draw(st.integers(0, 100))
            events = draw(st.integers(0, 50))
            return make_event(
                "usage.reported",
                at,
                period_start=end - 7 * DAY,
                period_end=end,
                seats=100,
                seats_used=used,
                events=events,
            )
        case _:
            return contract(draw)


def contract(draw: st.DrawFn) -> FactEvent:
    what: dict[str, object] = {"contract_id": draw(st.sampled_from(["c1", "c2"]))}
    if draw(st.booleans()):
        what["status"] = draw(st.sampled_from(["draft", "active", "signed", "churned"]))
    for name in ("starts_on", "renews_on"):
        if draw(st.booleans()):
            found: date = draw(days)
            what[name] = found
    if draw(st.booleans()):
        what["auto_renew"] = draw(st.booleans())
    return make_event("contract.changed", draw(moments), **what)


posts = st.lists(facts(), max_size=14)


@given(posts, st.data())
def test_equal_facts_in_any_order_give_the_same_plan_to_the_byte(
    post: list[FactEvent], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(post))

    one, other = decided(*post), decided(*shuffled, *shuffled)

    assert one.plan.write() == other.plan.write()
    assert (one.key, one.fired, one.next_evaluation_at) == (other.key, other.fired, other.next_evaluation_at)


@given(posts, st.randoms(use_true_random=False))
def test_the_order_of_rules_in_the_file_changes_nothing(post: list[FactEvent], dice: Random) -> None:
    content = shipped().content
    turned = {name: list(getattr(content, name)) for name in PARTS}
    for rules in turned.values():
        dice.shuffle(rules)
    policy = compile_policy(replace(content, **{name: tuple(rules) for name, rules in turned.items()}))

    one = decided(*post)
    other = evaluate_account(policy, facts_after(post), Issued(), Portfolio(), NOW)

    assert policy.hash == shipped().hash
    assert (one.key, one.fired, one.plan.write()) == (
        other.key,
        other.fired,
        other.plan.write(),
    )


@given(posts)
def test_a_plan_has_one_rhythm_of_a_type_and_each_item_a_reason_with_facts_that_were_heard(
    post: list[FactEvent],
) -> None:
    plan = decided(*post).plan
    ids = {(event.provenance.source, event.provenance.id) for event in post}

    kinds = [item.touchpoint_type for item in plan.rhythms]
    assert len(kinds) == len(set(kinds))
    assert len({item.id for item in plan.touchpoints}) == len(plan.touchpoints)
    for item in (*plan.rhythms, *plan.touchpoints):
        assert item.reason.text
        assert item.reason.rule in shipped().bits
        assert all((each.source, each.id) in ids for each in item.reason.facts)


@given(posts)
def test_a_fact_never_heard_never_asks_for_anything(post: list[FactEvent]) -> None:
    asks = {
        "nps.answered": "advocacy-by-nps",
        "milestone.reached": "advocacy-by-milestone",
        "expansion.signalled": "expansion-by-signal",
        "usage.reported": "expansion-by-usage",
        "health.scored": "red-check-in",
    }
    decision = decided(*post)
    types = {event.type for event in post}

    for kind, rule in asks.items():
        assert kind in types or not decision.fired >> shipped().bits[rule] & 1


@given(posts)
def test_an_unrelated_fact_changes_nothing(post: list[FactEvent]) -> None:
    unrelated = make_event("request.answered", NOW, request_id="r", channel="email")

    first = decided(*post, make_event("account.described", NOW - 100 * DAY, name="Acme"))
    second = decided(*post, make_event("account.described", NOW - 100 * DAY, name="Acme"), unrelated)

    assert first.plan.write() == second.plan.write()


@given(posts, st.floats(0, 1, exclude_max=True))
def test_nothing_changes_before_the_next_evaluation(post: list[FactEvent], share: float) -> None:
    now = decided(*post)
    until = now.next_evaluation_at or NOW + 900 * DAY
    later = NOW + timedelta(microseconds=int((until - NOW) / timedelta(microseconds=1) * share))

    assert until > NOW
    assert decided(*post, now=later).key == now.key


@given(st.lists(facts(), max_size=20))
def test_no_kind_is_asked_for_twice_within_its_cool_down(post: list[FactEvent]) -> None:
    came: list[FactEvent] = []
    asked: dict[str, datetime] = {}
    rules = {each.rule: each for each in shipped().content.triggers}
    for step in range(61):
        now = NOW + (step - 60) * DAY
        known = [event for event in post if event.provenance.time <= now]
        plan = evaluate_account(shipped(), facts_after(known), issued(came), Portfolio(), now).plan
        for item in plan.touchpoints:
            if item.reason.rule in rules and not any(
                event.fields["touchpoint_id"] == item.id for event in came
            ):
                cooldown = rules[item.reason.rule].cooldown
                before = asked.get(item.touchpoint_type)
                assert before is None or cooldown is None or now - before >= cooldown
                asked[item.touchpoint_type] = now
                came.append(came_due(item, now))
