"""Contract events of tests, in days from S, the start of `reported-faults.md`'s stories."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from typing import Any

from services.cadence.account import FactEvent
from services.cadence.evaluation import Decision
from tests.unit.cadence.events import DAY, decided, make_event

S = datetime(2026, 6, 1, 10, tzinfo=UTC)
ASKS = frozenset(
    {
        "renewal_value_summary", "pre_renewal_review", "renewal_discussion", "renewal_proposal", "renewal_reminder",
        "renewal_negotiation", "renewal_urgency", "renewal_escalation",
    }
)  # fmt: skip
ACCOUNT = (
    make_event(
        "account.described",
        S - 900 * DAY,
        arr=50_000,
        currency="USD",
        timezone="Europe/Berlin",
        csm_id="csm-1",
    ),
    make_event("contact.described", S - 900 * DAY, contact_id="p1", role="champion", email="p1@example.com"),
)


def on(days: int) -> date:
    return (S + days * DAY).date()


def contract(at: float, contract_id: str = "k", source: str = "/crm", **fields: Any) -> FactEvent:
    """`starts`, `renews` and `signed_at` in days from S."""
    known: dict[str, Any] = {**fields}
    for short, name in (("starts", "starts_on"), ("renews", "renews_on")):
        if isinstance(days := known.pop(short, None), int):
            known[name] = on(days)
    if isinstance(days := known.get("signed_at"), int | float):
        known["signed_at"] = S + days * DAY
    return make_event("contract.changed", S + at * DAY, source, contract_id=contract_id, **known)


def plan_at(days: float, *events: FactEvent, came: Iterable[FactEvent] = ()) -> Decision:
    return decided(*ACCOUNT, *events, now=S + days * DAY, came=came)


def planned(decision: Decision) -> Mapping[str, str]:
    """Touchpoint type (with the id's order) -> id."""
    return {f"{item.touchpoint_type}/{item.id}": item.id for item in decision.plan.touchpoints}


def types(decision: Decision) -> list[str]:
    return [item.touchpoint_type for item in decision.plan.touchpoints]
