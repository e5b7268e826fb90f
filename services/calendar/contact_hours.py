"""In which hours of a person a touchpoint may be due: only appointments need a free place in a calendar."""

from schemas.vocabulary import SPOKEN, Channel, Topic
from services.calendar.open_hours import OpenHours, call_hours, working_hours


def contact_hours(hours: OpenHours, topic: Topic | None, channel: Channel | None, minutes: int) -> OpenHours:
    """Outside busy time for a call or meeting with a customer; all hours for a mail, and for work that no customer sees.

    `topic`: None for work that no customer sees. `minutes`: its length, 0 if it has none.
    """
    is_appointment = topic is not None and channel in SPOKEN
    return call_hours(hours, minutes) if is_appointment else working_hours(hours)
