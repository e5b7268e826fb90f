"""Notices to a customer about the cadence itself: what it is, and that it changed."""

from typing import Annotated, Final, Literal

from pydantic import Field

from schemas.base import Id, LongText, Name, SchemaModel, Version
from schemas.plans import Reason
from schemas.times import Day, Instant
from schemas.vocabulary import Channel, Owner, Role

NOTICE_REQUESTED: Final = "drumbeat.notice.requested.v1"


class NoticeRhythm(SchemaModel):
    """A rhythm as a notice to the customer describes it."""

    touchpoint_type: Name
    every_days: Annotated[int, Field(ge=1, le=3660)]
    channel: Channel
    owner: Owner


class NoticePhase(SchemaModel):
    """The rhythms that hold from a day on, until the next phase begins."""

    begins_on: Day
    rhythms: tuple[NoticeRhythm, ...] = ()


NoticeCause = Literal["start", "wish", "renewal", "stage", "contract", "attention", "calm", "other"]
"""Why a notice is sent, for words that a customer reads: the beginning, what they asked for, the coming end of the term,
another stage or size of the account, closer contact for a while, the end of it, or something else."""


class NoticeRequested(SchemaModel):
    """A request to send the customer a notice of their cadence, or of a change to it."""

    notice_id: Id
    account_id: Id
    kind: Literal["cadence_told", "cadence_changed"]
    version: Version
    """The version of the plan that the notice is about."""
    rhythms: tuple[NoticeRhythm, ...] = ()
    """Those of today."""
    phases: tuple[NoticePhase, ...] = ()
    """The next twelve months as far as time alone changes them, today's phase first; empty: not known."""
    cause: NoticeCause = "other"
    audience: tuple[Role, ...] = ()
    text: LongText = ""
    reason: Reason | None = None
    """Of the rhythm that is new or other, for people of yours."""
    at: Instant
