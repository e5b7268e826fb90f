"""The terms of a contract and their signatures: what connectors repeat, vary or reorder makes no second one."""

from datetime import date
from typing import Any

import pytest

from services.cadence.account import DAY as MICROS
from services.cadence.account import FactEvent, moment, who
from services.cadence.account.terms import ContractTerms, Term, read_terms
from tests.unit.cadence.contract_events import S, contract, on, plan_at
from tests.unit.cadence.events import facts_after, one_offs

RUNNING = contract(-265, status="active", starts=-265, renews=100)


def terms_after(*events: FactEvent) -> ContractTerms:
    return read_terms("k", facts_after(events).contracts["k"])


def keys(terms: ContractTerms) -> list[str]:
    return [term.key for term in terms.terms]


def signed(terms: ContractTerms) -> list[bool]:
    """Of each term, and of the one after the last."""
    return [terms.signature_of(index) is not None for index in range(len(terms.terms) + 1)]


def day(days: int) -> str:
    return on(days).isoformat()


def test_the_first_signed_is_the_first_signature() -> None:
    first = contract(0, status="signed", renews=365)

    terms = terms_after(contract(1, status="active"), first, contract(-1, status="draft"))

    assert signed(terms) == [True, False]
    signature = terms.signature_of(0)
    assert signature is not None
    assert who(signature.stamp) == (first.provenance.source, first.provenance.id)


def test_signed_while_active_signs_the_next_term() -> None:
    assert signed(terms_after(RUNNING, contract(0, status="signed"))) == [False, True]


def test_signed_at_before_the_running_term_signs_that_term() -> None:
    assert signed(terms_after(RUNNING, contract(0, status="signed", signed_at=-270))) == [True, False]


@pytest.mark.parametrize("repeated", [{}, {"starts": -265}, {"starts": -265, "arr": 9, "auto_renew": False}])
def test_a_signature_with_the_next_renewal_date_signs_the_term_that_it_opens(
    repeated: dict[str, Any],
) -> None:
    terms = terms_after(RUNNING, contract(0, status="signed", renews=465, **repeated))

    assert keys(terms) == [day(-265), day(100)]
    assert signed(terms) == [False, True, False]


@pytest.mark.parametrize("at", [0, 102])
def test_a_corrected_renewal_date_keeps_the_term(at: int) -> None:
    terms = terms_after(RUNNING, contract(at, renews=131))

    assert keys(terms) == [day(-265)]
    assert terms.terms[0].ends_on == (on(131) - date(1970, 1, 1)).days


@pytest.mark.parametrize(
    ("length", "fields", "opens"),
    [
        (365, {}, 182),
        (365, {"term_months": 12}, 182),
        (30, {}, 15),
        (30, {"term_months": 12}, 182),
        (1095, {}, 182),
        (1095, {"term_months": 1}, 15),
    ],
)
def test_a_move_by_half_a_term_opens_the_next(length: int, fields: dict[str, Any], opens: int) -> None:
    first = contract(0, status="active", starts=0, renews=length, **fields)

    assert len(terms_after(first, contract(1, renews=length + opens - 1)).terms) == 1
    assert len(terms_after(first, contract(1, renews=length + opens)).terms) == 2


def test_a_contract_that_is_dated_anew_before_it_begins_has_one_term() -> None:
    terms = terms_after(
        contract(0, status="draft", starts=10, renews=375),
        contract(5, status="draft", starts=250, renews=615),
    )

    assert len(terms.terms) == 1
    assert terms.terms[0].starts_on == (on(250) - date(1970, 1, 1)).days


def test_a_renewal_date_that_is_taken_back_takes_back_its_term() -> None:
    terms = terms_after(RUNNING, contract(0, renews=465), contract(1, status="active", renews=100))

    assert keys(terms) == [day(-265)]


def test_a_record_that_starts_each_term_anew_dates_the_terms() -> None:
    terms = terms_after(RUNNING, contract(95, status="active", starts=101, renews=466))

    assert keys(terms) == [day(-265), day(100)]
    assert terms.terms[1].starts_on == (on(101) - date(1970, 1, 1)).days
    assert day(101) in terms.terms[1].other_keys


def test_a_start_that_is_corrected_keeps_the_key_of_the_term() -> None:
    terms = terms_after(RUNNING, contract(0, starts=-260))

    assert keys(terms) == [day(-265)]
    assert terms.terms[0].starts_on == (on(-260) - date(1970, 1, 1)).days


