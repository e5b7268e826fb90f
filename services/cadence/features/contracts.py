"""Features of the contracts: the one that renews next, the revenue of all, and the start of the first."""

from services.cadence.account import DAY, Facts, when
from services.cadence.account.contract_terms import NOT_LIVE, ContractTerms, read_contract_terms
from services.cadence.features.view import AccountView


def fill_contracts(view: AccountView) -> None:
    """The features of the contract that renews next, the revenue if it is not described, and the start."""
    facts = view.facts
    if facts.contracts:
        view.contract_terms = [
            read_contract_terms(key, facts.contracts[key]) for key in sorted(facts.contracts)
        ]
        _fill_primary(view, min(view.contract_terms, key=_urgency))
        if view.values["arr"] is None:
            view.values["arr"] = revenue_of(facts)
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


def revenue_of(facts: Facts) -> float | None:
    """The yearly revenue, by which accounts are ranked: as described, else the sum of the live contracts."""
    for fields in facts.account.values():
        value = fields.get("arr")
        if isinstance(value, int | float):
            return float(value)
    revenues: list[float] = []
    for contract in facts.contracts.values():
        values = {name: value for fields in contract.fields.values() for name, value in fields.items()}
        value = values.get("arr")
        if isinstance(value, int | float) and values.get("status") not in NOT_LIVE:
            revenues.append(value)
    return sum(revenues) if revenues else None


def _start(facts: Facts, contracts: list[ContractTerms]) -> int | None:
    starts = [terms.first_start * DAY for terms in contracts if terms.first_start is not None]
    starts = starts or [
        when(terms.first_signature) for terms in contracts if terms.first_signature is not None
    ]
    return min(starts) if starts else facts.first_event_at
