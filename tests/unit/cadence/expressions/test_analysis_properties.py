"""A statement about a condition for all accounts is what trying every account finds."""

import math
from itertools import islice, pairwise, product

import pytest
from hypothesis import given

from services.cadence.account import Plain
from services.cadence.expressions.analysis import satisfiable
from services.cadence.expressions.checker import check
from services.cadence.expressions.interpret import holds
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import And, Const, Node, Not, Or, names, walk
from services.cadence.features.registry import FEATURES
from tests.unit.cadence.expression_trees import conditions, rows, single

MOST = 60_000
few = conditions(single, 4)


def all_accounts(tree: Node) -> list[dict[str, Plain]] | None:
    """Every account that the condition can tell apart; None when there are too many."""
    constants = {
        each.value
        for node in walk(tree)
        for each in (node, *getattr(node, "values", ()))
        if isinstance(each, Const)
    }
    numbers = sorted(float(each) for each in constants if not isinstance(each, str | bool)) or [0.0]
    points = {*numbers, numbers[0] - 1, numbers[-1] + 1}
    points |= {(low + high) / 2 for low, high in pairwise(numbers)}
    whole = {float(math.floor(number) + step) for number in numbers for step in (-1, 0, 1)}
    options: dict[str, list[Plain]] = {}
    for name in names(tree):
        feature = FEATURES[name]
        values: list[Plain] = [None] if feature.nullable else []
        match feature.kind:
            case "number":
                values += sorted(whole if feature.counts else points)
            case "truth":
                values += [True, False]
            case "choice":
                values += feature.values
            case "text":
                values += [*(each for each in constants if isinstance(each, str)), "quite another"]
        options[name] = values
    if math.prod(map(len, options.values())) > MOST:
        return None
    return [dict(zip(options, values, strict=True)) for values in product(*options.values())]


@given(few)
def test_a_condition_of_clauses_over_single_features_is_decided_exactly(tree: Node) -> None:
    result = satisfiable(tree, FEATURES)
    if result.witness is not None:
        assert result.answer == "yes"
        assert holds(tree, result.witness)
        return
    accounts = all_accounts(tree)
    assert result.answer == "no"
    assert not any(holds(tree, account) for account in islice(accounts or (), MOST))


@given(conditions(), rows)
def test_no_answer_about_any_condition_is_wrong(tree: Node, account: dict[str, Plain]) -> None:
    result = satisfiable(tree, FEATURES, steps=2_000)

    assert result.witness is None or holds(tree, result.witness)
    assert (result.witness is not None) == (result.answer == "yes")
    assert not (result.answer == "no" and holds(tree, account))


@given(few, few)
def test_answers_about_combined_conditions_follow_the_laws_of_logic(one: Node, other: Node) -> None:
    both, either = And((one, other), 0), Or((one, other), 0)

    for first, then in ((both, one), (one, either), (Not(either, 0), Not(other, 0))):
        assert satisfiable(And((first, Not(then, 0)), 0), FEATURES).answer == "no"
    assert satisfiable(And((one, Not(one, 0)), 0), FEATURES).answer == "no"


@given(conditions(), rows)
def test_a_condition_refused_as_never_true_has_a_part_that_never_is(
    tree: Node, account: dict[str, Plain]
) -> None:
    if not check(And((tree,), 0), FEATURES) or check(tree, FEATURES):
        return
    assert not holds(tree, account)


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
def test_a_condition_that_can_never_hold_is_an_error(text: str) -> None:
    errors = check(parse(text), FEATURES)

    assert [error.message.partition(":")[0] for error in errors] == ["never true"]


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
def test_a_condition_that_may_hold_is_valid(text: str) -> None:
    assert check(parse(text), FEATURES) == []


def test_a_witness_shows_that_a_condition_can_hold_or_that_another_does_not_follow() -> None:
    first = parse("arr is not null and arr >= 10")
    then = parse("arr is not null and arr > 10")

    assert satisfiable(first, FEATURES).witness == {"arr": 10}
    assert satisfiable(And((first, Not(then, 0)), 0), FEATURES).witness == {"arr": 10}
    assert satisfiable(And((then, Not(first, 0)), 0), FEATURES).answer == "no"


def test_beyond_the_budget_the_answer_is_unknown() -> None:
    some = " or ".join(f"(arr == {number} and seats == {number})" for number in range(4))
    tree = parse(
        f"arr is not null and seats is not null and ({some}) and arr > seats and (seats > 0 or arr > 1)"
    )

    assert satisfiable(tree, FEATURES, steps=3).answer == "unknown"
