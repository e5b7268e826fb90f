"""What may hold for an entry, told from its own words alone, holds at least where the condition does."""

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import Plain
from services.cadence.expressions.compile import Health
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import Node, names
from services.cadence.expressions.weaken import compile_loose, loosened
from tests.unit.cadence.expression_trees import USED, conditions, rows

owned = st.frozensets(st.sampled_from(sorted(USED.keys() - {"color"})))


@given(st.lists(conditions(size=4), max_size=4), owned, rows)
def test_whatever_holds_may_hold(trees: list[Node], own: frozenset[str], row: dict[str, Plain]) -> None:
    may = compile_loose(Health(40, 70), trees, own)

    words = {name: row[name] for name in own}
    assert may(words) or not any(holds(tree, row) for tree in trees)


@given(conditions(size=4), owned)
def test_what_is_loose_reads_its_own_words_alone(tree: Node, own: frozenset[str]) -> None:
    loose = loosened(tree, own)

    assert loose is None or own.issuperset(names(loose))


def test_what_is_said_of_the_account_is_left_out() -> None:
    own = frozenset({"score_drop"})
    guarded = "score_drop is not null and score_drop >= 20"
    may = compile_loose(Health(40, 70), [parse(f'segment == "enterprise" and {guarded}')], own)

    assert may({"score_drop": 20})
    assert not may({"score_drop": 19})
    assert not may({"score_drop": None})


def test_a_rule_that_reads_nothing_of_its_entry_may_hold_for_any() -> None:
    may = compile_loose(Health(40, 70), [parse("paused"), parse("false")], frozenset({"score_drop"}))

    assert may({"score_drop": None})
