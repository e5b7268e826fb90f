"""A compiled condition gives what walking its tree gives."""

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import Plain
from services.cadence.expressions.compile import Health, compile_bits, compile_condition
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.tree import And, Node
from tests.unit.cadence.expression_trees import conditions, rows

Row = dict[str, Plain]
HEALTH = Health(40, 70)
some = st.lists(conditions(size=4), min_size=1, max_size=4)


@given(conditions(), rows)
def test_the_function_means_what_its_tree_means(tree: Node, row: Row) -> None:
    assert compile_condition(tree)(row) is holds(tree, row)


@given(some, some, rows)
def test_one_function_for_many_conditions_means_what_each_tree_means(
    trees: list[Node], heads: list[Node], row: Row
) -> None:
    rules = [And((heads[index % len(heads)], tree), 0) for index, tree in enumerate(trees)] + trees + heads

    bits = compile_bits(HEALTH, list(enumerate(rules)), frozenset())(row, {})

    assert bits == sum(1 << index for index, tree in enumerate(rules) if holds(tree, row))
