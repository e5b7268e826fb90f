"""The texts of features and limits say what was reported."""

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import Fields
from services.cadence.account.usage_details import (
    FEATURES_KEPT,
    LIMITS_KEPT,
    derive_usage_details,
    read_features,
    read_limits,
)

names = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=12)
counts = st.integers(0, 10**15) | st.floats(0, 1e15)


def written(**data: object) -> Fields:
    fields: Fields = {}
    derive_usage_details(fields, data)
    return fields


@given(st.dictionaries(names, counts, max_size=FEATURES_KEPT))
def test_features_are_read_as_they_were_reported(features: dict[str, float]) -> None:
    assert read_features(str(written(features=features)["features"])) == (features, True)


@given(st.dictionaries(names, st.integers(0, 9), min_size=FEATURES_KEPT + 1, max_size=40))
def test_of_more_features_those_used_most_stay_and_the_text_says_so(features: dict[str, float]) -> None:
    kept, has_all = read_features(str(written(features=features)["features"]))

    assert len(kept) == FEATURES_KEPT
    assert not has_all
    assert min(kept.values()) >= max(count for name, count in features.items() if name not in kept)


@given(st.dictionaries(names, st.tuples(st.none() | counts, st.none() | counts), max_size=LIMITS_KEPT))
def test_limits_are_read_as_they_were_reported(limits: dict[str, tuple[float | None, float | None]]) -> None:
    reported = {name: {"used": used, "limit": limit} for name, (used, limit) in limits.items()}

    assert read_limits(str(written(limits=reported)["limits"])) == limits


def test_what_is_absent_stays_absent_and_null_clears() -> None:
    assert written() == {}
    assert written(features=None, limits=None) == {"features": None, "limits": None}
    assert written(features={}, limits={}) == {"features": "", "limits": ""}
