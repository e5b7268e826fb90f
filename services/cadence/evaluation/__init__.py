"""The plan: what should happen with an account, whole, and why. The highest rung: it reads everything below.

`decide` is pure. Equal policy, facts, issued, book and now give an equal plan, to the byte.
"""

from services.cadence.evaluation.change_detection import SNAPSHOT_EVENT_TYPES, health_snapshot, is_unaffected
from services.cadence.evaluation.changes import changes
from services.cadence.evaluation.documents import (
    Document,
    document_from_bytes,
    plan_bytes,
    plan_from_bytes,
    plan_of,
)
from services.cadence.evaluation.evaluate import Decision, evaluate_account
from services.cadence.evaluation.shapes import (
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
    "SNAPSHOT_EVENT_TYPES",
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
    "document_from_bytes",
    "evaluate_account",
    "health_snapshot",
    "is_unaffected",
    "plan_bytes",
    "plan_from_bytes",
    "plan_of",
]
