"""What evaluation gets to know of touchpoints that come due or are cancelled, as the events of the scheduler say it."""

from datetime import datetime

from schemas.standing import TouchpointContent
from services.cadence.account import FactEvent, Provenance
from services.cadence.account.codec import AccountState
from services.cadence.account.issued import apply_issued
from services.cadence.evaluation import Decision
from services.cadence.policy import Policy, Trigger
from services.calendar.touchpoint import Origin, Touchpoint

SOURCE = "/drumbeat/scheduler"


def find_counted(policy: Policy) -> frozenset[str]:
    """The touchpoint types whose times any rule counts: for cool-downs, caps and limits."""
    counted = {
        rule.touchpoint
        for rules in policy.triggers.values()
        for _, rule in rules
        if rule.cooldown is not None or rule.cap is not None
    }
    return frozenset(counted.union(*(limit.touchpoints for limit in policy.limits)))


def find_sensitive(policy: Policy, decision: Decision) -> frozenset[str]:
    """The types of which one more that came due may stop a one-off of this decision; others cannot change the plan."""
    sensitive: set[str] = set()
    for candidate in decision.outline.selection.selected:
        rule = candidate.rule
        if not isinstance(rule, Trigger):
            continue
        if rule.cooldown is not None or rule.cap is not None:
            sensitive.add(rule.touchpoint)
        for limit in policy.limits:
            if rule.touchpoint in limit.touchpoints:
                sensitive.update(limit.touchpoints)
    return frozenset(sensitive)


def find_contested(policy: Policy, decision: Decision) -> frozenset[str]:
    """The types of which one that comes due may let a one-off of another event in, or move when there is room for one."""
    limits = {limit.rule: limit.touchpoints for limit in policy.limits}
    contested: set[str] = set()
    for stopped in decision.outline.selection.suppressed:
        if stopped.cause in {"asked_first", "cooldown", "cap"}:
            contested.add(stopped.touchpoint_type)
        contested.update(limits.get(stopped.by, ()) if stopped.cause == "limit" else ())
    return frozenset(contested)


def report_due(state: AccountState, touchpoint: Touchpoint, content: TouchpointContent) -> bool:
    """Apply that it came due; whether the state changed."""
    return apply_issued(state.issued, _event("touchpoint.due", touchpoint, touchpoint.released_at, content))


def report_cancelled(state: AccountState, touchpoint: Touchpoint, now: datetime) -> bool:
    """Apply that it was cancelled; whether the state changed."""
    return apply_issued(state.issued, _event("touchpoint.cancelled", touchpoint, now, touchpoint.content))


def _event(
    kind: str, touchpoint: Touchpoint, at: datetime | None, content: TouchpointContent | None
) -> FactEvent:
    moment = touchpoint.due_at if at is None else at
    event_id = f"{touchpoint.id}:{touchpoint.sequence}:{kind.rpartition('.')[2]}"
    fields: dict[str, object] = {
        "touchpoint_id": touchpoint.id,
        "touchpoint_type": touchpoint.type,
        "sequence": touchpoint.sequence,
        "due_at": touchpoint.due_at,
        "occurrence": touchpoint.number,
    }
    if touchpoint.origin is Origin.ONE_OFF and content is not None:
        fields |= _one_off_fields(touchpoint, content)
    if touchpoint.cancellation is not None:
        fields["note"] = touchpoint.cancellation.note
    provenance = Provenance(moment, SOURCE, event_id, "0" * 16)
    return FactEvent(kind, touchpoint.account_id, provenance, fields)


def _one_off_fields(touchpoint: Touchpoint, content: TouchpointContent) -> dict[str, object]:
    earliest_at, latest_at = touchpoint.window
    return {
        "released_at": touchpoint.released_at,
        "deadline": touchpoint.deadline,
        "window": {"from": earliest_at, "to": latest_at},
        "owner": {"kind": touchpoint.owner, "csm_id": touchpoint.csm_id},
        "channel": content.channel,
        "purpose": content.purpose,
        "precedence": content.precedence,
        "reason": content.reason.model_dump(by_alias=True),
        "about": None if content.about is None else content.about.model_dump(by_alias=True),
    }
