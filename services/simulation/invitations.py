"""What people are invited to in a simulation: as live, what readers of events know to be where it is.

Live, events wait until an account is quiet, so books are levelled before what has just changed is announced.
"""

from datetime import datetime
from functools import lru_cache

from services.cadence.policy import Policy
from services.calendar.announcing import find_announce_from
from services.calendar.touchpoint import Touchpoint


@lru_cache(maxsize=4)
def find_invited_types(policy: Policy) -> frozenset[str]:
    """The types that people are invited to."""
    return frozenset(name for name, kind in policy.catalogue.items() if kind.invites)


class Invitations:
    """What readers know of the touchpoints of one account; of those that never changed, what there is.

    `types`: those that people are invited to.
    """

    def __init__(self, policy: Policy) -> None:
        self.types = find_invited_types(policy)
        self._known: dict[str, datetime] = {}

    def contains(self, touchpoint: Touchpoint, now: datetime, *, is_changed: bool) -> bool:
        """Whether people are invited to it where it is. `is_changed`: since its person's book was levelled last."""
        if touchpoint.type not in self.types:
            return False
        known = self._known.get(touchpoint.id)
        if known is None and not is_changed and find_announce_from(touchpoint, self.types, now) is None:
            known = touchpoint.due_at
        return known == touchpoint.due_at

    def announce(self, touchpoint: Touchpoint, now: datetime) -> None:
        """Let readers know where it is, if it is near enough."""
        if touchpoint.type in self.types and find_announce_from(touchpoint, self.types, now) is None:
            self._known[touchpoint.id] = touchpoint.due_at

    def announce_move(self, touchpoint: Touchpoint) -> None:
        """Let readers who know it learn where it is."""
        if touchpoint.id in self._known:
            self._known[touchpoint.id] = touchpoint.due_at
