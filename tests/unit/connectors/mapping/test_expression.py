"""Expressions: what is absent differs from what is null, and alternatives are tried in their order."""

import jmespath
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connectors.mapping.expression import NotApplicable, compile_expression

_NAMES = st.sampled_from(["a", "b", "c"])
_VALUES = st.recursive(
    st.none() | st.integers() | st.text(max_size=3), lambda inner: st.dictionaries(_NAMES, inner, max_size=3)
)


@pytest.mark.parametrize(
    ("text", "item", "found"),
    [
        ("a", {}, (False, None)),
        ("a", {"a": None}, (True, None)),
        ("a.b", {"a": {"b": 0}}, (True, 0)),
        ("a.b", {"a": []}, (False, None)),
        ("a.b", {"a": None}, (False, None)),
        ("a || b", {"b": "x"}, (True, "x")),
        ("a || b", {"a": None, "b": "x"}, (True, "x")),
        ("a || b", {"a": "", "b": "x"}, (True, "x")),
        ("a || b", {"a": ""}, (True, "")),
        ("a || b", {"a": False, "b": "x"}, (True, False)),
        ("a || b", {"a": 0, "b": 1}, (True, 0)),
        ("length(a)", {"a": "abc"}, (True, 3)),
        ("a[0]", {"a": []}, (False, None)),
    ],
)
def test_what_an_expression_finds(text: str, item: dict[str, object], found: tuple[bool, object]) -> None:
    assert compile_expression(text).find(item) == found


@given(path=st.lists(_NAMES, min_size=1, max_size=3), item=st.dictionaries(_NAMES, _VALUES, max_size=3))
def test_plain_paths_find_what_jmespath_finds(path: list[str], item: dict[str, object]) -> None:
    text = ".".join(path)
    assert compile_expression(text).find(item)[1] == jmespath.search(text, item)


def test_a_function_that_gets_another_type_is_an_error_of_the_item() -> None:
    with pytest.raises(NotApplicable, match="join"):
        compile_expression("join('-', a)").search({"a": 5})


def test_the_names_that_an_expression_reads_are_known() -> None:
    assert compile_expression("a.b || contains(c, 'd') && e[0].f").names == {"a", "b", "c", "e", "f"}
