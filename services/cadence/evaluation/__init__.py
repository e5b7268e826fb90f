"""Evaluation: what should happen with an account, whole, and why.

`evaluate_account` is pure: equal policy, facts, issued touchpoints, portfolio and moment give an equal plan, to the byte.
"""

from services.cadence.evaluation.candidates import Suppressed, SuppressionCause
from services.cadence.evaluation.change_detection import Basis, ChangeDetection
from services.cadence.evaluation.changes import StoredPlan, plan_changes
from services.cadence.evaluation.evaluate import Decision, evaluate_account

__all__ = [
    "Basis",
    "ChangeDetection",
    "Decision",
    "StoredPlan",
    "Suppressed",
    "SuppressionCause",
    "evaluate_account",
    "plan_changes",
]
