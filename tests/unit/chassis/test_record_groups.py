"""The records of a batch by key and trace."""

from hypothesis import given
from hypothesis import strategies as st

from services.chassis.dead_letters import Record
from services.chassis.record_groups import group_records
from services.chassis.trace_context import traceparent_of

traces = st.sampled_from([None, "1" * 32, "2" * 32, "3" * 32])
keys = st.sampled_from([b"acme", b"beta", None])


def record(offset: int, key: bytes | None, trace: str | None, *, began: str | None = None) -> Record:
    headers: list[tuple[str, bytes]] = [("ce_id", f"event-{offset}".encode())]
    if trace is not None:
        headers.append(("traceparent", f"00-{trace}-{offset + 1:016x}-01".encode()))
    if began is not None:
        headers.append(("ce_traceparent", f"00-{began}-{'c' * 16}-01".encode()))
    return Record("account.signals", 0, offset, key, b"{}", tuple(headers), 0)


@given(st.lists(st.tuples(keys, traces), min_size=1, max_size=30))
def test_every_record_is_in_one_group_of_its_key_and_trace(
    wanted: list[tuple[bytes | None, str | None]],
) -> None:
    records = [record(offset, *each) for offset, each in enumerate(wanted)]
    groups = group_records(records)
    assert sorted(step.offset for group in groups for step, _ in group.steps) == list(range(len(records)))
    lasts = [group.steps[-1][0].offset for group in groups]
    assert lasts == sorted(lasts), "the last group has the last record"
    for group in groups:
        assert len({context.trace_id for _, context in group.steps}) == 1
        if group.is_traced:
            assert len({step.key or b"" for step, _ in group.steps}) == 1


def test_what_was_folded_together_is_linked() -> None:
    one, other, elsewhere = "1" * 32, "2" * 32, "3" * 32
    first, second = group_records(
        [
            record(0, b"acme", one),
            record(1, b"acme", other),
            record(2, b"acme", one, began=elsewhere),
            record(3, None, None),
            record(4, b"acme", other),
        ]
    )[::2]
    assert traceparent_of(first.parent.span_context) == f"00-{one}-{3:016x}-01"
    assert [traceparent_of(link.context) for link in first.links()] == [
        f"00-{one}-{1:016x}-01",
        f"00-{other}-{5:016x}-01",
        f"00-{elsewhere}-{'c' * 16}-01",
    ]
    assert set(second.names()) == {"acme", "event-1", "event-4"}
    assert second.attributes("rules_engine")["messaging.batch.message_count"] == 2
