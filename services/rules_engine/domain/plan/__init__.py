"""The plan: what should happen with an account, whole, and why. The highest rung: it reads everything below.

`decide` is pure. Equal policy, facts, issued, book and now give an equal plan, to the byte.
"""

from services.rules_engine.domain.plan.changes import changes
from services.rules_engine.domain.plan.decision import Decision, decide
from services.rules_engine.domain.plan.documents import plan_bytes, plan_document, plan_from_bytes
from services.rules_engine.domain.plan.shapes import (
    Evidence,
    OneOffItem,
    Plan,
    PlanChange,
    Reason,
    RhythmItem,
    Suppressed,
)

__all__ = [
    "Decision",
    "Evidence",
    "OneOffItem",
    "Plan",
    "PlanChange",
    "Reason",
    "RhythmItem",
    "Suppressed",
    "changes",
    "decide",
    "plan_bytes",
    "plan_document",
    "plan_from_bytes",
]
