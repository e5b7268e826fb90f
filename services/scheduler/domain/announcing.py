"""Which event brings the readers of events from what they know of a touchpoint to its present state.

Plans alternate within seconds; readers hear only of what remains. So an event is chosen from two states, never from the
changes between them: what was created and withdrawn meanwhile has none, nor has what is again as it was.
"""

from dataclasses import dataclass
from datetime import datetime

from schemas.touchpoints import Kind
from schemas.vocabulary import Owner
from services.calendar.touchpoint import OPEN, Holder, Origin, Status, Touchpoint


@dataclass(frozen=True, slots=True)
class KnownState:
    """A touchpoint as its last event described it. `status` None: there was no event, readers do not know it."""

    status: Status | None
    due_at: datetime | None = None
    start_at: datetime | None = None
    end_at: datetime | None = None
    deadline: datetime | None = None
    owner: Owner | None = None
    csm_id: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether readers know of it as something that is to come."""
        return self.status is not None and self.status is not Status.CANCELLED

    def differs_from(self, touchpoint: Touchpoint) -> bool:
        """Whether readers would see the difference."""
        return (self.due_at, self.start_at, self.end_at, self.deadline, self.owner, self.csm_id) != (
            touchpoint.due_at,
            touchpoint.start_at,
            touchpoint.end_at,
            touchpoint.deadline,
            touchpoint.owner,
            touchpoint.csm_id,
        )

    def find_previous_owner(self, touchpoint: Touchpoint) -> Holder | None:
        """Who has it as far as readers know; None: the same as now."""
        if self.owner is None or (self.owner, self.csm_id) == touchpoint.holder:
            return None
        return self.owner, self.csm_id


def choose_event(known: KnownState, touchpoint: Touchpoint) -> Kind | None:
    """`scheduled`, `moved` or `cancelled`; None when readers need no event.

    A one-off that the calendar refused was asked for by the rules engine, which has to learn that it is over.
    """
    if touchpoint.status is Status.CANCELLED:
        is_refused = touchpoint.origin is Origin.ONE_OFF and not touchpoint.is_withdrawn
        return "cancelled" if known.is_known or is_refused else None
    if not known.is_known:
        return "scheduled"
    return "moved" if touchpoint.status in OPEN and known.differs_from(touchpoint) else None
