"""The vocabulary: every word a condition may read, with its type and what may change it.

The one source for the checker and for everything derived from the words: documents, columns, schemas.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from services.rules_engine.domain.vocabulary.account_words import ACCOUNT_WORDS, touch_word
from services.rules_engine.domain.vocabulary.entry_words import ENTRY_WORDS, EVENTS
from services.rules_engine.domain.vocabulary.words import (
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
    Kind,
    Word,
)

__all__ = [
    "ANSWERS",
    "CHANNELS",
    "COLORS",
    "COMPLEXITIES",
    "CONTRACT_STATES",
    "ENTRY_WORDS",
    "EVENTS",
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
    "WORDS",
    "Counts",
    "Kind",
    "Word",
    "scope",
    "touch_type",
    "touch_word",
    "word_of",
]

_NAMED = {word.name: word for word in ACCOUNT_WORDS}
_SINCE = "days_since_"


def _with_types(types: Iterable[str]) -> dict[str, Word]:
    # A word of its own comes before that of a type: `days_since_survey` counts from the answer, not from the question.
    return {word.name: word for word in map(touch_word, types)} | _NAMED


WORDS: Mapping[str, Word] = _with_types(TOUCHPOINT_TYPES)
"""What conditions may read about the account; a policy's own touchpoint types add `days_since_<type>` (`scope`)."""


@lru_cache(maxsize=4096)
def word_of(name: str) -> Word | None:
    """The account's word of that name, one of a policy's own touchpoint types among them; None: there is none."""
    kind = touch_type(name)
    return WORDS.get(name) or (None if kind is None else touch_word(kind))


@lru_cache(maxsize=4096)
def touch_type(name: str) -> str | None:
    """The touchpoint type whose last contact a word of this name counts from; None: it is no such word."""
    kind = name.removeprefix(_SINCE)
    return kind if kind not in {name, ""} and name not in _NAMED else None


def scope(event: str | None = None, types: Iterable[str] = TOUCHPOINT_TYPES) -> Mapping[str, Word]:
    """The words a condition may use: those of the account, and within a rule on an event those of its entry over them.

    `types`: the touchpoint types of the policy's catalogue, for each of which there is a `days_since_<type>`.
    """
    words = WORDS if types is TOUCHPOINT_TYPES else _with_types((*TOUCHPOINT_TYPES, *types))
    return words if event is None else {**words, **ENTRY_WORDS[event]}
