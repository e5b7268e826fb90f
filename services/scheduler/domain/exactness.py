"""How exactly a moment may be told to the customer: what levelling may still move has no time yet."""

from datetime import datetime, timedelta
from typing import Final

from schemas.schedule import Exactness
from services.calendar.touchpoint import PEOPLE, Touchpoint

FIRM_WITHIN: Final = timedelta(weeks=6)
"""What is nearer than this is shown with its time."""
NARROW: Final = timedelta(days=14)
"""The widest window of which a week is still a fair word."""


def exactness_of(touchpoint: Touchpoint, now: datetime) -> Exactness:
    """The month or the week of a person's touchpoint whose window lets it move; else its time.

    What people are invited to keeps its day, so that its time may be told too; that is for callers to know.
    """
    earliest, latest = touchpoint.earliest_at, touchpoint.latest_at
    is_firm = touchpoint.pinned or touchpoint.owner not in PEOPLE or touchpoint.due_at < now + FIRM_WITHIN
    if is_firm or earliest is None or latest is None:
        return "time"
    return "week" if latest - earliest <= NARROW else "month"
