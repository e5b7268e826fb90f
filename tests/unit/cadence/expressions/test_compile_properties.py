"""Every way to run a condition gives what walking its tree gives."""

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
from services.cadence.expressions.compile import Health, compile_bits, compile_condition, compile_conditions
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.parser import parse
from services.cadence.expressions.trace import Recorder, compile_truths
from services.cadence.expressions.tree import And, IsNull, Node, names
from services.cadence.features.registry import COLORS, FEATURES, SEGMENTS, STAGES
from tests.unit.cadence.expression_trees import conditions, rows

Row = dict[str, Plain]
HEALTH = Health(40, 70)
NEVER = parse("false")
some = st.lists(conditions(size=4), min_size=1, max_size=4)


@given(conditions(), rows)
def test_the_function_means_what_its_tree_means(tree: Node, row: Row) -> None:
    assert compile_condition(tree)(row) is holds(tree, row)


@given(some, some, rows)
def test_one_function_for_many_conditions_tells_each_as_its_own_tree_does(
    trees: list[Node], heads: list[Node], row: Row
) -> None:
    rules = [And((heads[index % len(heads)], tree), 0) for index, tree in enumerate(trees)] + trees + heads

    bits = compile_bits(HEALTH, list(enumerate(rules)), frozenset())(row, {})

    assert bits == sum(1 << index for index, tree in enumerate(rules) if holds(tree, row))


@given(conditions(), rows)
def test_an_explanation_agrees_with_the_function_and_leaves_out_only_what_reads_a_null(
    tree: Node, row: Row
) -> None:
    truth = compile_truths(tree, FEATURES)(row)

    assert truth.holds is holds(tree, row)
    for each in truth.walk():
        if each.holds is not None:
            assert each.parts or each.holds is holds(each.node, row)
        elif not each.parts:
            assert any(row[name] is None for name in names(each.node))
            assert not isinstance(each.node, IsNull)


@given(some, rows)
def test_a_record_of_all_clauses_explains_every_condition(trees: list[Node], row: Row) -> None:
    recorder = Recorder(trees, FEATURES)
    told = recorder.record(row)

    assert [recorder.fires(index, told) for index in range(len(trees))] == [
        holds(tree, row) for tree in trees
    ]
    assert [recorder.truth(index, told) for index in range(len(trees))] == [
        compile_truths(tree)(row) for tree in trees
    ]


@given(some, st.lists(rows, min_size=0, max_size=8))
def test_columns_tell_what_the_function_tells(trees: list[Node], accounts: list[Row]) -> None:
    read = {name for tree in trees for name in names(tree)}
    told = compile_columns(trees, FEATURES)(columns_of(accounts, read, FEATURES))

    assert told.tolist() == [[holds(tree, row) for row in accounts] for tree in trees]


@given(some, st.lists(rows, min_size=1, max_size=8))
def test_a_whole_policy_over_columns_judges_as_it_does_account_by_account(
    trees: list[Node], accounts: list[Row]
) -> None:
    free = [tree for tree in trees if "segment" not in names(tree)] or [NEVER]
    segments = [(SEGMENTS[index % 4], tree) for index, tree in enumerate(free)]
    stages = [(STAGES[index % 5], tree) for index, tree in enumerate(reversed(trees))]
    accounts = [
        {**row, "segment_override": row["segment"] if row["paid_success"] else None} for row in accounts
    ]
    evaluate_conditions = compile_conditions(HEALTH, segments, stages, list(enumerate(trees)))

    evaluated = compile_condition_columns(HEALTH, segments, stages, trees, FEATURES)(
        columns_of(accounts, column_names(trees), FEATURES)
    )

    for index, row in enumerate(accounts):
        segment, stage, color, fired = evaluate_conditions(row)
        assert SEGMENTS[evaluated.segment[index]] == segment
        assert STAGES[evaluated.stage[index]] == stage
        assert (None if evaluated.color[index] == NULL else COLORS[evaluated.color[index]]) == color
        assert sum(1 << line for line in range(len(trees)) if evaluated.fired[line, index]) == fired
