"""All features that a condition may read: the one source for the checker, the documents, the columns and the schemas."""

from collections.abc import Iterable, Mapping
from functools import lru_cache

from services.cadence.features.account_features import ACCOUNT_FEATURES, days_since_feature
from services.cadence.features.event_features import EVENT_FEATURES
from services.cadence.features.feature import TOUCHPOINT_TYPES, Feature

_NAMED = {feature.name: feature for feature in ACCOUNT_FEATURES}
_SINCE = "days_since_"


def _with_types(types: Iterable[str]) -> dict[str, Feature]:
    # A named feature replaces that of a type: `days_since_survey` counts from the answer, not from the survey's mail.
    return {feature.name: feature for feature in map(days_since_feature, types)} | _NAMED


FEATURES: Mapping[str, Feature] = _with_types(TOUCHPOINT_TYPES)
"""The features of an account by name; `features_in_scope` adds `days_since_<type>` of a policy's own types."""

UNTIL = frozenset(feature.name for feature in ACCOUNT_FEATURES if feature.counts == "until")
"""Features that count the days until a moment."""


@lru_cache(maxsize=4096)
def feature_named(name: str) -> Feature | None:
    """The account's feature of that name, including those of a policy's own touchpoint types; None: there is none."""
    kind = touch_type(name)
    return FEATURES.get(name) or (None if kind is None else days_since_feature(kind))


@lru_cache(maxsize=4096)
def touch_type(name: str) -> str | None:
    """The touchpoint type since whose last contact a feature of this name counts the days; None: it does not."""
    kind = name.removeprefix(_SINCE)
    return kind if kind not in {name, ""} and name not in _NAMED else None


def features_in_scope(
    event: str | None = None, types: Iterable[str] = TOUCHPOINT_TYPES
) -> Mapping[str, Feature]:
    """The features that a condition may read: the account's and, in a rule about an event, also the event's.

    `types`: the touchpoint types of the policy's catalogue; each has a `days_since_<type>`.
    """
    features = FEATURES if types is TOUCHPOINT_TYPES else _with_types((*TOUCHPOINT_TYPES, *types))
    return features if event is None else {**features, **EVENT_FEATURES[event]}
