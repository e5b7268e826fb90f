"""How long a call or meeting takes in a calendar: the same in invitations, in feeds and where busy time is kept free."""

from datetime import timedelta
from typing import Final

USUAL: Final = timedelta(minutes=30)
"""The length of what has none: readers hide an entry without a length."""
SHORTEST: Final = timedelta(minutes=15)


def length_of(minutes: int) -> timedelta:
    """Of a touchpoint that takes so many minutes; 0: its length is not known."""
    return max(timedelta(minutes=minutes), SHORTEST) if minutes else USUAL
