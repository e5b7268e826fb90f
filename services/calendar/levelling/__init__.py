"""Levelling: on which days one person meets their accounts, so that weeks are even and nothing leaves its window.

Phases first, then weeks, then days; after a change only what must move, or what pays for it. Pure, of whole numbers
only: the same book gives the same days in every process, on every machine.
"""

from services.calendar.levelling.conflicts import Conflict, Group, find_conflicts
from services.calendar.levelling.flow import FlowNotInstalled, Start, find_start
from services.calendar.levelling.handover import BLOCK_WEEKS, AccountLoad, Host, choose_host, share_out
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
from services.calendar.levelling.relief import GivenUp, Relief, relieve

__all__ = [
    "BLOCK_WEEKS", "HORIZON_WEEKS", "NOWHERE", "AccountLoad", "Beat", "Book", "Conflict", "FlowNotInstalled", "GivenUp",
    "Group", "Hold", "Homeless", "Host", "InvalidBook", "Move", "Obstacle", "Relevelled", "Relief", "Start", "Touch",
    "choose_host", "choose_phases", "find_conflicts", "find_start", "level", "relevel", "relieve", "share_out",
]  # fmt: skip
