"""Where contracts stand, by themselves and among the others of an account."""

from datetime import timedelta
from typing import Any

import pytest

from services.cadence.account import DAY as MICROS
from services.cadence.account import FactEvent, micros
from services.cadence.account.relation import Relation, Standing, relate
from tests.unit.cadence.contract_events import S, contract, on
from tests.unit.cadence.events import facts_after

RUNNING = contract(-185, status="active", starts=-185, renews=180)


def relation_at(days: float, *events: FactEvent) -> Relation:
    return relate(facts_after(events).contracts, micros(S + timedelta(days=days)))


def standing_at(days: float, *events: FactEvent) -> Standing:
    (standing,) = relation_at(days, *events).standings
    return standing


@pytest.mark.parametrize(
    ("fields", "at", "state"),
    [
        ({"status": "draft"}, 0, "draft"),
        ({"status": "draft"}, 200, "draft"),
        ({"status": "signed", "starts": 10}, 0, "signed"),
        ({"status": "signed", "starts": 10}, 10, "active"),
        ({"status": "active"}, 0, "active"),
        ({}, 0, "active"),
        ({"status": "active"}, 200, "active"),
        ({"status": "active"}, 210, "ended"),
        ({"status": "active", "auto_renew": True}, 0, "renewing"),
        ({"status": "active", "auto_renew": True}, 3000, "renewing"),
        ({"status": "notice"}, 179, "notice"),
        ({"status": "notice"}, 180, "ended"),
        ({"status": "notice", "auto_renew": True}, 180, "ended"),
        ({"status": "churned"}, 179, "leaving"),
        ({"status": "churned"}, 180, "ended"),
        ({"status": "churned", "auto_renew": True}, 180, "ended"),
        ({"status": "ended"}, 0, "ended"),
    ],
)
def test_a_contract_stands_where_its_status_and_its_dates_put_it(
    fields: dict[str, Any], at: int, state: str
) -> None:
    whole: dict[str, Any] = {"starts": -185, "renews": 180, **fields}

    assert standing_at(at, contract(0, **whole)).state == state


def test_a_signature_of_the_next_term_renews_until_that_term_is_to_be_renewed() -> None:
    signed = contract(0, status="signed", signed_at=0)

    assert standing_at(0, RUNNING, signed).state == "renewed"
    later = standing_at(200, RUNNING, signed)
    assert (later.state, later.assumed_from is not None) == ("active", True)
    assert later.term.ends_on == micros(S + timedelta(days=545)) // MICROS
    assert standing_at(576, RUNNING, signed).state == "ended"


def test_churn_without_an_end_ends_at_once() -> None:
    assert standing_at(0, contract(0, status="churned")).state == "ended"
    assert standing_at(0, contract(-9, status="active"), contract(0, status="notice")).state == "notice"


def test_a_contract_that_renews_by_itself_is_served_until_the_term_in_which_it_is_churned() -> None:
    renewing = contract(-800, status="active", starts=-800, renews=-435, auto_renew=True)
    churned = contract(0, status="churned")

    assert standing_at(0, renewing).term.ends_on == micros(S + timedelta(days=-435 + 3 * 365)) // MICROS - 365
    assert standing_at(1, renewing, churned).state == "leaving"
    assert standing_at(294, renewing, churned).state == "leaving"
    assert standing_at(295, renewing, churned).state == "ended"


def test_a_contract_that_no_longer_renews_by_itself_keeps_the_terms_it_had() -> None:
    renewing = contract(-800, status="active", starts=-800, renews=-435, auto_renew=True)
    stopped = standing_at(1, renewing, contract(0, auto_renew=False))

    assert stopped.state == "active"
    assert stopped.term.key == on(-70).isoformat()


@pytest.mark.parametrize(
    ("fields", "days"),
    [({}, 365), ({"term_months": 1}, 30), ({"term_months": 24}, 730)],
)
def test_the_next_anniversary_is_assumed_one_term_later(fields: dict[str, Any], days: int) -> None:
    standing = standing_at(
        21, contract(-345, status="active", starts=-345, renews=20, auto_renew=True, **fields)
    )

    assert standing.term.starts_on is not None
    assert standing.term.ends_on is not None
    assert abs(standing.term.ends_on - standing.term.starts_on - days) <= 1
    assert standing.term.key == on(20).isoformat()


def test_a_month_after_the_last_of_january_is_the_last_of_february() -> None:
    renewing = contract(-152, status="active", starts=-152, renews=-121, auto_renew=True, term_months=1)
    standing = standing_at(-110, renewing)

    assert (on(-121).isoformat(), standing.term.ends_on) == (
        "2026-01-31",
        micros(S.replace(month=2, day=28)) // MICROS,
    )


@pytest.mark.parametrize(
    ("start", "state"), [(6, "superseded"), (34, "superseded"), (35, "active"), (5, "active")]
)
def test_a_contract_that_starts_at_the_end_of_another_continues_it(start: int, state: str) -> None:
    old = contract(-345, "a", status="active", starts=-345, renews=20)
    new = contract(0, "b", status="signed", signed_at=0, starts=start, renews=start + 365)
    relation = relation_at(0, old, new)

    assert [standing.state for standing in relation.standings] == [state, "signed"]
    assert relation.continuing == ({"b"} if state == "superseded" else set())
    assert len(relation.openings) == 1


def test_a_draft_continues_nothing_and_opens_no_relation() -> None:
    old = contract(-345, "a", status="active", starts=-345, renews=20)
    relation = relation_at(0, old, contract(0, "b", status="draft", starts=20, renews=385))

    assert [standing.state for standing in relation.standings] == ["active", "draft"]
    assert relation_at(0, contract(0, status="draft", starts=20)).openings == []


def test_the_running_contract_of_the_most_revenue_leads() -> None:
    small = contract(-10, "a", status="active", starts=-10, renews=30, arr=10)
    large = contract(-10, "b", status="active", starts=-10, renews=90, arr=900)
    ended = contract(-900, "c", status="ended", starts=-900, renews=-500, arr=10_000)

    primary = relation_at(0, small, large, ended).primary
    assert primary is not None
    assert primary.contract_id == "b"


@pytest.mark.parametrize(("gap", "relations"), [(30, 1), (31, 2)])
def test_more_than_thirty_days_without_a_running_term_begin_a_new_relation(gap: int, relations: int) -> None:
    old = contract(-35, "a", status="ended", starts=-400, renews=-35)
    new = contract(0, "b", status="active", starts=-35 + gap, renews=400)
    openings = relation_at(0, old, new).openings

    assert len(openings) == relations
    assert openings[0].key == ("start",)
    assert openings[1:] == [] or openings[1].key == ("start", on(-35 + gap).isoformat())
