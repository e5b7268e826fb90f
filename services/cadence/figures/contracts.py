"""The contract of a message: the term that it is about, with the dates of that term as they stand now.

A date that was only corrected is shown as it is now. A date is never shown with another term than its own.
"""

from datetime import date

from schemas.figures import ContractFigures
from schemas.plans import About
from services.cadence.account import Facts, day_of
from services.cadence.account.contracts import newest
from services.cadence.account.relation import Standing
from services.cadence.account.stamps import EPOCH_ORDINAL
from services.cadence.account.terms import NEAR_DAYS, Term
from services.cadence.features.contracts import day_counts
from services.cadence.features.view import AccountView


def contract_figures(view: AccountView, about: About | None) -> ContractFigures | None:
    """The term that `about` names, else the running one that ends first, else one agreed and not begun; None: none."""
    standings = view.relation.standings
    if about is None or about.contract_id is None:
        served = [standing for standing in standings if standing.is_served and standing.state != "superseded"]
        first = min(served, key=_order, default=None)
        return None if first is None else _figures(view.facts, first, first.term)
    named = next((standing for standing in standings if standing.contract_id == about.contract_id), None)
    if named is None:
        return None
    return _figures(view.facts, named, _find_term(named, about.renews_on))


def _order(standing: Standing) -> tuple[bool, bool, int, str]:
    """Those that began before those that did not, then those that end first."""
    end = standing.term.ends_on
    return not standing.opened, end is None, end or 0, standing.contract_id


def _find_term(standing: Standing, renews_on: date | None) -> Term | None:
    """The term that ends then, was once reported to, or was assumed to and is now reported; without a date the present.

    None: no term of the contract ever ended then.
    """
    if renews_on is None:
        return standing.term
    day = renews_on.toordinal() - EPOCH_ORDINAL
    terms = [*standing.terms.terms, standing.term]
    for term in (*(term for term in terms if term.ends_on == day), *reversed(terms)):
        if term.ends_on == day or day in term.ends:
            return term
    near = [term for term in terms if term.ends_on is not None and abs(term.ends_on - day) <= NEAR_DAYS]
    return near[-1] if near else None


def _figures(facts: Facts, standing: Standing, term: Term | None) -> ContractFigures:
    values = {name: newest(values) for name, values in standing.terms.values.items()}
    renewing, currency = values.get("auto_renew"), values.get("currency")
    is_present = term is standing.term
    notice = day_counts(standing).get("days_to_notice") if is_present else None
    own = None if currency is None or currency.value is None else str(currency.value)
    arr = standing.terms.arr
    return ContractFigures(
        contract_id=standing.contract_id,
        starts_on=_date(None if term is None else term.starts_on),
        renews_on=_date(None if term is None else term.ends_on),
        notice_on=_date(notice),
        auto_renew=renewing.value is True if renewing is not None and renewing.value is not None else None,
        is_assumed=is_present and standing.assumed_from is not None,
        arr=arr,
        currency=None if arr is None else own or _account_currency(facts),
    )


def _account_currency(facts: Facts) -> str | None:
    known = [fields["currency"] for fields in facts.account.values() if fields.get("currency")]
    return str(known[-1]) if known else None


def _date(day: int | None) -> date | None:
    return None if day is None else day_of(day)
