"""Whatever is done to a row of the chain, following it finds the place."""

from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.rules_engine.domain.audit_chain import ChainBroken, ChainedEntry, ChainEnd, follow_chain

START = datetime(2026, 3, 2, 10, tzinfo=UTC)
Rows = list[tuple[ChainedEntry, bytes]]


def chain(length: int) -> Rows:
    rows, end = Rows(), ChainEnd()
    for number in range(1, length + 1):
        at = START + timedelta(seconds=number)
        names = {"actor": "1a2b3c4d", "action": "key.created", "object": f"key/{number}"}
        entry = ChainedEntry(
            seq=number,
            id=f"e{number}",
            at=at,
            service="notifier",
            before=None,
            after="{}",
            detail="",
            **names,
        )
        end = ChainEnd(number, entry.hash_after(end.hash))
        rows.append((entry, end.hash))
    return rows


def test_a_chain_that_nobody_touched_is_followed_to_its_end_also_in_parts() -> None:
    rows = chain(5)
    assert follow_chain(ChainEnd(), rows) == ChainEnd(5, rows[-1][1])
    assert follow_chain(follow_chain(ChainEnd(), rows[:2]), rows[2:]) == ChainEnd(5, rows[-1][1])


@given(st.integers(0, 5), st.sampled_from([field.name for field in fields(ChainedEntry)]))
def test_a_changed_value_of_any_column_is_found(place: int, column: str) -> None:
    rows = chain(6)
    entry, stored = rows[place]
    values = {"at": START, "before": '{"a":1}', "after": None, "seq": 99}
    rows[place] = replace(entry, **{column: values.get(column, "other")}), stored
    with pytest.raises(ChainBroken, match=str(place + 1)):
        follow_chain(ChainEnd(), rows)


@given(
    order=st.permutations(range(6)).filter(lambda order: list(order) != list(range(6))),
    renumbered=st.booleans(),
)
def test_a_changed_order_is_found_with_and_without_new_numbers(order: list[int], *, renumbered: bool) -> None:
    rows = chain(6)
    moved = [rows[place] for place in order]
    if renumbered:
        moved = [
            (replace(entry, seq=number), stored) for number, (entry, stored) in enumerate(moved, start=1)
        ]
    with pytest.raises(ChainBroken):
        follow_chain(ChainEnd(), moved)


@given(place=st.integers(0, 4), renumbered=st.booleans())
def test_a_removed_entry_is_found_with_and_without_new_numbers(place: int, *, renumbered: bool) -> None:
    rows = chain(6)
    del rows[place]
    if renumbered:
        rows = [(replace(entry, seq=number), stored) for number, (entry, stored) in enumerate(rows, start=1)]
    with pytest.raises(ChainBroken):
        follow_chain(ChainEnd(), rows)
