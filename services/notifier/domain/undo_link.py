"""The token with which a contact takes back a change of preferences: what held before it, and what it left."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, cast

from schemas.ids import derived_id
from schemas.vocabulary import Topic
from services.notifier.domain.consent import TopicPreference
from services.notifier.domain.link_token import (
    LinkKeys,
    TokenRejected,
    make_link_token,
    read_link_token,
    refuse_expired,
)

PURPOSE: Final = "undo"
LASTS: Final = timedelta(hours=1)
"""Real time for which a change can be taken back."""


@dataclass(frozen=True, slots=True)
class PreferenceUndo:
    """By topic, only those that changed: what held before, and what the change left."""

    former: Mapping[Topic, TopicPreference]
    saved: Mapping[Topic, TopicPreference]


def make_undo_token(keys: LinkKeys, contact_id: str, undo: PreferenceUndo, at: datetime) -> str:
    """A token of this real moment. The contact stands in it by derived id, so that it is short."""
    topics = {topic: [_pack(undo.former[topic]), _pack(undo.saved[topic])] for topic in undo.former}
    fields = [derived_id("contact", contact_id), json.dumps(topics, separators=(",", ":"))]
    return make_link_token(keys, PURPOSE, fields, at)


def read_undo_token(keys: LinkKeys, contact_id: str, token: str, *, now: datetime) -> PreferenceUndo:
    """Raises TokenRejected, also for a token of somebody else, and TokenExpired at this real moment."""
    (owner, topics, *_), made_at = read_link_token(keys, PURPOSE, token)
    if owner != derived_id("contact", contact_id):
        raise TokenRejected
    refuse_expired(made_at, now, LASTS)
    pairs = cast("Mapping[Topic, Sequence[Any]]", json.loads(topics or "{}"))
    return PreferenceUndo(
        former={topic: TopicPreference(*former) for topic, (former, _) in pairs.items()},
        saved={topic: TopicPreference(*saved) for topic, (_, saved) in pairs.items()},
    )


def _pack(preference: TopicPreference) -> list[bool | str | None]:
    return [preference.opted_in, preference.channel, preference.frequency]
