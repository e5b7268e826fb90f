"""Levelling: on which days one person meets their accounts, so that weeks are even and nothing leaves its window.

Phases first, then weeks, then days; after a change only what must move, or what pays for it. Pure, of whole numbers
only: the same book gives the same days in every process, on every machine.
"""

from services.calendar.levelling.model import (
    HORIZON_WEEKS,
    NOWHERE,
    Beat,
    Book,
    Hold,
    Homeless,
    InvalidBook,
    Move,
    Obstacle,
    Relevelled,
    Touch,
)
from services.calendar.levelling.phases import choose_phases
from services.calendar.levelling.relevel import level, relevel

__all__ = [
    "HORIZON_WEEKS", "NOWHERE", "Beat", "Book", "Hold", "Homeless", "InvalidBook", "Move", "Obstacle", "Relevelled",
    "Touch", "choose_phases", "level", "relevel",
]  # fmt: skip
