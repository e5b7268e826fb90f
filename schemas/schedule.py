"""The schedule of an account for its own people: the notifier asks the scheduler for it when it shows a customer's page.

`GET /v1/schedule` of the scheduler answers `AccountSchedule`. It has what contacts the customer, and no internal work.
"""

from typing import Annotated, Literal

from pydantic import Field

from schemas.base import Id, Name, SchemaModel
from schemas.times import Instant
from schemas.vocabulary import Channel, Owner, Role, Topic

Exactness = Literal["time", "week", "month"]
"""How exactly a moment is known: its week or its month may stay while the day still moves."""


class ScheduledTouchpoint(SchemaModel):
    """A touchpoint to come. `person`: who leads it, by name; null: nobody is named, or Drumbeat itself sends it."""

    touchpoint_type: Name
    due_at: Instant
    exactness: Exactness
    channel: Channel
    topic: Topic
    owner: Owner
    person: Name | None = None
    audience: tuple[Role, ...] = ()
    minutes: Annotated[int, Field(ge=0, le=1440)] = 0


class ScheduledRhythm(SchemaModel):
    """A rhythm of the plan in force. `is_guaranteed`: no wish makes it rarer."""

    touchpoint_type: Name
    every_days: Annotated[int, Field(ge=1, le=3660)]
    channel: Channel
    topic: Topic
    owner: Owner
    audience: tuple[Role, ...] = ()
    is_guaranteed: bool = False


class AccountSchedule(SchemaModel):
    """Touchpoints by due time and rhythms by type; an unknown account has none."""

    account_id: Id
    touchpoints: tuple[ScheduledTouchpoint, ...] = ()
    rhythms: tuple[ScheduledRhythm, ...] = ()
