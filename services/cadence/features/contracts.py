"""Contracts: where the one that renews next stands, what all of them bring, and when the first began."""

from services.cadence.account import DAY, Facts, when
from services.cadence.account.contract_terms import Standing, standing
from services.cadence.features.view import AccountView


def look_at_contracts(view: AccountView) -> None:
    """The words of the contract that renews next, the revenue where nobody described it, and the start."""
    facts = view.facts
    if facts.contracts:
        view.standings = [standing(key, facts.contracts[key]) for key in sorted(facts.contracts)]
        _primary(view, min(view.standings, key=_urgency))
        if view.values["arr"] is None:
            view.values["arr"] = _revenue(facts, view.standings)
    start = _start(facts, view.standings)
    if start is not None:
        view.bases["days_since_start"] = start


def _primary(view: AccountView, primary: Standing) -> None:
    view.primary = primary
    view.values["contract_status"] = primary.status
    view.values["contract_signed"] = primary.signed
    view.values["auto_renew"] = renews_itself(view.facts, primary)
    if primary.renews_on is not None and primary.live:
        view.bases["days_to_renewal"] = primary.renews_on * DAY
        view.turns.append((primary.renews_on + 1) * DAY)


def renews_itself(facts: Facts, each: Standing) -> bool:
    held = facts.contracts[each.contract_id].held
    return any(said.get("auto_renew") is True for said in held.values())


def _urgency(each: Standing) -> tuple[int, bool, int, str]:
    rank = 0 if each.status in {"active", "signed"} else 2 if each.status == "churned" else 1
    return rank, each.renews_on is None or each.signed, each.renews_on or 0, each.contract_id


def _revenue(facts: Facts, standings: list[Standing]) -> float | None:
    found = [
        value
        for each in standings
        if each.live
        for said in facts.contracts[each.contract_id].held.values()
        if isinstance(value := said.get("arr"), int | float)
    ]
    return sum(found) if found else None


def _start(facts: Facts, standings: list[Standing]) -> int | None:
    starts = [each.first_start * DAY for each in standings if each.first_start is not None]
    starts = starts or [when(each.first_signature) for each in standings if each.first_signature is not None]
    return min(starts) if starts else facts.first_heard
