"""Operations on conditions keep their meaning."""

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import Plain
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.ranges import Value
from services.cadence.expressions.tree import And, Node, Not, Or, names
from services.cadence.lint.conditions import NO, YES, add_prefix, clauses, conjunction, simplify
from tests.unit.cadence.expression_trees import USED, conditions, rows

Row = dict[str, Plain]


def known_values(row: Row) -> dict[str, Value]:
    return {name: value for name, value in row.items() if isinstance(value, str | int | float)}


@given(conditions(), rows, st.frozensets(st.sampled_from(sorted(USED))))
def test_a_simplified_condition_holds_where_the_condition_does(
    tree: Node, row: Row, known: frozenset[str]
) -> None:
    values = {name: value for name, value in known_values(row).items() if name in known}
    simplified = simplify(tree, values)

    assert holds(simplified, row) is holds(tree, row)
    assert values.keys().isdisjoint(names(simplified))


@given(conditions(), rows)
def test_a_condition_whose_features_are_all_known_is_decided(tree: Node, row: Row) -> None:
    values = known_values(row)
    if values.keys() >= {*names(tree)}:
        assert simplify(tree, values) == (YES if holds(tree, row) else NO)


@given(conditions(), rows, st.frozensets(st.sampled_from(sorted(USED))))
def test_a_prefix_keeps_features_of_an_event_apart(tree: Node, row: Row, own: frozenset[str]) -> None:
    prefixed = add_prefix(tree, "event:", own)

    assert own.isdisjoint(names(prefixed))
    assert holds(prefixed, {**row, **{f"event:{name}": row[name] for name in own}}) is holds(tree, row)


@given(conditions(), rows)
def test_a_clause_is_evaluated_only_where_the_constraints_before_it_are_met(tree: Node, row: Row) -> None:
    evaluated: list[Node] = []
    _evaluate(tree, row, evaluated)

    listed = [clause for clause, before in clauses(tree) if holds(conjunction(*before), row)]

    assert [id(node) for node in listed] == [id(node) for node in evaluated if _is_clause(node)]


def _is_clause(node: Node) -> bool:
    return type(node).__name__ not in {"Const", "IsNull"}


def _evaluate(node: Node, row: Row, evaluated: list[Node]) -> bool:
    """The condition from left to right, with every clause that is needed for it."""
    match node:
        case Not(item=item):
            return not _evaluate(item, row, evaluated)
        case And(parts=parts):
            return all(_evaluate(part, row, evaluated) for part in parts)
        case Or(parts=parts):
            return any(_evaluate(part, row, evaluated) for part in parts)
        case _:
            evaluated.append(node)
            return holds(node, row)
