"""Rows become columns only where their values fit."""

import pytest

from services.cadence.evaluation.columns import UnknownChoice, columns_of
from services.cadence.features.registry import FEATURES


def test_a_value_that_is_none_of_the_choices_is_refused() -> None:
    with pytest.raises(
        UnknownChoice, match="a value of segment is none of its choices: enterprise, mid_market"
    ):
        columns_of([{"segment": "enterprise"}, {"segment": "galactic"}], ["segment"], FEATURES)


def test_a_text_has_the_same_code_in_all_columns() -> None:
    rows = [{"industry": "DE", "country": None}, {"industry": "retail", "country": "DE"}]

    columns = columns_of(rows, ["industry", "country"], FEATURES)

    assert columns.codes["industry"].tolist() == [0, 1]
    assert columns.codes["country"].tolist() == [-1, 0]
