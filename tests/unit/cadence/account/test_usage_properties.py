"""Usage is the same in any order, told once or often, corrected, late, by several sources, beyond the limits."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Facts, apply_fact
from services.cadence.account.codec import decode, encode
from services.cadence.account.issued import Issued
from services.cadence.account.usage import PERIODS_KEPT, SOURCES_KEPT
from tests.unit.cadence.events import DAY, HOUR, NOW, facts_after, make_event

METRICS = ("events", "active_users", "seats", "seats_used")
values = st.none() | st.integers(0, 3)
lengths = st.sampled_from([timedelta(microseconds=1), HOUR, 7 * HOUR, DAY, 7 * DAY, 31 * DAY])


@st.composite
def reports(draw: st.DrawFn) -> FactEvent:
    """Reports with few periods, moments and values, so that tellings of one period, days and limits meet."""
    end = NOW - draw(st.integers(0, 90)) * DAY - draw(st.sampled_from([0, 0, 1, 12, 35])) * HOUR
    told = draw(st.sampled_from([end, NOW, NOW + DAY, end - 3 * HOUR, end + 2 * DAY]))
    metrics: dict[str, object] = {**draw(st.dictionaries(st.sampled_from(METRICS), values, max_size=3))}
    if draw(st.booleans()):
        metrics["limits"] = {"api": {"used": draw(st.integers(0, 3)), "limit": 4}}
    return make_event(
        "usage.reported",
        told,
        draw(st.sampled_from(["/product", "/tool"])),
        period_start=end - draw(lengths),
        period_end=end,
        **metrics,
    )


def state_after(events: Sequence[FactEvent]) -> bytes:
    return encode(facts_after(events), Issued())


@given(st.lists(reports(), max_size=24), st.data())
def test_order_and_repetition_change_nothing(events: list[FactEvent], data: st.DataObject) -> None:
    mixed = data.draw(st.permutations([*events, *events[: len(events) // 2]]))

    assert state_after(mixed) == state_after(events)


@given(st.lists(reports(), max_size=24))
def test_a_state_is_read_as_it_was_written_and_goes_on_as_if_never_stored(events: list[FactEvent]) -> None:
    stored = Facts("acme")
    for event in events:
        apply_fact(stored, event)
        stored, _ = decode("acme", encode(stored, Issued()))

    assert stored == facts_after(events)


@given(st.lists(st.integers(0, 287), unique=True, min_size=PERIODS_KEPT, max_size=60), st.data())
def test_of_more_reports_a_day_than_are_kept_the_same_stay_in_any_order(
    numbers: list[int], data: st.DataObject
) -> None:
    midnight = NOW - 12 * HOUR
    events = [
        make_event(
            "usage.reported",
            midnight + DAY,
            period_start=midnight + number * HOUR / 12,
            period_end=midnight + (number + 1) * HOUR / 12,
            events=number,
        )
        for number in numbers
    ]

    assert state_after(data.draw(st.permutations(events))) == state_after(events)
    assert bool(facts_after(events).usage.let_go()) == (len(events) > PERIODS_KEPT)


@given(
    st.lists(
        st.tuples(st.integers(0, 20), st.integers(0, 150)),
        min_size=15,
        max_size=21,
        unique_by=lambda each: each[0],
    ),
    st.data(),
)
def test_of_more_sources_than_are_kept_the_same_stay_in_any_order(
    told: list[tuple[int, int]], data: st.DataObject
) -> None:
    events = [
        make_event(
            "usage.reported",
            NOW,
            f"/{number:02d}",
            period_start=NOW - (day + 1) * DAY,
            period_end=NOW - day * DAY,
            seats=day,
        )
        for number, day in told
    ]
    sources = sorted({event.provenance.source for event in events})

    usage = facts_after(events).usage

    assert state_after(data.draw(st.permutations(events))) == state_after(events)
    assert sorted(usage.sources) == sources[:SOURCES_KEPT]
    assert bool(usage.let_go()) == (len(sources) > SOURCES_KEPT)
