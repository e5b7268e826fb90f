"""Conditions over columns have the results they have account by account."""

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import Plain
from services.cadence.evaluation.columns import (
    NULL,
    column_names,
    columns_of,
    compile_columns,
    compile_condition_columns,
)
from services.cadence.expressions.compile import Health, compile_conditions
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import Node, names
from services.cadence.features.feature import COLORS, SEGMENTS, STAGES
from services.cadence.features.registry import FEATURES
from tests.unit.cadence.expression_trees import conditions, rows

Row = dict[str, Plain]
HEALTH = Health(40, 70)
NEVER = parse("false")
some = st.lists(conditions(size=4), min_size=1, max_size=4)


@given(some, st.lists(rows, min_size=0, max_size=8))
def test_a_condition_over_columns_means_what_its_tree_means(trees: list[Node], accounts: list[Row]) -> None:
    read = {name for tree in trees for name in names(tree)}
    results = compile_columns(trees, FEATURES)(columns_of(accounts, read, FEATURES))

    assert results.tolist() == [[holds(tree, row) for row in accounts] for tree in trees]


@given(some, st.lists(rows, min_size=1, max_size=8))
def test_a_whole_policy_over_columns_has_the_results_of_each_account(
    trees: list[Node], accounts: list[Row]
) -> None:
    free = [tree for tree in trees if "segment" not in names(tree)] or [NEVER]
    segments = [(SEGMENTS[index % 4], tree) for index, tree in enumerate(free)]
    stages = [(STAGES[index % 5], tree) for index, tree in enumerate(reversed(trees))]
    accounts = [
        {**row, "segment_override": row["segment"] if row["paid_success"] else None} for row in accounts
    ]
    evaluate_conditions = compile_conditions(HEALTH, segments, stages, list(enumerate(trees)))

    results = compile_condition_columns(HEALTH, segments, stages, trees, FEATURES)(
        columns_of(accounts, column_names(trees), FEATURES)
    )

    for index, row in enumerate(accounts):
        segment, stage, color, fired = evaluate_conditions(row)
        assert SEGMENTS[results.segment[index]] == segment
        assert STAGES[results.stage[index]] == stage
        assert (None if results.color[index] == NULL else COLORS[results.color[index]]) == color
        assert sum(1 << line for line in range(len(trees)) if results.fired[line, index]) == fired
