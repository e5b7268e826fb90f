"""No rule leads a person to a low-touch account without a reason (S58, S72, X17)."""

from collections.abc import Iterator, Mapping
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.plans import OneOffItem, RhythmItem
from services.cadence.account import FactEvent
from services.cadence.lint import lint
from services.cadence.policy import PERSONS
from services.cadence.policy.load import SHIPPED, load_policy_texts, policy_texts
from tests.unit.cadence.events import DAY, NOW, decided, make_event


def persons(section: str, rule: str) -> list[tuple[object, ...]]:
    """Rule, file and line of the findings, with this rule added to the shipped policy."""
    text = f"{section}:\n  - {rule}\n"
    findings = lint(load_policy_texts({**policy_texts(SHIPPED), "70-more.yaml": text}, is_stored=True))
    return [(found.rule, *found.place) for found in findings if found.kind == "person"]


def one(**keys: str) -> str:
    return "{" + ", ".join(f"{name}: {text}" for name, text in keys.items()) + ", because: So.}"


def talk(when: str, segment: str, **more: str) -> str:
    return one(rule="talk", touchpoint="intro_call", segment=segment, every="30d", when=f"'{when}'", **more)


@pytest.mark.parametrize(
    ("section", "rule"),
    [
        ("triggers", one(rule="talk", on="nps.answered", touchpoint="intro_call", within="48h")),
        ("triggers", one(rule="talk", on="health.scored", touchpoint="intro_call", within="48h",
                         segment="small_business")),
        ("rhythms", talk('color is not null and color == "red"', "self_service")),
        ("rhythms", talk('color is not null and color != "red"', "small_business")),
        ("rhythms", talk("seats is not null and seats > 9", "small_business")),
        ("rhythms", one(rule="talk", touchpoint="tips", owner="sales", every="30d")),
        ("timelines", "{anchor: renewal, steps: [{rule: talk, at: -50d, touchpoint: intro_call, because: So.}]}"),
        ("sequences", "{sequence: s, steps: [{rule: talk, day: 3, touchpoint: intro_call, because: So.}]}"),
    ],
)  # fmt: skip
def test_a_rule_that_leads_a_person_to_a_low_touch_account_is_found_s58_s72(section: str, rule: str) -> None:
    assert persons(section, rule) == [("talk", "70-more.yaml", 2)]


@pytest.mark.parametrize(
    ("section", "rule"),
    [
        ("triggers", one(rule="talk", on="request.received", touchpoint="intro_call", within="48h")),
        ("triggers", one(rule="talk", on="nps.answered", touchpoint="risk_action_plan", within="48h")),
        ("triggers", one(rule="talk", on="nps.answered", touchpoint="intro_call", within="48h",
                         owner="automation", channel="email")),
        ("triggers", one(rule="talk", on="health.scored", touchpoint="intro_call", within="48h",
                         segment="small_business", when="'score_drop is not null and score_drop >= 10'")),
        ("rhythms", talk("paid_success", "[small_business, self_service]")),
        ("rhythms", talk("open_requests > 0", "self_service")),
        ("rhythms", talk('color is not null and color in ["red", "yellow"]', "[mid_market, small_business]")),
        ("rhythms", talk("true", "[enterprise, mid_market]")),
    ],
)  # fmt: skip
def test_a_request_a_package_and_health_are_reasons_for_a_person_x17(section: str, rule: str) -> None:
    assert persons(section, rule) == []


def test_the_finding_shows_the_account_and_what_to_do() -> None:
    text = f"rhythms:\n  - {talk('arr is not null', 'self_service')}\n"
    findings = lint(load_policy_texts({**policy_texts(SHIPPED), "70-more.yaml": text}, is_stored=True))

    (found,) = [found for found in findings if found.kind == "person"]
    assert found.witness is not None
    assert found.witness["segment"] == "self_service"
    assert "`paid_success`" in found.message
    assert "automation" in found.message


moments = st.integers(-60, 0).map(lambda days: NOW + days * DAY)


@st.composite
def news(draw: st.DrawFn) -> FactEvent:
    """Anything but a request and bad health."""
    kind, at = draw(st.integers(0, 7)), draw(moments)
    kinds: tuple[tuple[str, Mapping[str, object]], ...] = (
        ("nps.answered", {"score": draw(st.integers(0, 10))}),
        ("expansion.signalled", {"signal": "team_growth"}),
        ("milestone.reached", {"milestone": "m", "kind": draw(st.sampled_from(("success", "adoption", "go_live")))}),
        ("usage.reported", {"period_start": at - 7 * DAY, "period_end": at, "seats": 10, "seats_used": 10}),
        ("contract.changed", {"contract_id": "c", "status": draw(st.sampled_from(("signed", "active"))),
                              "starts_on": (at - draw(st.integers(0, 360)) * DAY).date(),
                              "renews_on": (at + draw(st.integers(1, 360)) * DAY).date(),
                              "arr": draw(st.integers(1, 900))}),
        ("contact.described", {"contact_id": "ann", "role": "champion"}),
        ("contact.left", {"contact_id": "ann"}),
        ("touchpoint.settled", {"touchpoint_id": str(at), "outcome": "completed",
                                "touchpoint_type": draw(st.sampled_from(("expansion_discovery", "business_review")))}),
    )  # fmt: skip
    name, data = kinds[kind]
    return make_event(name, at, **data)


@given(st.sampled_from((100, 5_000)), st.lists(news(), max_size=8), st.integers(0, 300).map(timedelta))
def test_no_news_brings_a_person_to_a_low_touch_account_s58_s72(
    arr: int, events: list[FactEvent], later: timedelta
) -> None:
    described = make_event("account.described", NOW - 90 * DAY, arr=arr)
    plan = decided(described, *events, now=NOW + later).plan

    def items() -> Iterator[RhythmItem | OneOffItem]:
        yield from (*plan.rhythms, *plan.touchpoints)

    assert [item.reason.rule for item in items() if item.owner in PERSONS and item.topic is not None] == []
