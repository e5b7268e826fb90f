"""Values are converted by the field that they go to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.connectors.mapping.values import Form, Kind, convert


@pytest.mark.parametrize(
    ("value", "kind", "form", "converted"),
    [
        (4711, Kind.TEXT, Form(), "4711"),
        (4711.0, Kind.TEXT, Form(), "4711"),
        (True, Kind.TEXT, Form(), "true"),
        ("12.50", Kind.NUMBER, Form(), 12.5),
        (1999, Kind.NUMBER, Form(divide=100), 19.99),
        (110, Kind.NUMBER, Form(divide=100), 1.1),
        ("12", Kind.WHOLE, Form(), 12),
        (12.0, Kind.WHOLE, Form(), 12),
        ("TRUE", Kind.TRUTH, Form(), True),
        ("Closed Won", Kind.TEXT, Form(words={"closed won": "signed"}), "signed"),
        ("Other", Kind.TEXT, Form(words={"closed won": "signed"}, otherwise="draft"), "draft"),
        ("None", Kind.TEXT, Form(words={"none": "null"}), None),
        (None, Kind.DAY, Form(), None),
        ("2027-03-01", Kind.INSTANT, Form(zone="UTC"), "2027-03-01T00:00:00Z"),
        ({"a": 1}, Kind.OTHER, Form(), {"a": 1}),
    ],
)
def test_what_is_converted(value: object, kind: Kind, form: Form, converted: object) -> None:
    assert convert(value, kind, form) == converted


@pytest.mark.parametrize(
    ("value", "kind", "form"),
    [
        ({}, Kind.TEXT, Form()),
        ("1,234.50", Kind.NUMBER, Form()),
        ("$5", Kind.NUMBER, Form()),
        (True, Kind.NUMBER, Form()),
        (float("nan"), Kind.WHOLE, Form()),
        (1.5, Kind.WHOLE, Form()),
        (10**400, Kind.NUMBER, Form()),
        ("1" * 400, Kind.NUMBER, Form()),
        (2**60, Kind.WHOLE, Form()),
        ("perhaps", Kind.TRUTH, Form()),
        ("Lost", Kind.TEXT, Form(words={"won": "signed"})),
    ],
)
def test_what_is_refused(value: object, kind: Kind, form: Form) -> None:
    with pytest.raises(ValueError):
        convert(value, kind, form)


@given(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.lists(st.integers()),
    st.sampled_from(Kind),
)
def test_whatever_comes_is_converted_or_refused(value: object, kind: Kind) -> None:
    try:
        converted = convert(value, kind)
    except ValueError:
        return
    assert convert(converted, kind, Form(zone="UTC")) == converted
