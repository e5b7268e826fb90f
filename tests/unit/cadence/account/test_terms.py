"""The terms of a contract, whatever the order in which its changes arrive."""

from datetime import date

from services.cadence.account import FactEvent, who
from services.cadence.account.terms import ContractTerms, read_terms
from services.cadence.account.stamps import plain
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event


def terms_after(*events: FactEvent) -> ContractTerms:
    return read_terms("c", facts_after(events).contracts["c"])


def changed(days: int, **fields: object) -> FactEvent:
    return make_event("contract.changed", NOW + days * DAY, contract_id="c", **fields)


def test_the_first_signed_is_the_first_signature() -> None:
    first = changed(0, status="signed", renews_on=date(2027, 6, 1))

    terms = terms_after(changed(1, status="active"), first, changed(-1, status="draft"))

    assert terms.first_signature is not None
    assert who(terms.first_signature) == (first.provenance.source, first.provenance.id)
    assert not terms.signed


def test_signed_while_active_signs_the_running_term() -> None:
    terms = terms_after(
        changed(0, status="active", starts_on=date(2025, 8, 1), renews_on=date(2026, 8, 1)),
        changed(2, status="signed"),
    )

    assert terms.signed
    assert terms.first_signature is None


def test_a_signature_with_the_next_renewal_date_leaves_the_next_term_unsigned() -> None:
    terms = terms_after(
        changed(0, status="active", starts_on=date(2025, 8, 1), renews_on=date(2026, 8, 1)),
        changed(2, status="signed", renews_on=date(2027, 8, 1)),
    )

    assert not terms.signed
    assert terms.term_start == plain(date(2026, 8, 1))


def test_a_corrected_renewal_date_keeps_the_term() -> None:
    terms = terms_after(
        changed(0, status="active", starts_on=date(2025, 8, 1), renews_on=date(2026, 8, 1)),
        changed(2, renews_on=date(2026, 9, 1)),
    )

    assert terms.term_start == plain(date(2025, 8, 1))


def test_a_renewal_date_that_moves_after_it_has_passed_starts_a_new_term() -> None:
    terms = terms_after(
        changed(0, status="active", starts_on=date(2025, 6, 2), renews_on=date(2026, 6, 2)),
        changed(5, renews_on=date(2027, 6, 2)),
    )

    assert terms.term_start == plain(date(2026, 6, 2))
    assert terms.first_start == plain(date(2025, 6, 2))
