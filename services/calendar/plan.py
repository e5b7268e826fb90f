"""What the calendar reads from the models of a plan."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from schemas.base import parse_json
from schemas.plans import OneOffItem, Plan, PlanAdjusted, RhythmItem
from schemas.problems import Malformed
from schemas.standing import TouchpointContent
from schemas.vocabulary import Priority

PROTECTED: Final[Priority] = 2
"""The priority of what is never skipped."""


@dataclass(frozen=True, slots=True)
class PlanCommand:
    """The plan of an account, and the JSON it was read from; without a plan the account is to be erased."""

    account_id: str
    plan: PlanAdjusted | None = None
    document: str | None = None

    @property
    def version(self) -> int:
        return -1 if self.plan is None else self.plan.version


def read_plan(data: bytes) -> PlanCommand:
    """A plan from its JSON, the ids of its one-offs spelled as PostgreSQL spells UUIDs. Raises Malformed."""
    plan = PlanAdjusted.read(data)
    if b"\\u0000" in data:
        parse_json(data)  # jsonb cannot hold a NUL, which the value of a fact may contain
    if any(item.id != check_uuid(item.id, "touchpoints[].id") for item in plan.touchpoints):
        one_offs = [item.model_copy(update={"id": str(UUID(item.id))}) for item in plan.touchpoints]
        plan = plan.model_copy(update={"touchpoints": tuple(one_offs)})
    return PlanCommand(plan.account_id, plan, data.decode())


def check_uuid(text: str, field: str) -> str:
    """The canonical text of a UUID. Raises Malformed."""
    try:
        return str(UUID(text))
    except ValueError:
        raise Malformed(f"{field}: {text!r} is not the id of a touchpoint; send a UUID") from None


def content_of(item: RhythmItem | OneOffItem, plan: Plan) -> TouchpointContent:
    """What a touchpoint of this item of the plan is about."""
    return TouchpointContent.of_valid(
        channel=item.channel,
        purpose=item.purpose,
        topic=item.topic,
        audience=item.audience,
        reason=item.reason,
        quiet_hours=plan.quiet_hours,
        precedence=item.precedence,
        priority=_priority_of(item),
        about=item.about if isinstance(item, OneOffItem) else None,
        cause=item.cause if isinstance(item, OneOffItem) else None,
    )


def _priority_of(item: RhythmItem | OneOffItem) -> Priority | None:
    """What is never skipped is given up last, unless the policy says otherwise."""
    if item.priority is None and item.never_skip and item.precedence != "escalation":
        return PROTECTED
    return item.priority


def window_end(item: OneOffItem) -> datetime:
    """The end of the window; a window that ends before it begins is a moment."""
    return max(item.window.from_, item.window.to)


def latest_of(item: OneOffItem) -> datetime:
    """The last moment at which the one-off makes sense: its deadline, else the end of its window."""
    return window_end(item) if item.deadline is None else item.deadline
