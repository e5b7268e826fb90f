"""A condition weakened to the features of an event holds at least where the condition does."""

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import Plain
from services.cadence.expressions.compile import Health
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import Node, names
from services.cadence.expressions.weaken import compile_weakened, weaken
from tests.unit.cadence.expression_trees import USED, conditions, rows

owned = st.frozensets(st.sampled_from(sorted(USED.keys() - {"color"})))


@given(st.lists(conditions(size=4), max_size=4), owned, rows)
def test_a_condition_that_holds_may_hold_for_its_event(
    trees: list[Node], own: frozenset[str], row: dict[str, Plain]
) -> None:
    may_hold = compile_weakened(Health(40, 70), trees, own)

    event_values = {name: row[name] for name in own}
    assert may_hold(event_values) or not any(holds(tree, row) for tree in trees)


@given(conditions(size=4), owned)
def test_a_weakened_condition_reads_the_features_of_the_event_alone(tree: Node, own: frozenset[str]) -> None:
    weakened = weaken(tree, own)

    assert weakened is None or own.issuperset(names(weakened))


def test_clauses_over_the_account_are_left_out() -> None:
    own = frozenset({"score_drop"})
    guarded = "score_drop is not null and score_drop >= 20"
    may_hold = compile_weakened(Health(40, 70), [parse(f'segment == "enterprise" and {guarded}')], own)

    assert may_hold({"score_drop": 20})
    assert not may_hold({"score_drop": 19})
    assert not may_hold({"score_drop": None})


def test_a_condition_over_the_account_alone_may_hold_for_any_event() -> None:
    may_hold = compile_weakened(Health(40, 70), [parse("paused"), parse("false")], frozenset({"score_drop"}))

    assert may_hold({"score_drop": None})
