"""What is claimed of a condition for all accounts is what trying every account would find."""

import math
from itertools import islice, pairwise, product

import pytest
from hypothesis import given

from services.cadence.account import Plain
from services.cadence.expressions.analysis import always, implies, satisfiable
from services.cadence.expressions.checker import check
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import And, Const, Node, Not, Or, names, walk
from services.cadence.features.registry import FEATURES
from tests.unit.cadence.expression_trees import conditions, rows, single

TRIED = 60_000
few = conditions(single, 4)


def everybody(*trees: Node) -> list[dict[str, Plain]] | None:
    """Every account that these conditions can tell apart; None when there are too many."""
    constants = {
        each.value
        for tree in trees
        for node in walk(tree)
        for each in (node, *getattr(node, "values", ()))
        if isinstance(each, Const)
    }
    numbers = sorted(float(each) for each in constants if not isinstance(each, str | bool)) or [0.0]
    stamps = {*numbers, numbers[0] - 1, numbers[-1] + 1}
    stamps |= {(low + high) / 2 for low, high in pairwise(numbers)}
    whole = {float(math.floor(each) + step) for each in numbers for step in (-1, 0, 1)}
    offered: dict[str, list[Plain]] = {}
    for name in dict.fromkeys(name for tree in trees for name in names(tree)):
        word = FEATURES[name]
        values: list[Plain] = [None] if word.nullable else []
        match word.kind:
            case "number":
                values += sorted(whole if word.counts else stamps)
            case "truth":
                values += [True, False]
            case "choice":
                values += word.values
            case "text":
                values += [*(each for each in constants if isinstance(each, str)), "quite another"]
        offered[name] = values
    if math.prod(map(len, offered.values())) > TRIED:
        return None
    return [dict(zip(offered, values, strict=True)) for values in product(*offered.values())]


@given(few)
def test_a_condition_of_single_words_is_decided_exactly(tree: Node) -> None:
    verdict = satisfiable(tree, FEATURES)
    if verdict.witness is not None:
        assert verdict.answer == "yes"
        assert holds(tree, verdict.witness)
        return
    accounts = everybody(tree)
    assert verdict.answer == "no"
    assert not any(holds(tree, each) for each in islice(accounts or (), TRIED))


@given(conditions(), rows)
def test_no_claim_about_any_condition_is_wrong(tree: Node, account: dict[str, Plain]) -> None:
    verdict = satisfiable(tree, FEATURES, steps=2_000)

    assert verdict.witness is None or holds(tree, verdict.witness)
    assert (verdict.witness is not None) == (verdict.answer == "yes")
    assert not (verdict.answer == "no" and holds(tree, account))


@given(conditions(), conditions(), rows)
def test_an_implication_is_never_claimed_against_an_example(
    first: Node, then: Node, account: dict[str, Plain]
) -> None:
    verdict = implies(first, then, FEATURES, steps=2_000)

    if verdict.witness is not None:
        assert verdict.answer == "no"
        assert holds(first, verdict.witness)
        assert not holds(then, verdict.witness)
    if verdict.answer == "yes":
        assert not (holds(first, account) and not holds(then, account))


@given(few, few)
def test_what_is_put_together_follows_as_logic_has_it(one: Node, other: Node) -> None:
    both, either = And((one, other), 0), Or((one, other), 0)

    assert implies(both, one, FEATURES).answer == "yes"
    assert implies(one, either, FEATURES).answer == "yes"
    assert implies(Not(either, 0), Not(other, 0), FEATURES).answer == "yes"
    assert satisfiable(And((one, Not(one, 0)), 0), FEATURES).answer == "no"


@given(conditions(), rows)
def test_a_condition_refused_as_never_true_has_a_part_that_never_is(
    tree: Node, account: dict[str, Plain]
) -> None:
    if not check(And((tree,), 0), FEATURES) or check(tree, FEATURES):
        return
    assert not holds(tree, account)


