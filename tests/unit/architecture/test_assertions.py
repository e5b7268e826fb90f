"""Every test has an assertion that can fail: its own, or one of a helper function that it calls."""

import ast
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

import pytest

from tests.unit.architecture.sources import TESTS, Function, functions_of, name_of, report, tree_of

# Calls that fail by themselves: pytest's, Playwright's `expect`, and `suppress`, behind which any other exception fails.
FAILING_CALLS = frozenset({"raises", "fail", "warns", "expect", "suppress"})
# It calls the function of its parameter, which asserts.
EXCEPTIONS = frozenset({"test_requirement"})


def asserts(function: Function) -> bool:
    """Whether a function contains an assertion about something that is not constant, or raises AssertionError."""
    for node in ast.walk(function):
        match node:
            case ast.Assert(test=test) if not isinstance(test, ast.Constant):
                return True
            case ast.Raise(exc=ast.Call(func=ast.Name(id="AssertionError"))):
                return True
            case _:
                continue
    return False


def calls_check(function: Function, helpers: AbstractSet[str]) -> bool:
    """Whether a function calls one of these helpers, a method `check…`, or something that fails by itself."""
    for node in ast.walk(function):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in helpers or name in FAILING_CALLS:
                return True
            case ast.Call(func=ast.Attribute(attr=name)) if name.startswith("check") or name in FAILING_CALLS:
                return True
            case _:
                continue
    return False


def unable_to_fail(tree: ast.AST, helpers: AbstractSet[str]) -> Iterator[str]:
    """The names of the tests that have no assertion."""
    for function in functions_of(tree):
        is_test = function.name.startswith("test_") and function.name not in EXCEPTIONS
        if is_test and not asserts(function) and not calls_check(function, helpers):
            yield function.name


def test_every_test_can_fail() -> None:
    functions = [function for path in TESTS for function in functions_of(tree_of(path))]
    helpers = {function.name for function in functions if asserts(function)}
    problems = {name_of(path): list(unable_to_fail(tree_of(path), helpers)) for path in TESTS}
    assert not any(problems.values()), report(problems)


@pytest.mark.parametrize(
    ("source", "can_fail"),
    [
        ("def test_x(): assert f(1) == 2", True),
        ("def test_x():\n    with pytest.raises(E): f()", True),
        ("async def test_x(): await problem_of(f())", True),
        ("async def test_x(): await ledger.check()", True),
        ("def test_x(): f()", False),
        ("def test_x(): x.problem_of()", False),
        ("def test_x(): assert True", False),
        ("def test_x(): ...", False),
    ],
)
def test_a_test_without_assertion_is_found(source: str, *, can_fail: bool) -> None:
    assert list(unable_to_fail(ast.parse(source), {"problem_of"})) == ([] if can_fail else ["test_x"])