def test_a_term_after_a_gap_opens_anew() -> None:
    terms = terms_after(
        RUNNING, contract(90, status="churned"), contract(400, status="signed", starts=400, renews=765)
    )

    assert keys(terms) == [day(-265), day(400)]
    assert [term.opens for term in terms.terms] == [True, True]
    assert signed(terms) == [False, True, False]


@pytest.mark.parametrize("minutes", [1, 60 * 24 * 10])
def test_signatures_of_one_term_are_one_and_the_earliest_counts(minutes: int) -> None:
    first = contract(0, status="signed", signed_at=0)
    other = contract(1, "k", "/billing", status="signed", signed_at=minutes / 1440)
    terms = terms_after(RUNNING, first, other)

    assert signed(terms) == [False, True]
    assert terms.signature is not None
    assert moment(terms.signature.at) == S
    assert who(terms.signature.stamp) == (first.provenance.source, first.provenance.id)


def test_late_paperwork_signs_the_term_that_has_just_begun() -> None:
    renewed = (RUNNING, contract(99, status="active", renews=465))

    assert signed(terms_after(*renewed, contract(110, status="signed", signed_at=110))) == [
        False,
        True,
        False,
    ]
    assert signed(terms_after(*renewed, contract(300, status="signed", signed_at=300))) == [
        False,
        False,
        True,
    ]


def test_a_tool_that_goes_on_saying_signed_signs_nothing_more() -> None:
    first = contract(-265, status="signed", starts=-265, renews=100)
    active = contract(-264, "k", "/billing", status="active", starts=-265, renews=100)
    nightly = [
        event
        for night in range(-263, 1)
        for event in (
            contract(night, "k", f"/crm-{night}", status="signed", starts=-265, renews=100),
            contract(night, "k", f"/billing-{night}", status="active", starts=-265, renews=100),
        )
    ]
    varied = contract(1, status="signed", starts=-265, renews=100, arr=7)

    assert signed(terms_after(first, active, *nightly, varied)) == [True, False]


def test_a_record_that_is_active_and_dated_says_when_its_own_term_was_signed() -> None:
    assert signed(terms_after(contract(0, status="active", signed_at=-270, starts=-265, renews=100))) == [
        True,
        False,
    ]
    assert signed(terms_after(RUNNING, contract(0, status="active", signed_at=-100))) == [False, False]


def test_the_length_of_a_term_is_agreed_or_follows_from_its_dates() -> None:
    assert Term(10, 40).length(None) == 30
    assert Term(10, 40).length(12) == 365
    assert Term(None, 40).length(None) == 365


def test_notice_is_stated_once_however_often_it_is_repeated() -> None:
    notice = [contract(night, "k", f"/crm-{night}", status="notice") for night in range(3)]

    closed_at = terms_after(RUNNING, *notice).closed_at
    assert closed_at is not None
    assert moment(closed_at // MICROS * MICROS).date() == on(0)


def closed_on(terms: ContractTerms) -> date:
    assert terms.closed_at is not None
    return moment(terms.closed_at // MICROS * MICROS).date()


def test_an_end_stated_before_the_last_term_starts_counts_from_the_first_night() -> None:
    stated = (RUNNING, contract(0, status="ended", renews=465))
    nights = [contract(night, "k", f"/crm-{night}", status="ended", renews=465) for night in range(1, 5)]

    for terms in (terms_after(*stated), terms_after(*stated, *nights)):
        assert (closed_on(terms), terms.closed_again) == (on(0), False)


def test_a_second_end_counts_from_its_own_first_statement() -> None:
    """The contract was won back in between: the end of its first life is history."""
    first_life = (contract(-700, status="active", starts=-700, renews=-335), contract(-400, status="ended"))
    again = contract(0, status="ended", renews=100)

    terms = terms_after(*first_life, RUNNING, again, contract(1, "k", "/other", status="ended", renews=100))

    assert (closed_on(terms), terms.closed_again) == (on(0), False)


@pytest.mark.parametrize("nights", [1, 2, 30])
def test_a_second_end_in_the_words_of_the_first_is_not_moved_by_nightly_repetitions(nights: int) -> None:
    """When it was stated again is not known; service is taken to end with the term, and a win-back is asked for."""
    ends = [contract(night, "k", f"/crm-{night}", status="ended") for night in (-400, *range(nights))]
    events = [contract(-700, status="active", starts=-700, renews=-335), RUNNING, *ends]

    terms, decision = terms_after(*events), plan_at(31, *events)

    assert (closed_on(terms), terms.closed_again) == (on(-265), True)
    (win_back,) = one_offs(decision, "win_back")
    assert win_back.window.from_.date() == on(130)
