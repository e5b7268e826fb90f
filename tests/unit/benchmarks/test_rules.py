"""The candidates of the rules benchmark say the same; otherwise their times would mean nothing."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cadence.evaluation import evaluate_account
from services.cadence.evaluation.columns import columns_of
from services.cadence.expressions.compile import compile_condition
from services.cadence.expressions.parser import parse
from services.cadence.features.registry import FEATURES
from services.cadence.policy.load import SHIPPED, load_policy, load_policy_texts
from services.cadence.portfolio import Portfolio
from tests.benchmarks.events import NOW
from tests.benchmarks.peer_rules import apply_fact
from tests.benchmarks.peer_rules import evaluate_account as decide_by_hand
from tests.benchmarks.rules.accounts import accounts
from tests.benchmarks.rules.decisions import known_accounts
from tests.benchmarks.rules.engines import datalogic, zen_engine
from tests.benchmarks.rules.handwritten import expression, hand_rules
from tests.benchmarks.rules.history import history
from tests.benchmarks.rules.policies import texts_of
from tests.benchmarks.rules.replay import in_waves, one_by_one
from tests.benchmarks.rules.rulebook import FIRST, rulebook, sound, trees

BOOK = rulebook(300)
CONDITIONS = [tree for _, tree in trees(BOOK)]
ACCOUNTS = accounts(400)


def test_rules_are_sound_and_differ_and_are_the_same_every_time() -> None:
    assert len(set(BOOK)) == len(BOOK)
    assert all(map(sound, BOOK))
    assert rulebook(300) == BOOK
    assert rulebook(50) == list(FIRST)


def test_accounts_are_the_same_every_time() -> None:
    assert accounts(20) == ACCOUNTS[:20]


@pytest.mark.parametrize("candidate", [hand_rules, datalogic, zen_engine])
def test_a_candidate_says_what_our_compiler_says(candidate: object) -> None:
    ours = [compile_condition(tree) for tree in CONDITIONS]
    judge = candidate(CONDITIONS)  # pyright: ignore[reportCallIssue, reportUnknownVariableType]
    for account in ACCOUNTS:
        assert list(judge(account)) == [holds(account) for holds in ours]  # pyright: ignore[reportUnknownArgumentType]


def test_every_rule_holds_for_some_account_and_for_some_not() -> None:
    first = [compile_condition(parse(text)) for text in FIRST]
    many = accounts(3_000)
    assert [number for number, holds in enumerate(first) if len(set(map(holds, many))) != 2] == []


@pytest.mark.parametrize(
    ("condition", "by_hand"),
    [
        ('color is not null and color == "red"', "account[\"color\"] == 'red'"),
        (
            "arr is not null and arr between 5 and 9",
            'account["arr"] is not None and 5 <= account["arr"] <= 9',
        ),
        ("not (paused or auto_renew)", 'not (account["paused"] or account["auto_renew"])'),
        (
            "requests_28d - (open_requests - 1) > 2",
            'account["requests_28d"] - (account["open_requests"] - 1) > 2',
        ),
        (
            "(paused or auto_renew) and went_live",
            '(account["paused"] or account["auto_renew"]) and account["went_live"]',
        ),
    ],
)
def test_a_condition_is_written_as_a_person_would(condition: str, by_hand: str) -> None:
    assert expression(parse(condition)) == by_hand


@given(st.sampled_from(CONDITIONS), st.sampled_from(CONDITIONS), st.sampled_from(ACCOUNTS), st.booleans())
def test_brackets_stand_where_they_are_needed(
    left: object, right: object, account: object, both: object
) -> None:
    one, other = expression(left, 3), expression(right, 3)  # pyright: ignore[reportArgumentType]
    names = {"account": account}
    joined = eval(f"{one} {'and' if both else 'or'} {other}", names)  # noqa: S307 - made from our own trees
    apart = eval(one, names), eval(other, names)  # noqa: S307
    assert joined == (all(apart) if both else any(apart))


def test_the_peer_of_the_engine_plans_and_forgets_nothing_to_order() -> None:
    start = datetime(2026, 1, 5, tzinfo=UTC)
    events = [
        ("account.described", {"name": "A", "arr": 250_000}, start),
        ("contract.changed", {"starts_on": "2025-03-01", "renews_on": "2026-03-01"}, start),
        ("health.scored", {"score": 80}, start),
        ("health.scored", {"score": 20}, start + timedelta(hours=1)),
    ]
    state: dict[str, object] = {}
    for kind, data, at in events:
        apply_fact(state, kind, data, at)
    apply_fact(state, "health.scored", {"score": 90}, start)
    plan = decide_by_hand("a", state, start + timedelta(hours=2))
    assert (plan["segment"], plan["stage"], plan["color"]) == ("enterprise", "renewal", "red")
    assert [(each["type"], each["every_days"]) for each in plan["rhythms"]] == [
        ("check_in", 7),
        ("business_review", 90),
    ]
    assert [each["type"] for each in plan["touchpoints"]][:2] == ["risk_action_plan", "renewal_discussion"]


def test_waves_and_the_scalar_loop_come_to_the_same_accounts() -> None:
    told = history(500, 8)
    scalar = one_by_one(told)
    assert in_waves(told).same(scalar)
    assert sum(scalar.held) > told.size
    before = columns_of(told.portfolio, told.words, FEATURES)
    assert not np.array_equal(
        scalar.state["days_since_touch"], before.numbers["days_since_touch"], equal_nan=True
    )


def test_the_policy_of_the_benchmark_has_as_many_rules_as_were_asked_for() -> None:
    policy = load_policy_texts(texts_of(60))
    assert len(policy.rhythms) == 60


def test_the_peer_and_the_delivered_policy_place_accounts_alike() -> None:
    policy = load_policy(SHIPPED)
    for known in known_accounts(60):
        ours = evaluate_account(
            policy, known.account_state.facts, known.account_state.issued, Portfolio(generation=1), NOW
        )
        by_hand = decide_by_hand(known.account_id, known.state, NOW)
        assert (ours.segment, ours.stage, ours.color) == (
            by_hand["segment"],
            by_hand["stage"],
            by_hand["color"],
        )