@given(conditions(single, 5), rows)
def test_a_clause_that_always_turns_out_the_same_does_so_wherever_it_is_looked_at(
    tree: Node, account: dict[str, Plain]
) -> None:
    claimed = {each.text: each.holds for each in always(tree, FEATURES)}
    looked: dict[str, bool] = {}
    _look(tree, account, looked)
    twice = {
        format_expression(each)
        for each in walk(tree)
        if [format_expression(one) for one in walk(tree)].count(format_expression(each)) > 1
    }

    assert all(looked[text] == held for text, held in claimed.items() if text in looked and text not in twice)


def _look(node: Node, account: dict[str, Plain], looked: dict[str, bool]) -> bool:
    """Judge a condition from left to right, and note every clause that was needed."""
    match node:
        case Not(item=item):
            return not _look(item, account, looked)
        case And(parts=parts):
            return all(_look(part, account, looked) for part in parts)
        case Or(parts=parts):
            return any(_look(part, account, looked) for part in parts)
        case _:
            looked[format_expression(node)] = holds(node, account)
            return looked[format_expression(node)]


@pytest.mark.parametrize(
    "text",
    [
        "days_to_renewal is not null and days_to_renewal > 3 and days_to_renewal < 4",
        "days_to_renewal is not null and (days_to_renewal < 3 or days_to_renewal > 9) and days_to_renewal == 5",
        "arr is not null and not (arr < 5 or arr > 3)",
        'segment in ["enterprise", "mid_market"] and (segment == "self_service" or segment == "small_business")',
        'segment != "enterprise" and segment != "mid_market" and segment not in ["small_business", "self_service"]',
        "paid_success and (contract_signed or not paid_success) and not contract_signed",
        "arr is not null and abs(arr) < 0",
        "arr is not null and arr between 9 and 3",
        "seats is not null and arr is not null and min(arr, seats) > 5 and seats < 4",
        "seats is not null and seats >= 0 and seats <= 10 and seats * 2 + 1 > 21",
        "seats is not null and arr is not null and seats > arr and not (seats > arr)",
        "(paid_success and contract_signed) == true and not paid_success",
    ],
)
def test_a_condition_that_can_never_hold_is_told_at_load(text: str) -> None:
    faults = check(parse(text), FEATURES)

    assert [fault.message.partition(":")[0] for fault in faults] == ["never true"]


@pytest.mark.parametrize(
    "text",
    [
        "false",
        "paid_success and false",
        "arr is not null and arr > 3 and arr < 4",
        "days_to_renewal is null or days_to_renewal > 3",
        "seats is not null and seats * 2 > 20 and seats < 11",
        "arr is not null and seats is not null and arr > seats and seats > 0",
    ],
)
def test_a_condition_that_may_hold_is_left_alone(text: str) -> None:
    assert check(parse(text), FEATURES) == []


def test_what_always_holds_behind_its_guards_is_found_and_told_apart_from_what_never_does() -> None:
    tree = parse(
        "arr is not null and arr > 5 and (arr > 3 or paid_success) "
        'and (segment == "enterprise" or segment != "enterprise" or arr < 2)'
    )

    found = {(each.text, each.holds) for each in always(tree, FEATURES)}

    assert found == {("arr > 3", True), ('segment != "enterprise"', True)}


def test_a_witness_shows_that_a_condition_can_hold_and_a_counterexample_that_another_does_not_follow() -> (
    None
):
    first = parse("arr is not null and arr >= 10")
    then = parse("arr is not null and arr > 10")

    assert satisfiable(first, FEATURES).witness == {"arr": 10}
    assert implies(first, then, FEATURES).witness == {"arr": 10}
    assert implies(then, first, FEATURES).answer == "yes"


def test_beyond_the_budget_nothing_is_claimed() -> None:
    some = " or ".join(f"(arr == {each} and seats == {each})" for each in range(4))
    tree = parse(
        f"arr is not null and seats is not null and ({some}) and arr > seats and (seats > 0 or arr > 1)"
    )

    assert satisfiable(tree, FEATURES, steps=3).answer == "unknown"
