"""Verdicts over columns: conditions one by one, and the whole judge of a policy."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from services.cadence.evaluation.columns.program import Program
from services.cadence.evaluation.columns.table import NULL, Bools, Codes, Columns
from services.cadence.expressions.compile import Health, Named
from services.cadence.expressions.tree import Node, names
from services.cadence.features.registry import Feature

ROWS = 16_384
"""Rows worked on at a time: their columns stay in the processor's cache."""


def compile_columns(trees: Sequence[Node], words: Mapping[str, Feature]) -> Callable[[Columns], Bools]:
    """`judge(columns) -> bool matrix`, one line per condition, one column per row."""
    program = Program(words)
    slots = [program.truth(tree) for tree in trees]

    def judge(columns: Columns) -> Bools:
        told = np.empty((len(slots), columns.size), np.bool_)
        with np.errstate(all="ignore"):
            for start in range(0, columns.size, ROWS):
                rows = slice(start, start + ROWS)
                found = program.run(columns.part(rows))
                for line, slot in enumerate(slots):
                    told[line, rows] = found[slot]
        return told

    return judge


@dataclass(frozen=True, slots=True)
class ConditionResults:
    """Codes of segment, stage and colour (NULL: none), and a line of truths per rule."""

    segment: Codes
    stage: Codes
    color: Codes
    fired: Bools


def compile_condition_columns(
    health: Health,
    segments: Sequence[Named],
    stages: Sequence[Named],
    rules: Sequence[Node],
    words: Mapping[str, Feature],
) -> Callable[[Columns], ConditionResults]:
    """What `compile_judge` tells of one account, for every row. `judged_names` says which columns it reads."""
    by_segment = compile_columns([tree for _, tree in segments], words)
    by_stage = compile_columns([tree for _, tree in stages], words)
    by_rule = compile_columns(rules, words)

    def judge(columns: Columns) -> ConditionResults:
        codes = dict(columns.codes)
        codes["color"] = _color(health, columns, words["color"])
        columns = replace(columns, codes=codes)
        first = _first(segments, by_segment(columns), words["segment"])
        said = codes["segment_override"]
        codes["segment"] = np.where(said == NULL, first, said).astype(np.int32)
        codes["stage"] = _first(stages, by_stage(columns), words["stage"])
        return ConditionResults(codes["segment"], codes["stage"], codes["color"], by_rule(columns))

    return judge


def column_names(trees: Iterable[Node]) -> tuple[str, ...]:
    """The columns that a judge over these conditions needs."""
    read = {name for tree in trees for name in names(tree)} - {"segment", "stage"}
    return tuple(sorted(read | {"color", "health_score", "segment_override"}))


def _color(health: Health, columns: Columns, word: Feature) -> Codes:
    score, said = columns.numbers["health_score"], columns.codes["color"]
    red, yellow, green = (word.values.index(each) for each in ("red", "yellow", "green"))
    derived = np.where(score < health.red_below, red, np.where(score < health.yellow_below, yellow, green))
    return np.where((said == NULL) & ~np.isnan(score), derived, said).astype(np.int32)


def _first(options: Sequence[Named], told: Bools, word: Feature) -> Codes:
    codes = np.array([word.values.index(name) for name, _ in options], np.int32)
    chosen = np.where(told.any(axis=0), told.argmax(axis=0), len(options) - 1)
    return codes[chosen]
