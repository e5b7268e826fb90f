"""The contract of a message: the dates of the term it is about, as they stand now, and of no other term."""

from datetime import date

from schemas.figures import ContractFigures
from schemas.plans import About
from services.cadence.account import FactEvent
from tests.unit.cadence.contract_events import ACCOUNT, S, contract, on
from tests.unit.cadence.events import DAY
from tests.unit.cadence.figures.figures_of import figures_after


def contract_at(days: float, *events: FactEvent, about: About | None = None) -> ContractFigures | None:
    return figures_after(*ACCOUNT, *events, now=S + days * DAY, about=about).contract


def dates(known: ContractFigures | None) -> tuple[date | None, date | None]:
    assert known is not None
    return known.starts_on, known.renews_on


def test_a_message_about_one_of_two_contracts_has_the_date_of_that_contract() -> None:
    events = (
        contract(0, "a", status="active", starts=-300, renews=65, arr=9, currency="EUR"),
        contract(0, "b", status="active", starts=-100, renews=265),
    )

    assert dates(contract_at(1, *events, about=About(contract_id="b", renews_on=on(265)))) == (
        on(-100),
        on(265),
    )
    first = contract_at(1, *events)
    assert first is not None
    assert (first.contract_id, first.arr, first.currency) == ("a", 9, "EUR")


def test_a_date_that_was_only_corrected_is_shown_as_it_stands_now() -> None:
    events = (
        contract(0, status="active", starts=-300, renews=65),
        contract(1, status="active", starts=-300, renews=70),
    )

    assert dates(contract_at(2, *events, about=About(contract_id="k", renews_on=on(65)))) == (
        on(-300),
        on(70),
    )


def test_the_old_date_of_a_renewed_contract_stays_with_the_old_term() -> None:
    events = (
        contract(0, status="active", starts=-300, renews=65),
        contract(60, status="active", renews=430),
    )

    assert dates(contract_at(61, *events, about=About(contract_id="k", renews_on=on(65)))) == (
        on(-300),
        on(65),
    )
    assert dates(contract_at(61, *events)) == (on(65), on(430))


def test_a_date_that_no_term_ever_had_is_shown_with_none() -> None:
    known = contract_at(
        2,
        contract(0, status="active", starts=-300, renews=65),
        about=About(contract_id="k", renews_on=on(-200)),
    )

    assert dates(known) == (None, None)


def test_a_message_about_an_unknown_contract_gets_the_dates_of_none() -> None:
    events = contract(0, status="active", starts=-300, renews=65)

    assert contract_at(2, events, about=About(contract_id="gone", renews_on=on(65))) is None


def test_an_assumed_term_is_named_as_one_and_its_last_day_for_notice_is_its_own() -> None:
    known = contract_at(
        10,
        contract(
            -400, status="active", starts=-400, renews=-35, auto_renew=True, notice_days=30, term_months=12
        ),
    )

    assert known is not None
    assert known.is_assumed
    assert known.auto_renew is True
    assert known.renews_on is not None
    assert known.renews_on > on(300)
    assert known.notice_on is not None
    assert (known.renews_on - known.notice_on).days == 30


def test_whether_a_contract_renews_itself_is_unknown_until_it_was_told() -> None:
    known = contract_at(1, contract(0, status="active", starts=-300, renews=65))

    assert known is not None
    assert known.auto_renew is None
    assert known.notice_on is None
