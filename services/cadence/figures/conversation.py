"""The last conversation with the account, and what was written down after it."""

from collections.abc import Iterator
from typing import NamedTuple, cast

from schemas.figures import ConversationFigures
from schemas.vocabulary import Channel
from services.cadence.account import Fields, moment, when
from services.cadence.account.retention import MET, NOTES
from services.cadence.features.view import AccountView

_SPOKEN = frozenset({"call", "meeting", None})
"""Channels of logged contact that is a conversation with or without notes; None: it was not told how."""


class _Conversation(NamedTuple):
    """`at`: when it was; of one moment that with notes counts, then what was told last."""

    at: int
    has_notes: bool
    stamp: str
    fields: Fields


def last_conversation(view: AccountView) -> ConversationFigures | None:
    """A call or meeting that took place, contact by phone or in person that was logged, or anything with notes."""
    happened = (each for each in (*_attended(view), *_logged(view), *_noted(view)) if each.at <= view.now)
    last = max(happened, key=lambda each: (each.at, each.has_notes, each.stamp), default=None)
    if last is None:
        return None
    fields = last.fields
    notes = fields.get("notes")
    return ConversationFigures(
        at=moment(last.at),
        touchpoint_type=str(kind) if (kind := fields.get("touchpoint_type")) else None,
        channel=cast("Channel | None", fields.get("channel")),
        notes=None if notes is None else str(notes),
    )


def _attended(view: AccountView) -> Iterator[_Conversation]:
    for thing in view.things("touchpoint.settled"):
        fields = thing.fields
        if fields.get("outcome") in MET and fields.get("touchpoint_type") in view.settings.meetings:
            yield _Conversation(thing.at, has_notes=False, stamp=thing.stamp, fields=fields)


def _logged(view: AccountView) -> Iterator[_Conversation]:
    for thing in view.things("interaction.logged"):
        if thing.fields.get("channel") in _SPOKEN:
            yield _Conversation(thing.at, has_notes=False, stamp=thing.stamp, fields=thing.fields)


def _noted(view: AccountView) -> Iterator[_Conversation]:
    """Without those of touchpoints that did not take place."""
    settled = {str(thing.fields.get("touchpoint_id")): thing for thing in view.things("touchpoint.settled")}
    for stamp, fields in view.facts.entries.get(NOTES, {}).items():
        own_at, known = fields.get("at"), settled.get(str(fields.get("touchpoint_id") or stamp))
        outcome = (fields if known is None else known.fields).get("outcome")
        if outcome is not None and outcome not in MET:
            continue
        at = own_at if isinstance(own_at, int) else when(stamp)
        yield _Conversation(at if known is None else known.at, has_notes=True, stamp=stamp, fields=fields)
