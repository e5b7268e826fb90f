"""What a reader's calendar has of a touchpoint, and which invitations of the reader go first."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from schemas.vocabulary import SPOKEN

INVITATION: Final = "invitation"
"""The content from which invitations are written, whatever they are to."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """What the reader's calendar has of a touchpoint. Without times: an invitation may have reached the reader.

    `sequence`: of the touchpoint when it was sent. `organizer_id`: who leads it there. `is_under_way`: a mail is being
    sent at this moment.
    """

    sequence: int = 0
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    organizer_id: str | None = None
    is_under_way: bool = False

    def shows(self, starts_at: datetime, ends_at: datetime, organizer_id: str | None) -> bool:
        shown = (self.starts_at, self.ends_at, self.organizer_id)
        return shown == (starts_at, ends_at, organizer_id)


@dataclass(frozen=True, slots=True)
class Queue:
    """The first invitations of one reader that go before another one.

    `rank`: how many that are pending take place before it. `sent_at` (service time): when the latest ones were sent.
    """

    rank: int = 0
    sent_at: Sequence[datetime] = ()


def is_appointment(touchpoint_type: str, channel: str, invited_types: Mapping[str, str]) -> bool:
    """Whether a touchpoint of this type over this channel is put into calendars.

    `invited_types`: types that the policy puts there, with their channel. What a rule does over another one, such as a
    check-in by mail, is no appointment.
    """
    usual = invited_types.get(touchpoint_type)
    return usual is not None and (channel == usual or channel in SPOKEN)


FIRST: Final = Queue()
"""Nothing goes before it."""
