"""Results over columns: of conditions one by one, and of all conditions of a policy."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.cadence.evaluation.columns.program import ColumnProgram
from services.cadence.evaluation.columns.table import NULL, Bools, Codes, Columns
from services.cadence.expressions.compile import Health, Named
from services.cadence.expressions.tree import Node, names
from services.cadence.features.feature import Feature

_ROWS = 16_384
"""Rows evaluated at a time: their columns stay in the processor's cache."""


def compile_columns(
    conditions: Sequence[Node], features: Mapping[str, Feature]
) -> Callable[[Columns], Bools]:
    """`evaluate(columns) -> bool matrix` of shape (conditions, rows)."""
    program = ColumnProgram(features)
    slots = [program.boolean(condition) for condition in conditions]

    def evaluate(columns: Columns) -> Bools:
        results = np.empty((len(slots), columns.size), np.bool_)
        with np.errstate(all="ignore"):
            for start in range(0, columns.size, _ROWS):
                rows = slice(start, start + _ROWS)
                values = program.run(columns.part(rows))
                for line, slot in enumerate(slots):
                    results[line, rows] = values[slot]
        return results

    return evaluate


@dataclass(frozen=True, slots=True)
class ConditionResults:
    """Codes of segment, stage and colour (NULL: none), one per row; `fired` has shape (rules, rows)."""

    segment: Codes
    stage: Codes
    color: Codes
    fired: Bools


def compile_condition_columns(
    health: Health,
    segments: Sequence[Named],
    stages: Sequence[Named],
    rules: Sequence[Node],
    features: Mapping[str, Feature],
) -> Callable[[Columns], ConditionResults]:
    """The results of `compile.compile_conditions` for every row. It reads the columns that `column_names` lists."""
    evaluate_segments = compile_columns([condition for _, condition in segments], features)
    evaluate_stages = compile_columns([condition for _, condition in stages], features)
    evaluate_rules = compile_columns(rules, features)

    def evaluate(columns: Columns) -> ConditionResults:
        codes = dict(columns.codes)
        codes["color"] = _color(health, columns, features["color"])
        columns = replace(columns, codes=codes)
        segment = _first(segments, evaluate_segments(columns), features["segment"])
        override = codes["segment_override"]
        codes["segment"] = np.where(override == NULL, segment, override).astype(np.int32)
        codes["stage"] = _first(stages, evaluate_stages(columns), features["stage"])
        return ConditionResults(codes["segment"], codes["stage"], codes["color"], evaluate_rules(columns))

    return evaluate


def column_names(conditions: Iterable[Node]) -> tuple[str, ...]:
    """The columns that `compile_condition_columns` needs for these conditions."""
    read = {name for condition in conditions for name in names(condition)} - {"segment", "stage"}
    return tuple(sorted(read | {"color", "health_score", "segment_override"}))


def _color(health: Health, columns: Columns, feature: Feature) -> Codes:
    score, color = columns.numbers["health_score"], columns.codes["color"]
    red, yellow, green = map(feature.values.index, ("red", "yellow", "green"))
    derived = np.where(score < health.red_below, red, np.where(score < health.yellow_below, yellow, green))
    return np.where((color == NULL) & ~np.isnan(score), derived, color).astype(np.int32)


def _first(options: Sequence[Named], results: Bools, feature: Feature) -> Codes:
    codes = np.array([feature.values.index(name) for name, _ in options], np.int32)
    chosen = np.where(results.any(axis=0), results.argmax(axis=0), len(options) - 1)
    return codes[chosen]
