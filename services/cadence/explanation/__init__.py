"""Why and why not: for every rule its clauses, the events behind them, what stopped it and what would make it fire.

Recomputed when somebody asks, from the same facts and by the same `decide`; nothing of it is stored.
"""

from services.cadence.explanation.inquiry import Inquiry, NoSuchRule, NoSuchTouchpoint
from services.cadence.explanation.model import Change, Clause, Event, Stopped, Why, WhyCause, document

__all__ = [
    "Change",
    "Clause",
    "Event",
    "Inquiry",
    "NoSuchRule",
    "NoSuchTouchpoint",
    "Stopped",
    "Why",
    "WhyCause",
    "document",
]
