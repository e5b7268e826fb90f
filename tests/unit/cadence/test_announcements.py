"""Programs and revenue ranks read from events, and the portfolio made of them."""

from datetime import date

import orjson

from services.cadence.account import FactEvent, StampedFields, merge_fields, micros, stamp_of
from services.cadence.account.codec import AccountState
from services.cadence.account.issued import Issued
from services.cadence.announcements import announced, audience_of, portfolio_of
from services.cadence.rates import Rates
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event


def announcement(days: float = 0, /, **fields: object) -> FactEvent:
    return make_event("program.announced", NOW + days * DAY, program_id="p", **fields)


def account(arr: int, currency: str | None = None) -> AccountState:
    described = make_event("account.described", arr=arr, currency=currency)
    return AccountState(facts_after([described]), Issued())


def test_the_newest_value_of_each_field_counts_whatever_the_order() -> None:
    first = announcement(kind="webinar", title="Old", at=NOW + 9 * DAY)
    second = announcement(1, title="New", meaningful=True)

    for events in ((first, second), (second, first)):
        (program,) = portfolio_of(events, []).programs
        assert (program.id, program.kind, program.title) == ("p", "webinar", "New")
        assert program.meaningful
        assert program.at == micros(NOW + 9 * DAY)
        assert program.stamp == stamp_of(second.provenance)


def test_a_program_without_a_time_happens_when_it_was_announced() -> None:
    (program,) = portfolio_of([announcement(3, kind="release")], []).programs

    assert program.at == micros(NOW + 3 * DAY)
    assert program.audience is None


def test_an_audience_is_compiled_and_its_features_are_read() -> None:
    portfolio = portfolio_of([announcement(audience='segment == "enterprise"')], [])

    (program,) = portfolio.programs
    assert program.audience is not None
    assert [bool(program.audience({"segment": name})) for name in ("enterprise", "self_service")] == [
        True,
        False,
    ]
    assert portfolio.reads == {"segment"}


def test_an_unreadable_audience_is_reported_and_its_program_reaches_nobody() -> None:
    event = announcement(audience="segmnt == 1")
    stored: StampedFields = {}
    fields = {name: orjson.dumps(value).decode() for name, value in event.fields.items()}
    merge_fields(stored, stamp_of(event.provenance), dict(fields))

    read = announced("p", orjson.dumps(stored))

    assert read.audience == "segmnt == 1"
    assert read.error is not None
    assert read.error.startswith("character 1: ")
    assert portfolio_of([event], []).programs == ()


def test_an_audience_of_another_type_than_a_condition_is_a_mistake() -> None:
    tree, error = audience_of("arr")

    assert tree is None
    assert error


def test_the_ranks_are_99_ascending_cut_offs_from_two_accounts_on() -> None:
    accounts = [account(arr) for arr in range(0, 1010, 10)]

    assert portfolio_of([], accounts[:1]).arr_percentiles == ()
    assert portfolio_of([], accounts).arr_percentiles == tuple(float(cut) for cut in range(10, 1000, 10))


def test_revenues_are_ranked_in_the_policys_currency() -> None:
    """Row 24: amounts without a rate have no rank."""
    rates = Rates(date(2026, 6, 1), "USD", {"EUR": 2.0})
    accounts = [account(100, "EUR"), account(300), account(1_000_000, "JPY")]

    portfolio = portfolio_of([], accounts, rates, "USD")

    assert (portfolio.arr_percentiles[0], portfolio.arr_percentiles[-1]) == (201.0, 299.0)
    assert portfolio.rates == rates
