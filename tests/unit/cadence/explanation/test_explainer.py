"""Suppressions planted one at a time (F3): each is told as the single cause, and undoing only that lets the rule fire."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import NamedTuple

import pytest

from services.cadence.account import FactEvent, Facts
from services.cadence.account.apply import apply_event
from services.cadence.account.codec import AccountState
from services.cadence.account.issued import Issued
from services.cadence.explanation import Explainer, Explanation, NoSuchRule, NoSuchTouchpoint
from services.cadence.expressions.parser import parse
from services.cadence.policy import Cap, Policy
from services.cadence.policy.load import SHIPPED
from services.cadence.portfolio import Portfolio
from services.cadence.testing.load import read_tests, texts_of_tests
from services.cadence.testing.runner import ACCOUNT
from tests.unit.cadence.events import (
    DAY,
    HOUR,
    NOW,
    came_due,
    facts_after,
    issued,
    make_event,
    one_offs,
    settled,
    shipped,
)
from tests.unit.cadence.policies import (
    adjustment,
    blackout,
    evaluated,
    feedback,
    limit,
    policy,
    rhythm,
    step,
    trigger,
)

PROMOTER = parse("nps_score >= 9")
RED = parse('color is not null and color == "red"')
RETAIL = parse('industry is not null and industry == "retail"')


class Planted(NamedTuple):
    """A rule stopped by one cause, and the same with only that undone."""

    policy: Policy
    rule: str
    events: tuple[FactEvent, ...]
    undone: tuple[FactEvent, ...]
    came: tuple[FactEvent, ...] = ()
    came_undone: tuple[FactEvent, ...] = ()
    by: str = ""


def asked(under: Policy, events: tuple[FactEvent, ...], came: tuple[FactEvent, ...] = ()) -> Explainer:
    return Explainer(under, AccountState(facts_after(events), issued(came)), Portfolio(), NOW)


def nps(days_ago: float, score: int = 10) -> FactEvent:
    return make_event("nps.answered", NOW - timedelta(days=days_ago), score=score)


def due(kind: str, days_ago: float) -> FactEvent:
    """One that came due, of a rule of another day."""
    at = NOW - timedelta(days=days_ago)
    touch = f"touch-{kind}-{days_ago}"
    reason = {"rule": "r", "policy": "", "text": ""}
    return make_event(
        "touchpoint.due",
        at,
        "/drumbeat/scheduler",
        touchpoint_id=touch,
        touchpoint_type=kind,
        due_at=at,
        reason=reason,
    )


def ask(**more: object) -> Policy:
    return policy(trigger("ask", "nps.answered", "advocacy_ask", 7, PROMOTER, **more))


def clause(n: int) -> Planted:
    if n % 2:
        held = policy(rhythm("large", "check_in", 30, parse(f"arr is not null and arr >= {1_000 + n}")))
        before = make_event("account.described", NOW, arr=900)
        return Planted(
            held,
            "large",
            (before,),
            (make_event("account.described", NOW + HOUR, arr=1_000 + n),),
            by=f"arr >= {1_000 + n}",
        )
    return Planted(ask(), "ask", (nps(1, n % 9),), (nps(0.5),), by="nps_score >= 9")


def precedence(n: int) -> Planted:
    held = policy(
        rhythm("standard", "check_in", 30 + n),
        rhythm("red", "check_in", 7, RED, precedence="escalation" if n % 2 else "floor"),
    )
    red = make_event("health.scored", NOW - DAY, score=n)
    return Planted(held, "standard", (red,), (make_event("health.scored", NOW, score=90),), by="red")


def preference(n: int) -> Planted:
    wish = parse('preferred_frequency is not null and preferred_frequency == "monthly"')
    held = policy(
        rhythm("standard", "check_in", 14 + n),
        rhythm("asked-for", "check_in", 30, wish, precedence="preference"),
    )
    wished = make_event(
        "preference.changed", NOW - DAY, contact_id="ann", topic="account", frequency="monthly"
    )
    taken_back = make_event("preference.changed", NOW, contact_id="ann", topic="account", frequency=None)
    return Planted(held, "standard", (wished,), (taken_back,), by="asked-for")


def cooldown(n: int) -> Planted:
    return Planted(ask(cooldown=90 * DAY), "ask", (nps(1),), (), (due("advocacy_ask", 5 + 8 * n),))


def cap(n: int) -> Planted:
    met = (due("advocacy_ask", 10 + n), due("advocacy_ask", 40 + n))
    return Planted(ask(cap=Cap(2, 100 * DAY)), "ask", (nps(1),), (), met, met[1:])


def over_limit(n: int) -> Planted:
    held = policy(
        trigger("ask", "nps.answered", "advocacy_ask", 7, PROMOTER),
        limit("talk", 1, 90, "advocacy_ask", "expansion_discovery"),
    )
    return Planted(held, "ask", (nps(1),), (), (due("expansion_discovery", 3 + 8 * n),), by="talk")


def asked_first(n: int) -> Planted:
    held = policy(
        trigger("ask", "nps.answered", "advocacy_ask", 7, PROMOTER),
        trigger("success", "milestone.reached", "advocacy_ask", 7),
    )
    first = make_event("milestone.reached", NOW - (2 + n / 4) * DAY, milestone="m", kind="success")
    return Planted(held, "ask", (first, nps(1)), (nps(1),), by="success")


def pause(n: int) -> Planted:
    paused = make_event(
        "outreach.paused", NOW - DAY, reason="takeover", until=NOW + (30 + n) * DAY if n % 3 else None
    )
    resumed = make_event("outreach.resumed", NOW, reason="over")
    if n % 2:
        return Planted(ask(), "ask", (nps(1), paused), (resumed,))
    started = make_event(
        "contract.changed", NOW - 3 * DAY, contract_id="c", status="active", starts_on=NOW.date()
    )
    held = policy(step("call", "check_in", n // 4, within=3, anchor="start"))
    return Planted(held, "call", (started, paused), (resumed,))


def season(n: int) -> Planted:
    summer = replace(blackout("summer", (5, 20), (7, 1 + n), "advocacy_ask", "check_in"), when=RETAIL)
    retail = make_event("account.described", NOW - DAY, industry="retail")
    other = make_event("account.described", NOW, industry="school")
    if n % 2:
        held = policy(trigger("ask", "nps.answered", "advocacy_ask", 7, PROMOTER), summer)
        return Planted(held, "ask", (nps(1), retail), (other,), by="summer")
    started = make_event(
        "contract.changed", NOW - 3 * DAY, contract_id="c", status="active", starts_on=NOW.date()
    )
    held = policy(step("call", "check_in", n // 4, within=3, anchor="start"), summer)
    return Planted(held, "call", (started, retail), (other,), by="summer")


def over(n: int) -> Planted:
    held = ask()
    (item,) = one_offs(evaluated(held, nps(1)), "advocacy_ask")
    outcome = ("completed", "attended", "missed", "declined", "completed")[n % 5]
    came = (came_due(item, NOW - 10 * HOUR), settled(item, NOW - n * HOUR, outcome))
    return Planted(held, "ask", (nps(1),), (), came)


def fallback(n: int) -> Planted:
    held = policy(
        rhythm("word", "usage_report", 30, fallback=True, precedence="floor"),
        rhythm("tips", "tips", 7 + n, parse("arr is not null and arr >= 10")),
    )
    return Planted(
        held,
        "word",
        (make_event("account.described", NOW - DAY, arr=100),),
        (make_event("account.described", NOW, arr=1),),
        by="tips",
    )


def window(n: int) -> Planted:
    if n % 2:
        return Planted(ask(), "ask", (nps(7 + n),), (nps(0.5),))
    held = policy(step("call", "check_in", 0, within=2))
    passed = renewing(99, NOW.date() - (3 + n) * DAY)
    return Planted(held, "call", (passed,), (renewing(1, NOW.date() + n * DAY),))


def renewing(days_ago: int, on: date) -> FactEvent:
    at = NOW - days_ago * DAY
    return make_event("contract.changed", at, contract_id="c", status="active", renews_on=on)


def event(n: int) -> Planted:
    if n % 2:
        return Planted(ask(), "ask", (make_event("account.described", NOW, arr=n),), (nps(n / 4),))
    held = policy(step("call", "check_in", 1, within=3 + n, anchor="go_live"))
    live = make_event("milestone.reached", NOW - DAY, milestone="live", kind="go_live")
    return Planted(held, "call", (make_event("account.described", NOW, arr=n),), (live,))


def opt_out(n: int) -> Planted:
    held = policy(rhythm("tips", "tips", 7 + n, owner="automation", channel="email"))
    people = tuple(
        make_event("contact.described", NOW - 9 * DAY, contact_id=f"c{i}") for i in range(1 + n % 3)
    )
    topic = {"topic": "education"} if n % 2 else {}
    out = tuple(
        make_event("preference.changed", NOW - DAY, contact_id=f"c{i}", opted_in=False, **topic)
        for i in range(1 + n % 3)
    )
    back = make_event("preference.changed", NOW, contact_id="c0", opted_in=True, **topic)
    return Planted(held, "tips", (*people, *out), (back,))


def message(at: datetime, kind: str, cause: str | None, n: int, **more: object) -> FactEvent:
    """A delivery of the notifier in its final state; without a cause it was sent."""
    fields: dict[str, object] = {
        "delivery_id": f"d{n}-{cause}",
        "touchpoint_id": f"t{n}-{cause}",
        "touchpoint_type": kind,
        "channel": "email",
        "recipient": {"kind": "contact", "id": "c0"},
        "state": "sent" if cause is None else "expired" if n % 2 else "suppressed",
        "cause": cause,
        "at": at,
    }
    return make_event("delivery.finished", at, "/drumbeat/notifier", **(fields | more))


def quiet_hours(n: int) -> Planted:
    held = policy(rhythm("tips", "tips", 7 + n, owner="automation", channel="email"))
    late = message(NOW - DAY, "tips", "quiet_hours", n, reason="quiet hours lasted past the deadline")
    moved = make_event("account.described", NOW - HOUR, timezone="Asia/Tokyo")
    if n % 2:
        return Planted(held, "tips", (), (moved,), (late,), (late,))
    return Planted(held, "tips", (), (), (late,), (late, message(NOW - HOUR, "tips", None, n)))


def channel(n: int) -> Planted:
    name = ("sms", "slack")[n % 2]
    held = policy(rhythm("tips", "tips", 7 + n, owner="automation", channel=name))
    refused = message(
        NOW - DAY, "tips", "channel", n, channel=name, reason=f"the channel is not supported: {name}"
    )
    return Planted(held, "tips", (), (), (refused,), (refused, message(NOW - HOUR, "tips", None, n)))


def no_recipient(n: int) -> Planted:
    held = policy(rhythm("tips", "tips", 7 + n, owner="automation", channel="email"))
    come = make_event("contact.described", NOW - HOUR, contact_id="c0", role="champion")
    if n % 2:
        nobody = message(NOW - DAY, "tips", "no_recipient", n, recipient={"kind": "contact", "id": "nobody"})
        return Planted(held, "tips", (), (come,), (nobody,), (nobody,))
    known = make_event("contact.described", NOW - 9 * DAY, contact_id="c1", role="champion")
    gone = make_event("contact.left", NOW - n * DAY, contact_id="c1")
    return Planted(held, "tips", (known, gone), (come,))


PLANTS: dict[str, Callable[[int], Planted]] = {
    "clause": clause,
    "precedence": precedence,
    "preference": preference,
    "cooldown": cooldown,
    "cap": cap,
    "limit": over_limit,
    "asked_first": asked_first,
    "pause": pause,
    "blackout": season,
    "over": over,
    "fallback": fallback,
    "window": window,
    "event": event,
    "opt_out": opt_out,
    "quiet_hours": quiet_hours,
    "channel": channel,
    "no_recipient": no_recipient,
}


@pytest.mark.parametrize("number", range(10))
@pytest.mark.parametrize("cause", PLANTS)
def test_each_planted_cause_is_told_and_undoing_it_alone_makes_the_rule_fire(cause: str, number: int) -> None:
    planted = PLANTS[cause](number)
    stopped = asked(planted.policy, planted.events, planted.came).explain_rule(planted.rule)

    assert not stopped.fires
    assert stopped.stopped_by is not None
    assert stopped.stopped_by.cause == cause
    assert stopped.stopped_by.by == (planted.by or None)
    assert stopped.smallest_change is not None
    assert stopped.smallest_change.text
    assert stopped.text.startswith(f"{planted.rule} does not fire: ")

    # Of two facts that ask, undoing is that the first was never heard; else what undoes it is told besides.
    kept = () if cause == "asked_first" else planted.events
    undone = asked(planted.policy, (*kept, *planted.undone), planted.came_undone).explain_rule(planted.rule)
    assert undone.fires, undone.text
    assert undone.stopped_by is None
    assert undone.smallest_change is None


def test_an_answer_tells_each_clause_with_its_values_and_the_events_behind_them() -> None:
    condition = 'arr is not null and arr >= 500 and color is not null and color == "red"'
    held = policy(rhythm("large-red", "check_in", 7, parse(condition)))
    described = make_event("account.described", NOW - DAY, arr=900)
    scored = make_event("health.scored", NOW, score=20)

    fires = asked(held, (described, scored)).explain_rule("large-red")
    shape = fires.document()

    assert fires.fires
    assert [(each.text, each.holds, each.values) for each in fires.clauses] == [
        ("arr is not null", True, {"arr": 900}),
        ("arr >= 500", True, {"arr": 900}),
        ("color is not null", True, {"color": "red"}),
        ('color == "red"', True, {"color": "red"}),
    ]
    (behind,) = fires.clauses[1].events
    assert (behind.type, behind.id, behind.time) == ("account.described", described.provenance.id, NOW - DAY)
    assert [(e.type, e.id) for e in fires.clauses[3].events] == [("health.scored", scored.provenance.id)]
    assert set(shape) >= {"fires", "rule", "clauses", "stopped_by", "smallest_change", "text", "others"}
    assert shape["text"] == "Because of large-red."


def test_a_trigger_on_health_tells_the_colour_that_it_derived_from_the_score() -> None:
    held = policy(trigger("plan", "health.scored", "risk_action_plan", 2, RED))

    fires = asked(held, (make_event("health.scored", NOW, score=20),)).explain_rule("plan")
    stopped = asked(held, (make_event("health.scored", NOW, score=90),)).explain_rule("plan")

    assert [(each.holds, each.values) for each in fires.clauses] == [(True, {"color": "red"})] * 2
    assert stopped.clauses[1].values == {"color": "green"}
    assert stopped.smallest_change is not None
    assert stopped.smallest_change.text == "the health colour would have to be red (green now)"


@pytest.mark.parametrize(
    ("condition", "sentence"),
    [
        ("seat_ratio is not null and seat_ratio >= 90%", "seats in use would have to reach 90 % (72 % now)"),
        ("arr is not null and arr > 5_000", "revenue would have to be more than 5,000 (900 now)"),
        (
            'color is not null and color in ["red", "yellow"]',
            "the health colour would have to be red or yellow",
        ),
        ("paid_success", "a success package bought would have to be yes (no now)"),
        (
            "seats is not null and arr is not null and arr > 100 * seats",
            "arr > 100 * seats would have to be true (revenue 900, seats 100 now)",
        ),
    ],
)
def test_the_smallest_change_is_a_sentence(condition: str, sentence: str) -> None:
    held = policy(rhythm("r", "check_in", 7, parse(condition)))
    usage = make_event(
        "usage.reported", NOW, period_start=NOW - 7 * DAY, period_end=NOW, seats=100, seats_used=72
    )
    found = asked(held, (make_event("account.described", NOW, arr=900), usage)).explain_rule("r")

    assert found.smallest_change is not None
    assert found.smallest_change.text == sentence


def test_a_touchpoint_is_answered_by_the_rule_that_fires_or_is_nearest() -> None:
    held = policy(
        trigger("ask", "nps.answered", "advocacy_ask", 7, PROMOTER, cooldown=90 * DAY),
        trigger("success", "milestone.reached", "advocacy_ask", 7),
        trigger("late", "survey.answered", "advocacy_ask", 1),
    )
    late = make_event("survey.answered", NOW - 9 * DAY, survey="s", csat=5)

    fired = asked(held, (nps(1), late)).explain_touchpoint("advocacy_ask")
    assert (fired.rule, fired.fires, [each.rule for each in fired.others]) == (
        "ask",
        True,
        ["late", "success"],
    )
    nearest = asked(held, (nps(1), late), (due("advocacy_ask", 5),)).explain_touchpoint("advocacy_ask")
    assert (nearest.rule, nearest.fires) == ("ask", False)
    assert nearest.stopped_by is not None
    assert nearest.stopped_by.until == NOW + 85 * DAY
    silent = asked(held, (nps(1),)).explain_touchpoint("tips")
    assert (silent.rule, silent.text) == (None, "No rule of the policy asks for tips.")


def test_a_comparison_of_conditions_may_stop_a_rule_though_each_of_them_is_true() -> None:
    differ = parse("(arr is null) != (seats is null)")

    found = asked(policy(rhythm("differ", "check_in", 30, differ)), ()).explain_rule("differ")

    assert found.stopped_by is not None
    assert found.stopped_by.cause == "clause"
    assert all(clause.holds for clause in found.clauses)
    assert found.smallest_change is not None
    assert found.smallest_change.needs


def test_what_nobody_knows_is_refused_with_what_was_meant() -> None:
    inquiry = asked(ask(), ())
    with pytest.raises(NoSuchRule, match="did you mean 'ask'"):
        inquiry.explain_rule("ak")
    with pytest.raises(NoSuchTouchpoint, match="did you mean 'advocacy_ask'"):
        inquiry.explain_touchpoint("advocacy_as")


def test_what_moves_a_rhythm_is_asked_like_any_rule() -> None:
    too_much = 'survey_answer is not null and survey_answer == "too_much"'
    held = policy(
        rhythm("standard", "check_in", 30, within=(7, 90)),
        adjustment("large", -1, "check_in", when=parse("arr is not null and arr >= 500")),
        feedback("too-much", "survey.answered", too_much, 1, "check_in"),
        blackout("summer", (6, 1), (6, 30), "check_in"),
    )
    large = make_event("account.described", NOW, arr=900)
    first = make_event("survey.answered", NOW - 2 * DAY, answer="too_much")
    again = make_event("survey.answered", NOW - DAY, answer="too_much")
    wish = make_event("preference.changed", NOW, contact_id="ann", topic="account", frequency="weekly")

    def cause(name: str, *events: FactEvent) -> str | None:
        found = asked(held, events).explain_rule(name).stopped_by
        return None if found is None else found.cause

    assert cause("large", large) is None
    assert cause("large") == "clause"
    assert cause("large", large, wish) == "preference"
    assert cause("too-much") == "event"
    assert cause("too-much", first) is None
    assert cause("too-much", make_event("survey.answered", NOW - 300 * DAY, answer="too_much")) == "window"
    assert cause("too-much", first, again) is None, "the first of them made its step"
    assert cause("summer", large) is None


def shipped_moments() -> list[tuple[str, AccountState, Portfolio, datetime]]:
    """Every account and moment that the tests of the shipped policy speak of."""
    found: list[tuple[str, AccountState, Portfolio, datetime]] = []
    for case in read_tests(texts_of_tests(SHIPPED), shipped()):
        events: list[FactEvent] = []
        for phase in case.phases:
            events += phase.events
            account_state = AccountState(Facts(ACCOUNT), Issued())
            for each in events:
                apply_event(account_state, each)
            found.append((case.name, account_state, case.portfolio, phase.at))
    return found


@pytest.mark.parametrize("moment", shipped_moments(), ids=lambda each: f"{each[0]} {each[3]:%m-%d}")
def test_over_the_shipped_policy_what_fires_is_what_the_plan_holds_and_what_does_not_has_one_cause(
    moment: tuple[str, AccountState, Portfolio, datetime],
) -> None:
    _, account_state, portfolio, now = moment
    inquiry = Explainer(shipped(), account_state, portfolio, now)
    plan = inquiry.decision.plan
    standing = {item.reason.rule for item in (*plan.rhythms, *plan.touchpoints)}
    for rule in shipped().rules:
        found = inquiry.explain_rule(rule.rule)
        cause = None if found.stopped_by is None else found.stopped_by.cause
        if found.kind in {"rhythm", "trigger", "step"}:
            assert found.fires == (rule.rule in standing) or cause in {"opt_out", "no_recipient"}
        assert found.fires == (cause is None)
        if cause == "clause":
            assert found.smallest_change is not None
            assert found.smallest_change.needs or "nothing is known" in found.smallest_change.text
            assert any(each.holds is not True for each in found.clauses)
        elif found.fires and found.kind != "feedback":
            assert all(each.holds is not None for each in found.clauses if " is " in each.text)
        assert all(event.id and event.type for each in found.clauses for event in each.events)


def test_a_type_of_the_shipped_policy_fires_by_the_rule_that_stands_in_the_plan() -> None:
    for _, account_state, portfolio, now in shipped_moments()[:40]:
        inquiry = Explainer(shipped(), account_state, portfolio, now)
        for item in inquiry.decision.plan.rhythms:
            found: Explanation = inquiry.explain_touchpoint(item.touchpoint_type)
            assert found.fires or found.stopped_by is not None
            assert item.reason.rule in {found.rule, *(each.rule for each in found.others)}
