"""Words to a customer about the rhythm itself: what it is, and that it changed."""

from typing import Annotated, Final, Literal

from pydantic import Field

from schemas.base import Id, LongText, Name, Version, Wire
from schemas.plans import Reason
from schemas.times import Instant
from schemas.vocabulary import Channel, Owner, Role

NOTICE_REQUESTED: Final = "drumbeat.notice.requested.v1"


class NoticeRhythm(Wire):
    """A rhythm as a customer is told of it."""

    touchpoint_type: Name
    every_days: Annotated[int, Field(ge=1, le=3660)]
    channel: Channel
    owner: Owner


class NoticeRequested(Wire):
    """The customer is to be told their cadence, or that it changed."""

    notice_id: Id
    account_id: Id
    kind: Literal["cadence_told", "cadence_changed"]
    version: Version
    """The plan that the notice speaks of."""
    rhythms: tuple[NoticeRhythm, ...] = ()
    audience: tuple[Role, ...] = ()
    text: LongText = ""
    reason: Reason | None = None
    at: Instant
