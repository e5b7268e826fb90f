"""Contracts: where the one that renews next stands, what all of them bring, and when the first began."""

from services.rules_engine.domain.facts import DAY, Facts, when
from services.rules_engine.domain.terms import Standing, standing
from services.rules_engine.domain.vocabulary.seen import View


def look_at_contracts(seen: View) -> None:
    """The words of the contract that renews next, the revenue where nobody described it, and the start."""
    facts = seen.facts
    if facts.contracts:
        seen.standings = [standing(key, facts.contracts[key]) for key in sorted(facts.contracts)]
        _primary(seen, min(seen.standings, key=_urgency))
        if seen.values["arr"] is None:
            seen.values["arr"] = _revenue(facts, seen.standings)
    start = _start(facts, seen.standings)
    if start is not None:
        seen.bases["days_since_start"] = start


def _primary(seen: View, primary: Standing) -> None:
    seen.primary = primary
    seen.values["contract_status"] = primary.status
    seen.values["contract_signed"] = primary.signed
    seen.values["auto_renew"] = renews_itself(seen.facts, primary)
    if primary.renews_on is not None and primary.live:
        seen.bases["days_to_renewal"] = primary.renews_on * DAY
        seen.turns.append((primary.renews_on + 1) * DAY)


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
