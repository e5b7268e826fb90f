"""The cadence of the coming year, as far as time alone changes it (S187)."""

from collections.abc import Mapping
from datetime import timedelta
from itertools import pairwise

import pytest

from schemas.plans import RhythmItem
from services.cadence.account import FactEvent
from services.cadence.evaluation import evaluate_account
from services.cadence.evaluation.outlook import AHEAD, Outlook, project_cadence
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.events import DAY, NOW, facts_after, issued, make_event, shipped


def begun(arr: int, days_ago: int = 0) -> list[FactEvent]:
    """An account whose contract of a year began so many days ago."""
    start = (NOW - days_ago * DAY).date()
    contract = {"contract_id": "c", "status": "active", "starts_on": start, "renews_on": start + 364 * DAY}
    return [
        make_event("account.described", NOW - days_ago * DAY, arr=arr, csm_id="csm-1"),
        make_event("contract.changed", NOW - days_ago * DAY, **contract),
        make_event("health.scored", NOW, score=85),
    ]


def outlook(*events: FactEvent) -> Outlook:
    return project_cadence(shipped(), facts_after(events), issued([]), Portfolio(), NOW)


def intervals(ahead: Outlook) -> list[tuple[int, Mapping[str, int]]]:
    return [
        ((phase.begins_at - NOW).days, {item.touchpoint_type: item.every_days for item in phase.rhythms})
        for phase in ahead.phases
    ]


def test_an_enterprise_is_called_weekly_in_onboarding_and_every_other_week_then() -> None:
    (now, first), (later, second), *_ = intervals(outlook(*begun(250_000)))

    assert (now, first["check_in"], "executive_review" in first) == (0, 7, False)
    assert 85 <= later <= 91
    assert (second["check_in"], second["executive_review"]) == (14, 365)


def test_internal_work_is_not_part_of_it() -> None:
    assert not any("value_watch" in own for _, own in intervals(outlook(*begun(250_000))))


@pytest.mark.parametrize("arr", [250_000, 50_000, 5_000, 500])
def test_every_phase_is_what_an_evaluation_at_its_moment_plans_and_differs_from_the_one_before(
    arr: int,
) -> None:
    events = begun(arr)
    ahead = outlook(*events)
    planned: list[tuple[RhythmItem, ...]] = []
    for phase in ahead.phases:
        decision = evaluate_account(shipped(), facts_after(events), issued([]), Portfolio(), phase.begins_at)
        planned.append(tuple(item for item in decision.plan.rhythms if item.topic is not None))

    assert [phase.rhythms for phase in ahead.phases] == planned
    noticed = [[(item.touchpoint_type, item.every_days) for item in rhythms] for rhythms in planned]
    assert all(one != other for one, other in pairwise(noticed))


def test_it_ends_with_the_running_term_as_nobody_knows_whether_another_follows() -> None:
    assert outlook(*begun(50_000)).ends_at == NOW + AHEAD
    ends_at = outlook(*begun(50_000, days_ago=300)).ends_at
    assert timedelta(days=64) < ends_at - NOW < timedelta(days=100)


def test_what_the_customer_asked_for_is_marked() -> None:
    wish = make_event(
        "preference.changed", NOW, contact_id="ann", topic="account", channel="any", frequency="monthly"
    )
    asked = outlook(
        *begun(250_000), make_event("contact.described", NOW, contact_id="ann", role="champion"), wish
    )

    assert outlook(*begun(250_000)).phases[0].preferred == frozenset()
    assert "value_report" in asked.phases[0].preferred
