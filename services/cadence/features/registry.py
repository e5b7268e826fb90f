"""The vocabulary: every word a condition may read, with its type and what may change it.

The one source for the checker and for everything derived from the words: documents, columns, schemas.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from services.cadence.features.account_features import ACCOUNT_WORDS, touch_word
from services.cadence.features.event_features import EVENT_FEATURES, EVENTS
from services.cadence.features.feature import (
    ANSWERS,
    CHANNELS,
    COLORS,
    COMPLEXITIES,
    CONTRACT_STATES,
    FREQUENCIES,
    MEETINGS,
    MILESTONE_KINDS,
    OUTCOMES,
    OWNERS,
    PROGRAM_KINDS,
    ROLES,
    SEGMENTS,
    SIGNALS,
    STAGES,
    STAKEHOLDERS,
    TOPICS,
    TOUCHPOINT_TYPES,
    Counts,
    Feature,
    Kind,
)

__all__ = [
    "ANSWERS",
    "CHANNELS",
    "COLORS",
    "COMPLEXITIES",
    "CONTRACT_STATES",
    "EVENTS",
    "EVENT_FEATURES",
    "FEATURES",
    "FREQUENCIES",
    "MEETINGS",
    "MILESTONE_KINDS",
    "OUTCOMES",
    "OWNERS",
    "PROGRAM_KINDS",
    "ROLES",
    "SEGMENTS",
    "SIGNALS",
    "STAGES",
    "STAKEHOLDERS",
    "TOPICS",
    "TOUCHPOINT_TYPES",
    "Counts",
    "Feature",
    "Kind",
    "feature_named",
    "features_in_scope",
    "touch_type",
    "touch_word",
]

_NAMED = {word.name: word for word in ACCOUNT_WORDS}
_SINCE = "days_since_"


def _with_types(types: Iterable[str]) -> dict[str, Feature]:
    # A word of its own comes before that of a type: `days_since_survey` counts from the answer, not from the question.
    return {word.name: word for word in map(touch_word, types)} | _NAMED


FEATURES: Mapping[str, Feature] = _with_types(TOUCHPOINT_TYPES)
"""What conditions may read about the account; a policy's own touchpoint types add `days_since_<type>` (`scope`)."""


@lru_cache(maxsize=4096)
def feature_named(name: str) -> Feature | None:
    """The account's word of that name, one of a policy's own touchpoint types among them; None: there is none."""
    kind = touch_type(name)
    return FEATURES.get(name) or (None if kind is None else touch_word(kind))


@lru_cache(maxsize=4096)
def touch_type(name: str) -> str | None:
    """The touchpoint type whose last contact a word of this name counts from; None: it is no such word."""
    kind = name.removeprefix(_SINCE)
    return kind if kind not in {name, ""} and name not in _NAMED else None


def features_in_scope(
    event: str | None = None, types: Iterable[str] = TOUCHPOINT_TYPES
) -> Mapping[str, Feature]:
    """The words a condition may use: those of the account, and within a rule on an event those of its entry over them.

    `types`: the touchpoint types of the policy's catalogue, for each of which there is a `days_since_<type>`.
    """
    words = FEATURES if types is TOUCHPOINT_TYPES else _with_types((*TOUCHPOINT_TYPES, *types))
    return words if event is None else {**words, **EVENT_FEATURES[event]}
