"""No data at all, for no type at all, does anything but be read or be refused in words of bounded length."""

import json

from hypothesis import given
from hypothesis import strategies as st

from schemas.base import Wire
from schemas.events import READABLE, Malformed, parse_data

FIELDS = sorted({name for model in READABLE.values() for name in model.model_fields})
scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers(10**300, 10**310)
    | st.floats()
    | st.text(max_size=30)
    | st.sampled_from(
        ["2026-03-02", "2026-03-02T00:00:00Z", "9999-12-31T23:59:59-23:00", "red", "mon", "09:00-10:00"]
    )
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["from", "to", "used"]), inner)
    ),
)
bodies = st.dictionaries(st.sampled_from(FIELDS), values, max_size=6).map(
    lambda body: json.dumps(body).encode()
)


def read_or_refused(event_type: str, body: bytes) -> Wire | str:
    try:
        return parse_data(event_type, body)
    except Malformed as refused:
        return str(refused)


@given(event_type=st.sampled_from(sorted(READABLE)), body=bodies | st.binary(max_size=60))
def test_data_is_read_or_refused(event_type: str, body: bytes) -> None:
    outcome = read_or_refused(event_type, body)

    if isinstance(outcome, str):
        assert 0 < len(outcome) < 5000
    else:
        assert parse_data(event_type, outcome.write()).model_dump_json() == outcome.model_dump_json()
