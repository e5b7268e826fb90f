"""Features of the contracts: the one that renews next, the revenue of all, and the start of the first."""

from services.cadence.account import DAY, Facts, when
from services.cadence.account.contract_terms import NOT_LIVE, ContractTerms, read_contract_terms
from services.cadence.features.view import AccountView
from services.cadence.rates import Rates


def fill_contracts(view: AccountView) -> None:
    """The features of the contract that renews next, and the start."""
    facts = view.facts
    if facts.contracts:
        view.contract_terms = [
            read_contract_terms(key, facts.contracts[key]) for key in sorted(facts.contracts)
        ]
        _fill_primary(view, min(view.contract_terms, key=_urgency))
    start = _start(facts, view.contract_terms)
    if start is not None:
        view.bases["days_since_start"] = start


def _fill_primary(view: AccountView, primary: ContractTerms) -> None:
    view.primary = primary
    view.values["contract_status"] = primary.status
    view.values["contract_signed"] = primary.signed
    view.values["auto_renew"] = renews_itself(view.facts, primary)
    if primary.renews_on is not None and primary.live:
        view.bases["days_to_renewal"] = primary.renews_on * DAY
        view.change_times.append((primary.renews_on + 1) * DAY)


def renews_itself(facts: Facts, terms: ContractTerms) -> bool:
    contract = facts.contracts[terms.contract_id]
    return any(fields.get("auto_renew") is True for fields in contract.fields.values())


def _urgency(terms: ContractTerms) -> tuple[int, bool, int, str]:
    rank = 0 if terms.status in {"active", "signed"} else 2 if terms.status == "churned" else 1
    return rank, terms.renews_on is None or terms.signed, terms.renews_on or 0, terms.contract_id


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
    for contract in facts.contracts.values():
        values = {name: value for fields in contract.fields.values() for name, value in fields.items()}
        amount = values.get("arr")
        if isinstance(amount, int | float) and values.get("status") not in NOT_LIVE:
            amounts.append((amount, str(values.get("currency") or own_currency)))
    return amounts


def _start(facts: Facts, contracts: list[ContractTerms]) -> int | None:
    starts = [terms.first_start * DAY for terms in contracts if terms.first_start is not None]
    starts = starts or [
        when(terms.first_signature) for terms in contracts if terms.first_signature is not None
    ]
    return min(starts) if starts else facts.first_event_at
