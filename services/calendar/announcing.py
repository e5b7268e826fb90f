"""From when readers of events know an occurrence of a rhythm.

Occurrences are planned a year ahead, and most of those of today's rhythm never take place: readers learn of one when it
is near, or when people are invited to it.
"""

from collections.abc import Container
from datetime import datetime, timedelta
from typing import Final

from services.calendar.touchpoint import Origin, Status, Touchpoint

ANNOUNCED_AHEAD: Final = timedelta(days=35)
"""How far ahead readers know the occurrences of rhythms: five weeks, a few days more than digital ones are planned."""
INVITED_AHEAD: Final = timedelta(days=183)
"""The same for types that people are invited to: half a year."""


def find_announce_from(touchpoint: Touchpoint, invited: Container[str], now: datetime) -> datetime | None:
    """From when readers who do not know it learn of it, on the service clock; None: at once.

    `invited`: the types that people are invited to. Dates that a contract, an event or a person set are announced however
    far they are.
    """
    if touchpoint.origin is not Origin.RHYTHM or touchpoint.status is not Status.PLANNED or touchpoint.pinned:
        return None
    ahead = INVITED_AHEAD if touchpoint.type in invited else ANNOUNCED_AHEAD
    announce_from = touchpoint.due_at - ahead
    return announce_from if announce_from > now else None
