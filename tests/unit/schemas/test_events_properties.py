"""Any data of any event type is read, or rejected with a message of bounded length."""

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from schemas.base import SchemaModel
from schemas.events import READABLE, read_data
from schemas.problems import Malformed

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


def parse_data(event_type: str, data: bytes) -> SchemaModel:
    return read_data(event_type, data).message


def read_or_reject(event_type: str, body: bytes) -> SchemaModel | str:
    try:
        return parse_data(event_type, body)
    except Malformed as error:
        return str(error)


# Generating nested values may be slow on a busy machine; that says nothing about the reader.
@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
@given(event_type=st.sampled_from(sorted(READABLE)), body=bodies | st.binary(max_size=60))
def test_any_data_is_read_or_rejected_with_a_bounded_message(event_type: str, body: bytes) -> None:
    outcome = read_or_reject(event_type, body)

    if isinstance(outcome, str):
        assert 0 < len(outcome) < 5000
    else:
        assert parse_data(event_type, outcome.write()).model_dump_json() == outcome.model_dump_json()
