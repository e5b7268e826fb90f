"""Helpers of tests: events, the facts and issued touchpoints after them, and decisions of the shipped policy."""

import hashlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import cache

from schemas.plans import OneOffItem, RhythmItem
from services.cadence.account import FactEvent, Facts, Provenance, apply_fact
from services.cadence.account.issued import Issued, apply_issued
from services.cadence.evaluation import Decision, evaluate_account
from services.cadence.policy import Policy
from services.cadence.policy.load import SHIPPED, load_policy, policy_texts
from services.cadence.portfolio import Portfolio

NOW = datetime(2026, 6, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)


@cache
def shipped() -> Policy:
    return load_policy(SHIPPED)


def shipped_text() -> str:
    """The shipped policy as one file: no section is in two of its files."""
    return "\n".join(policy_texts(SHIPPED).values())


def make_event(kind: str, at: datetime = NOW, source: str = "/crm", /, **fields: object) -> FactEvent:
    """An event whose id and hash follow from its content, so that equal arguments are equal events."""
    content = hashlib.sha256(repr((kind, at, sorted(fields.items()))).encode()).hexdigest()
    return FactEvent(kind, "acme", Provenance(at, source, content[:12], content), fields)


def facts_after(events: Iterable[FactEvent]) -> Facts:
    facts = Facts("acme")
    for event in events:
        apply_fact(facts, event)
    return facts


def issued(events: Iterable[FactEvent]) -> Issued:
    issued_touchpoints = Issued()
    for event in events:
        apply_issued(issued_touchpoints, event)
    return issued_touchpoints


def decided(*events: FactEvent, now: datetime = NOW, came: Iterable[FactEvent] = ()) -> Decision:
    """The shipped policy's decision after these events; `came`: the touchpoints that came due or ended."""
    return evaluate_account(shipped(), facts_after(events), issued(came), Portfolio(), now)


def rhythm(decision: Decision, kind: str) -> RhythmItem | None:
    return next((item for item in decision.plan.rhythms if item.touchpoint_type == kind), None)


def one_offs(decision: Decision, kind: str) -> list[OneOffItem]:
    return [item for item in decision.plan.touchpoints if item.touchpoint_type == kind]


def came_due(item: OneOffItem, at: datetime) -> FactEvent:
    """The scheduler's event when this one-off comes due: it repeats the reason of the plan."""
    return make_event(
        "touchpoint.due",
        at,
        "/drumbeat/scheduler",
        touchpoint_id=item.id,
        touchpoint_type=item.touchpoint_type,
        due_at=at,
        released_at=at,
        deadline=item.deadline,
        window={"from": item.window.from_, "to": item.window.to},
        owner={"kind": item.owner, "csm_id": item.csm_id},
        channel=item.channel,
        purpose=item.purpose,
        precedence=item.precedence,
        occurrence=None,
        reason={
            "rule": item.reason.rule,
            "policy": item.reason.policy,
            "text": item.reason.text,
            "facts": [
                {
                    "name": fact.name,
                    "value": fact.value,
                    "source": fact.source,
                    "id": fact.id,
                    "time": fact.time,
                }
                for fact in item.reason.facts
            ],
        },
    )


def settled(item: OneOffItem, at: datetime, outcome: str = "completed") -> FactEvent:
    return make_event(
        "touchpoint.settled",
        at,
        "/drumbeat/scheduler",
        touchpoint_id=item.id,
        touchpoint_type=item.touchpoint_type,
        outcome=outcome,
    )
