"""A trace gives the result of every clause, and agrees with the compiled condition."""

from hypothesis import given

from services.cadence.account import Plain
from services.cadence.expressions.compile import compile_condition
from services.cadence.expressions.trace import trace
from services.cadence.expressions.tree import IsNull, Node, names
from tests.unit.cadence.expression_trees import atoms_of, conditions, rows

Row = dict[str, Plain]


@given(conditions(), rows)
def test_a_trace_agrees_with_the_condition_and_only_what_reads_a_null_has_no_result(
    tree: Node, row: Row
) -> None:
    traced = trace(tree, row)

    assert traced.holds is compile_condition(tree)(row)
    for atom in atoms_of(traced):
        if atom.holds is not None:
            assert atom.holds is compile_condition(atom.node)(row)
        else:
            assert any(row[name] is None for name in names(atom.node))
            assert not isinstance(atom.node, IsNull)
