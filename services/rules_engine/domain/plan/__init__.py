"""The plan: what should happen with an account, whole, and why. The highest rung: it reads everything below.

`decide` is pure. Equal policy, facts, issued, book and now give an equal plan, to the byte.
"""

from services.rules_engine.domain.plan.changes import changes
from services.rules_engine.domain.plan.decision import Decision, decide
from services.rules_engine.domain.plan.documents import (
    Document,
    document_from_bytes,
    plan_bytes,
    plan_from_bytes,
    plan_of,
)
from services.rules_engine.domain.plan.footing import QUIET, footing, unmoved
from services.rules_engine.domain.plan.shapes import (
    Avoid,
    Cause,
    Evidence,
    OneOffItem,
    Plan,
    PlanChange,
    Reason,
    RhythmItem,
    Suppressed,
)

__all__ = [
    "QUIET",
    "Avoid",
    "Cause",
    "Decision",
    "Document",
    "Evidence",
    "OneOffItem",
    "Plan",
    "PlanChange",
    "Reason",
    "RhythmItem",
    "Suppressed",
    "changes",
    "decide",
    "document_from_bytes",
    "footing",
    "plan_bytes",
    "plan_from_bytes",
    "plan_of",
    "unmoved",
]
