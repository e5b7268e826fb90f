"""What is stored packed is read again, whatever its size, and damage is said."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account.codec import UnreadableState, decode, encode
from services.cadence.account.issued import Issued
from services.cadence.account.packing import LEAST_BYTES, Damaged, packed, unpacked
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event


def used(days: int) -> bytes:
    """The state of an account that reported its usage on so many days."""
    reports = [
        make_event(
            "usage.reported", NOW - day * DAY, period_start=NOW - (day + 1) * DAY, period_end=NOW - day * DAY,
            events=100 + day, features={f"feature-{number}": number + day for number in range(10)},
        )
        for day in range(days)
    ]  # fmt: skip
    return encode(facts_after(reports), Issued())


@given(st.binary(max_size=4 * LEAST_BYTES).map(lambda body: b'{"a":"' + body + b'"}'))
def test_a_document_is_read_as_it_was(document: bytes) -> None:
    assert unpacked(packed(document)) == document


def test_a_state_of_forty_days_of_usage_takes_less_than_six_kilobytes() -> None:
    """Issue 15.4."""
    state = used(40)
    assert len(unpacked(state)) > 2 * len(state)
    assert len(state) < 6_000
    assert encode(*decode("acme", state)) == state


def test_small_states_are_stored_as_they_are() -> None:
    assert used(1).startswith(b"{")


@pytest.mark.parametrize("keep", [10, 100, -1])
def test_a_damaged_state_is_unreadable(keep: int) -> None:
    with pytest.raises(UnreadableState, match="restore it from a backup"):
        decode("acme", used(40)[:keep])
    with pytest.raises(Damaged):
        unpacked(used(40)[:keep])
