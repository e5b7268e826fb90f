"""Explanation: for every rule its clauses, the events behind them, what stopped it and what would make it fire.

Computed on demand from the same facts by the same evaluation; nothing of it is stored.
"""

from services.cadence.explanation.explainer import Explainer, NoSuchRule, NoSuchTouchpoint
from services.cadence.explanation.model import Clause, Event, Explanation, Remedy, StopCause, Stopped

__all__ = [
    "Clause",
    "Event",
    "Explainer",
    "Explanation",
    "NoSuchRule",
    "NoSuchTouchpoint",
    "Remedy",
    "StopCause",
    "Stopped",
]
