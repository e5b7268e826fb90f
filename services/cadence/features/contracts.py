"""Features of the contracts: where the one that leads stands, the revenue of all, and the start of the relation."""

from services.cadence.account import DAY, Facts, Plain
from services.cadence.account.relation import Standing, earning_contracts, relate
from services.cadence.account.terms import GAP_DAYS
from services.cadence.features.view import AccountView
from services.cadence.rates import Rates


def fill_contracts(view: AccountView) -> None:
    """The features of the contract that leads, and the start."""
    facts = view.facts
    if facts.contracts:
        view.relation = relate(facts.contracts, view.now)
        primary = view.relation.primary
        if primary is not None:
            _fill_primary(view, primary)
        for standing in view.relation.standings:
            _watch(view, standing)
    beginning = view.relation.beginning
    start = facts.first_event_at if beginning is None else beginning.at
    if start is not None:
        view.bases["days_since_start"] = start


def _fill_primary(view: AccountView, primary: Standing) -> None:
    view.primary = primary
    view.values.update(contract_values(primary))
    for name, day in day_counts(primary).items():
        view.bases[name] = day * DAY


def contract_values(standing: Standing) -> dict[str, Plain]:
    """The features of one contract, other than those that count days."""
    terms, term = standing.terms, standing.term
    dated = term.starts_on is not None and term.ends_on is not None
    return {
        "contract_status": terms.status,
        "contract_state": standing.state,
        "contract_signed": standing.state == "renewed",
        "contract_settled": standing.is_settled,
        "auto_renew": terms.auto_renew,
        "term_days": term.length(None) if dated else None,
    }


def day_counts(standing: Standing) -> dict[str, int]:
    """The days (since 1970) until which features of a contract count: its renewal, and the last day for notice."""
    end = standing.term.ends_on
    if end is None or not standing.is_served:
        return {}
    counts = {"days_to_renewal": end}
    if standing.terms.auto_renew and standing.state in {"renewing", "signed"}:
        counts["days_to_notice"] = end - (standing.terms.notice_days or 0)
    return counts


def _watch(view: AccountView, standing: Standing) -> None:
    """A state changes with time alone when a term begins, when it ends, and when it has lapsed."""
    term = standing.term
    ends = [day for day in (term.ends_on, standing.serves_until) if day is not None]
    days = {*ends, *(day + GAP_DAYS for day in ends), *([] if term.starts_on is None else [term.starts_on])}
    view.change_times += [day * DAY for day in days]


def revenue_of(facts: Facts, rates: Rates, currency: str) -> float | None:
    """The yearly revenue in that currency: as described, else the sum of the live contracts.

    None when no amount is known, or when there is no rate for the currency of one.
    """
    revenue: float = 0
    amounts = revenue_amounts(facts, currency)
    for amount, own_currency in amounts:
        factor = rates.factor(own_currency, currency)
        if factor is None:
            return None
        revenue += amount if factor == 1 else amount * factor
    return revenue if amounts else None


def revenue_amounts(facts: Facts, currency: str) -> list[tuple[float, str]]:
    """What the revenue is made of, each amount with its currency: a contract's, else the account's, else that one."""
    own_currency, amount = currency, None
    for fields in facts.account.values():
        amount = fields.get("arr", amount)
        own_currency = str(fields.get("currency") or own_currency)
    if isinstance(amount, int | float):
        return [(amount, own_currency)]
    amounts: list[tuple[float, str]] = []
    for contract_id in earning_contracts(facts.contracts):
        stamped = facts.contracts[contract_id].fields
        values = {name: value for fields in stamped.values() for name, value in fields.items()}
        amount = values.get("arr")
        if isinstance(amount, int | float):
            amounts.append((amount, str(values.get("currency") or own_currency)))
    return amounts
