"""Where a contract stands, whatever the order its changes were heard in."""

from datetime import date

from services.cadence.account import FactEvent, who
from services.cadence.account.contract_terms import Standing, standing
from services.cadence.account.stamps import plain
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event


def stands(*events: FactEvent) -> Standing:
    return standing("c", facts_after(events).contracts["c"])


def changed(days: int, **fields: object) -> FactEvent:
    return make_event("contract.changed", NOW + days * DAY, contract_id="c", **fields)


def test_signed_for_the_first_time_is_the_first_signature() -> None:
    first = changed(0, status="signed", renews_on=date(2027, 6, 1))

    now = stands(changed(1, status="active"), first, changed(-1, status="draft"))

    assert now.first_signature is not None
    assert who(now.first_signature) == (first.provenance.source, first.provenance.id)
    assert not now.signed


def test_signed_while_active_signs_the_running_term() -> None:
    now = stands(
        changed(0, status="active", starts_on=date(2025, 8, 1), renews_on=date(2026, 8, 1)),
        changed(2, status="signed"),
    )

    assert now.signed
    assert now.first_signature is None


def test_a_signature_that_brings_the_next_date_leaves_the_next_term_unsigned() -> None:
    now = stands(
        changed(0, status="active", starts_on=date(2025, 8, 1), renews_on=date(2026, 8, 1)),
        changed(2, status="signed", renews_on=date(2027, 8, 1)),
    )

    assert not now.signed
    assert now.term_start == plain(date(2026, 8, 1))


def test_a_corrected_date_keeps_the_term() -> None:
    now = stands(
        changed(0, status="active", starts_on=date(2025, 8, 1), renews_on=date(2026, 8, 1)),
        changed(2, renews_on=date(2026, 9, 1)),
    )

    assert now.term_start == plain(date(2025, 8, 1))


def test_a_date_that_moves_after_it_passed_begins_a_new_term() -> None:
    now = stands(
        changed(0, status="active", starts_on=date(2025, 6, 2), renews_on=date(2026, 6, 2)),
        changed(5, renews_on=date(2027, 6, 2)),
    )

    assert now.term_start == plain(date(2026, 6, 2))
    assert now.first_start == plain(date(2025, 6, 2))
