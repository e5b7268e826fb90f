"""A company leads its accounts in one of four ways (S20)."""

import re
from collections.abc import Mapping

import pytest

from services.cadence.account.issued import Issued
from services.cadence.evaluation import Decision, evaluate_account
from services.cadence.lint import lint
from services.cadence.policy.document import policy_document
from services.cadence.policy.errors import PolicyRefused
from services.cadence.policy.load import SHIPPED, load_policy_texts, policy_texts
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event, shipped
from tests.unit.cadence.policy_texts import FULL

SEGMENTS = {"high_touch": "enterprise", "mid_touch": "mid_market", "low_touch": "small_business"}


def texts_of(model: str) -> Mapping[str, str]:
    return {
        name: text.replace("\nmodel: hybrid\n", f"\nmodel: {model}\n")
        for name, text in policy_texts(SHIPPED).items()
    }


def decision_of(model: str, **described: object) -> Decision:
    account = facts_after([make_event("account.described", NOW - DAY, **described)])
    return evaluate_account(load_policy_texts(texts_of(model)), account, Issued(), Portfolio(), NOW)


@pytest.mark.parametrize("model", SEGMENTS)
@pytest.mark.parametrize("arr", [None, 100, 5_000, 50_000, 500_000])
def test_a_model_leads_every_account_like_those_of_one_segment_s20(model: str, arr: int | None) -> None:
    decision = decision_of(model, arr=arr)
    alike = decision_of("hybrid", arr=arr, segment=SEGMENTS[model])

    assert decision.segment == SEGMENTS[model]
    assert [(each.touchpoint_type, each.every_days, each.owner) for each in decision.plan.rhythms] == [
        (each.touchpoint_type, each.every_days, each.owner) for each in alike.plan.rhythms
    ]


def test_hybrid_is_the_default_and_leads_by_segment_s20() -> None:
    assert [decision_of("hybrid", arr=arr).segment for arr in (100, 5_000, 50_000, 500_000)] == [
        "self_service",
        "small_business",
        "mid_market",
        "enterprise",
    ]
    without = {name: text.replace("\nmodel: hybrid\n", "\n") for name, text in policy_texts(SHIPPED).items()}
    assert load_policy_texts(without).hash == shipped().hash


def test_a_segment_set_by_hand_comes_before_the_model_s20() -> None:
    assert decision_of("low_touch", arr=5, segment="enterprise").segment == "enterprise"


@pytest.mark.parametrize("model", SEGMENTS)
def test_the_shipped_policy_is_sound_under_every_model_s20(model: str) -> None:
    under = load_policy_texts(texts_of(model))

    assert list(map(str, lint(under))) == []
    assert under.hash != shipped().hash
    assert policy_document(under.content)["model"] == model


def test_a_model_under_which_accounts_lack_contact_is_found() -> None:
    one = FULL.replace('    when: stage != "churned"\n', '    when: segment == "self_service"\n')
    found = lint(load_policy_texts({"p.yaml": f"model: mid_touch\n{one}"}))

    assert ("below-minimum", "mid_market") in [(each.kind, each.message.partition(" ")[0]) for each in found]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("model: touchless\n", "p.yaml:1:8: model: 'touchless' is not one of these"),
        ("model: hybrid\nmodel: hybrid\n", "p.yaml:2:1: duplicate key 'model'"),
    ],
)
def test_another_model_is_refused_with_its_place(text: str, message: str) -> None:
    with pytest.raises(PolicyRefused, match=re.escape(message)):
        load_policy_texts({"p.yaml": text + FULL})
