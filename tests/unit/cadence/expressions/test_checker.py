"""Every mistake in a condition is reported before it runs, at its place; and hostile conditions cost little time."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cadence.expressions.checker import check
from services.cadence.expressions.format import format_expression
from services.cadence.expressions.functions import FUNCTIONS
from services.cadence.expressions.parser import parse
from services.cadence.expressions.tree import ExpressionError, Node
from services.cadence.features.event_features import EVENT_FEATURES
from services.cadence.features.feature import SEGMENTS
from services.cadence.features.registry import FEATURES
from tests.unit.cadence.expression_trees import conditions

BROKEN = {
    "unknown field": ('helth_score == "red"', 0, "unknown field 'helth_score'; did you mean 'health_score'?"),
    "number against text": ('arr > "100"', 4, "cannot compare a number with a text"),
    "truth against number": ("auto_renew > 3", 11, "cannot compare true or false with a number"),
    "choice ordered against a number": ("segment > 3", 8, "segment has no order; use `==` or `!=`"),
    "text arithmetic": ("csm_id - 1 > 2", 0, "`-` needs numbers, this is a text"),
    "no condition": ("arr + 1.0", 0, "a condition is true or false, this is a number"),
    "number as a part of and": ("arr and auto_renew", 0, "`and` needs true or false, this is a number"),
    "no such choice": (
        'segment == "enterprize"',
        11,
        f"'enterprize' is not a value of segment ({', '.join(SEGMENTS)}); did you mean 'enterprise'?",
    ),
    "no such member": ('segment in ["self_service", 3]', 28, "cannot compare segment with a number"),
    "unguarded null": (
        "nps_score <= 6",
        0,
        "nps_score can be null here; write `nps_score is not null and ...` first",
    ),
    "unknown function": ("foo(arr) > 1.0", 0, "unknown function 'foo'"),
    "syntax": ("arr > > 3", 6, "unexpected '>'"),
    "never true": (
        "days_to_renewal is not null and days_to_renewal < 30 and days_to_renewal > 60",
        73,
        "never true: nothing days_to_renewal could be satisfies this",
    ),
}
CALLS = {
    "a near name": ("abss(seats) > 1", 0, "unknown function 'abss'; did you mean 'abs'?"),
    "too few arguments": ("max(3) > 1", 0, "write max(number, number); 1 given"),
    "too many arguments": ("abs(3, 4) > 1", 0, "write abs(number); 2 given"),
    "no argument": ("abs() > 1", 0, "write abs(number); 0 given"),
    "a text": ("abs(industry) > 1", 4, "abs needs numbers, this is a text"),
    "a condition": ("min(paid_success, 3) > 1", 4, "min needs numbers, this is true or false"),
    "not a count": (
        "days_between(days_since_start, 3) > 1",
        31,
        "days_between needs a word that counts days",
    ),
    "counts that run apart": (
        "days_between(days_since_start, days_to_renewal) > 1",
        0,
        "one counts days since, the other days until; add them instead",
    ),
    "a null": ("abs(seats) > 1", 4, "seats can be null here; write `seats is not null and ...` first"),
    "a call as a condition": ("abs(3)", 0, "a condition is true or false, this is a number"),
}


def errors(text: str) -> list[ExpressionError]:
    try:
        return check(parse(text), FEATURES)
    except ExpressionError as error:
        return [error]


@pytest.mark.parametrize(
    ("text", "at", "message"), [*BROKEN.values(), *CALLS.values()], ids=[*BROKEN.keys(), *CALLS.keys()]
)
def test_a_mistake_is_reported_at_its_place(text: str, at: int, message: str) -> None:
    assert [(error.at, error.message) for error in errors(text)] == [(at, message)]


def test_all_mistakes_are_reported_at_once() -> None:
    mistakes = errors('helth > 1 and abss(arr) > 2 and segment == "x" and abs(1, 2) > 3 and paid_success > 1')

    assert [error.at for error in mistakes] == [0, 14, 43, 51, 82]


def test_no_feature_has_the_name_of_a_function() -> None:
    features = {*FEATURES, *(name for own in EVENT_FEATURES.values() for name in own)}

    assert not features & FUNCTIONS.keys()


HOSTILE = {
    "brackets": "(" * 20_000 + "paid_success" + ")" * 20_000,
    "brackets in bounds": "(" * 900 + "paid_success" + ")" * 900,
    "calls": "abs(" * 400 + "1" + ")" * 400,
    "lists of calls": "max(" * 300,
    "many arguments": "max(" + ",".join("1" * 900) + ") > 1",
    "not": "not " * 490 + "paid_success",
    "minus": "-" * 1_900 + "1 > 0",
    "a million characters": "paid_success and " * 60_000 + "true",
    "one long word": "a" * 1_990 + " > 1",
    "one very long word": "a" * 1_000_000,
    "a huge number": f"arr > 1{'0' * 1_900}",
    "a number beyond all bounds": f"arr > 1{'0' * 5_000}",
    "powers": "9**9**9 > 1",
    "text times number": '"a" * 3000000000 == industry',
    "many clauses": " and ".join(["paid_success"] * 150) + " or segment",
    "many members": f"seats in [{', '.join(map(str, range(300)))}]",
    "an attribute": "segment.__class__",
    "an import": '__import__("os").getpid() > 0',
    "a lambda": "lambda: 0",
    "an underscore": "1__0 > 2",
    "a trailing underscore": "1_ > 2",
    "a nul": "paid_success\x00",
    "a nul in a text": 'industry is not null and industry == "a\x00b"',
    "a lone surrogate": 'industry is not null and industry == "\ud800"',
    "an exotic digit": "arr > \u0663",
    "a look-alike": "p\u0430id_success",
    "a right-to-left mark": 'industry is not null and industry == "\u202e"',
    "an exponential choice": " and ".join(
        f"(seats is null or seats != {each} or seats_used == {each} or arr is not null)" for each in range(12)
    )
    + " and seats",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_hostile_condition_is_refused_in_bounded_time(text: str) -> None:
    began = time.process_time()

    assert errors(text)
    assert time.process_time() - began < 1


def test_the_worst_condition_in_bounds_is_checked_in_bounded_time() -> None:
    clause = "(seats < {0} or seats > {0} or seats_used * {0} > 3)"
    text = "seats is not null and seats_used is not null and "
    text += " and ".join(clause.format(number) for number in range(1, 16))
    began = time.process_time()

    assert errors(text) == []
    assert time.process_time() - began < 2


PIECES = st.sampled_from(
    [
        *(
            "and",
            "or",
            "not",
            "in",
            "is",
            "null",
            "true",
            "between",
            "(",
            ")",
            "[",
            "]",
            ",",
            "==",
            "!=",
            "<=",
        ),
        *(">", "+", "-", "*", "/", "0", "2.5", "90%", "1_0", "abs(", "min(", "max (", "days_between("),
        *(
            "arr",
            "segment",
            "paid_success",
            '"red"',
            '"',
            "'",
            "_",
            "%",
            ".",
            "\n",
            "\x00",
            "\ud800",
            "é",
            "**",
        ),
    ]
)


@given(
    conditions(), st.lists(st.tuples(st.integers(0, 400), st.integers(0, 6), PIECES), min_size=1, max_size=4)
)
def test_a_valid_condition_that_is_changed_at_random_gives_errors_and_no_crash(
    tree: Node, cuts: list[tuple[int, int, str]]
) -> None:
    text = format_expression(tree)
    for at, length, piece in cuts:
        text = text[: at % len(text)] + piece + text[at % len(text) + length :]

    assert all(0 <= error.at <= len(text) for error in errors(text))


@given(st.lists(PIECES, max_size=30).map(" ".join) | st.lists(PIECES, max_size=30).map("".join) | st.text())
def test_any_text_gives_errors_and_no_crash(text: str) -> None:
    assert all(0 <= error.at <= len(text) for error in errors(text))
