"""A trace gives the result of every clause, and agrees with the meaning of the condition."""

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import Plain
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.trace import Tracer
from services.cadence.expressions.tree import IsNull, Node, names
from services.cadence.features.registry import FEATURES
from tests.unit.cadence.expression_trees import atoms_of, conditions, rows, trace_of

Row = dict[str, Plain]


@given(conditions(), rows)
def test_a_trace_agrees_with_the_condition_and_only_what_reads_a_null_has_no_result(
    tree: Node, row: Row
) -> None:
    trace = trace_of(tree, row, FEATURES)

    assert trace.holds is holds(tree, row)
    for atom in atoms_of(trace):
        if atom.holds is not None:
            assert atom.holds is holds(atom.node, row)
        else:
            assert any(row[name] is None for name in names(atom.node))
            assert not isinstance(atom.node, IsNull)


@given(st.lists(conditions(size=4), min_size=1, max_size=4), rows)
def test_one_record_of_all_atoms_explains_every_condition(trees: list[Node], row: Row) -> None:
    tracer = Tracer(trees, FEATURES)
    results = tracer.record(row)

    traces = [tracer.trace(index, results) for index in range(len(trees))]

    assert [trace.holds for trace in traces] == [holds(tree, row) for tree in trees]
    assert traces == [trace_of(tree, row) for tree in trees]
