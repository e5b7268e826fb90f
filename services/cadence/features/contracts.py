"""Features of the contracts: where the one that leads stands, the revenue of all, and the start of the relation."""

from services.cadence.account import DAY, Facts, Plain
from services.cadence.account.relation import Standing, earning_contracts, relate
from services.cadence.account.terms import GAP_DAYS
from services.cadence.features.view import AccountView


def fill_contracts(view: AccountView) -> None:
    """The features of the contract that leads, the revenue if it is not described, and the start."""
    facts = view.facts
    if facts.contracts:
        view.relation = relate(facts.contracts, view.now)
        primary = view.relation.primary
        if primary is not None:
            _fill_primary(view, primary)
        for standing in view.relation.standings:
            _watch(view, standing)
        if view.values["arr"] is None:
            view.values["arr"] = revenue_of(facts)
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


def revenue_of(facts: Facts) -> float | None:
    """The yearly revenue, by which accounts are ranked: as described, else the sum of the live contracts."""
    for fields in facts.account.values():
        value = fields.get("arr")
        if isinstance(value, int | float):
            return float(value)
    revenues: list[float] = []
    for contract_id in earning_contracts(facts.contracts):
        fields_by_stamp = facts.contracts[contract_id].fields.values()
        value = next((fields["arr"] for fields in fields_by_stamp if "arr" in fields), None)
        if isinstance(value, int | float):
            revenues.append(value)
    return sum(revenues) if revenues else None
