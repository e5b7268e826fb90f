"""What usage says, whatever the grain of its reports, however often and in which order they are told."""

import random
from collections.abc import Sequence
from datetime import timedelta

import pytest

from services.cadence.account import FactEvent, Plain, who
from services.cadence.evaluation.event_entries import entries_of
from services.cadence.features.compute import view_account
from services.cadence.features.registry import FEATURES
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.events import DAY, HOUR, NOW, decided, facts_after, make_event, one_offs

WORTH = make_event("account.described", NOW - 300 * DAY, arr=50_000, csm_id="csm-1")
MONTH = 30 * DAY


def report(
    ago: timedelta,
    length: timedelta,
    /,
    told: timedelta | None = None,
    source: str = "/product",
    **more: object,
) -> FactEvent:
    """A report of a period that ended so long ago, told so long ago (None: now)."""
    at = NOW if told is None else NOW - told
    return make_event(
        "usage.reported", at, source, period_start=NOW - ago - length, period_end=NOW - ago, **more
    )


def series(length: timedelta, events: Sequence[int], source: str = "/product") -> list[FactEvent]:
    """Consecutive reports, the newest first; each told when its period ended."""
    return [
        report(index * length, length, index * length, source, events=count)
        for index, count in enumerate(events)
    ]


def falling(length: timedelta, source: str = "/product") -> list[FactEvent]:
    """28 days or a little more at 100 a unit, then as long at 40."""
    count = max(1, 28 * DAY // length)
    return series(length, [40] * count + [100] * (count + 1), source)


def value_of(events: Sequence[FactEvent], name: str) -> Plain:
    return view_account(facts_after(events), Portfolio(), NOW, frozenset(FEATURES)).values[name]


def entries(events: Sequence[FactEvent]) -> list[dict[str, Plain]]:
    view = view_account(facts_after(events), Portfolio(), NOW, frozenset(FEATURES))
    return [entry.values for entry in entries_of(view, "usage.reported", 0)]


def test_row_10_of_two_tellings_of_a_period_the_later_counts() -> None:
    days = [report(day * DAY, DAY, day * DAY, events=100) for day in range(56)]
    corrected = [report(day * DAY, DAY, -HOUR, events=10) for day in range(5)]

    assert value_of([*days, *corrected], "usage_change") == round((23 * 100 + 5 * 10) / 2_800, 9)
    assert value_of([*corrected, *days], "usage_change") == value_of([*days, *corrected], "usage_change")


@pytest.mark.parametrize(
    "length", [HOUR / 12, HOUR, 6 * HOUR, 8 * HOUR, 12 * HOUR, DAY, 7 * DAY, MONTH], ids=str
)
def test_row_26_a_fall_of_60_percent_is_found_whatever_the_grain(length: timedelta) -> None:
    events = falling(length)

    change = value_of(events, "usage_change")

    assert isinstance(change, float)
    assert change == pytest.approx(0.4, abs=0.05)
    assert len(one_offs(decided(WORTH, *events), "value_alert")) == 1


@pytest.mark.parametrize("lengths", [(DAY, DAY), (DAY, 7 * DAY), (HOUR, DAY), (HOUR, MONTH)], ids=str)
def test_row_26_a_fall_is_found_where_two_products_report(lengths: tuple[timedelta, timedelta]) -> None:
    events = falling(lengths[0], "/one") + falling(lengths[1], "/two")

    change = value_of(events, "usage_change")

    assert change == pytest.approx(0.4, abs=0.05)
    assert len(one_offs(decided(WORTH, *events), "value_alert")) == 1


def test_row_26_sources_add_up() -> None:
    both = [
        report(DAY * 0, DAY, source=source, active_users=20, seats=seats, seats_used=9, limits=limits)
        for source, seats, limits in (
            ("/one", 10, {"api": {"used": 9, "limit": 10}}),
            ("/two", 20, {"api": {"used": 5, "limit": 10}}),
        )
    ]
    steady = series(DAY, [300] * 57, "/three")
    fallen = series(DAY, [40] * 28 + [100] * 29, "/four")

    assert value_of(both, "active_users") == 40
    assert value_of(both, "seat_ratio") == 18 / 30
    assert value_of(both, "limit_ratio") == 0.9
    assert value_of(steady + fallen, "usage_change") == 340 / 400


def test_a_source_that_stopped_no_longer_counts_35_days_after_the_last_report() -> None:
    ended = report(40 * DAY, DAY, 40 * DAY, "/old", active_users=20, seats=5)

    assert value_of([ended, report(5 * DAY, DAY, source="/new", active_users=1)], "active_users") == 21
    assert value_of([ended, report(4 * DAY, DAY, source="/new", active_users=1)], "active_users") == 1
    # Nobody else says how many seats there are: absent means unchanged.
    assert value_of([ended, report(4 * DAY, DAY, source="/new", active_users=1)], "seats") == 5


def test_row_14_an_old_period_told_now_is_no_news() -> None:
    now = report(DAY * 0, 7 * DAY, DAY * 0, seats=100, seats_used=50, active_users=50)
    backfill = report(200 * DAY, 7 * DAY, seats=100, seats_used=95, active_users=7, events=1)

    assert value_of([now, backfill], "seats_used") == 50
    assert value_of([now, backfill], "active_users") == 50
    assert value_of([now, backfill], "days_since_usage") == 0
    assert one_offs(decided(WORTH, now, backfill), "expansion_discovery") == []
    assert one_offs(decided(WORTH, report(20 * DAY, DAY, seats=9, seats_used=9)), "expansion_discovery") == []


def test_of_reports_that_overlap_the_finer_counts() -> None:
    days = series(DAY, [40] * 28 + [100] * 29)
    weeks = series(7 * DAY, [700] * 8)

    assert value_of(days + weeks, "usage_change") == 0.4
    assert value_of(days[:40] + days[41:] + weeks, "usage_change") == 0.4


def test_a_pattern_of_day_and_night_is_no_spike() -> None:
    hours = [5 if (12 - hour) % 24 < 12 else 500 for hour in range(1, 40 * 24 + 13)]
    events = series(HOUR, hours)

    assert value_of(events, "usage_spike_ratio") == 1
    assert value_of(events, "usage_change") is None
    assert all(values["usage_spike_ratio"] in {1, None} for values in entries(events))
    assert one_offs(decided(WORTH, *events), "expansion_discovery") == []


def test_hours_of_a_day_are_one_report_that_counts_once_18_of_them_are_known() -> None:
    midnight = NOW - 12 * HOUR
    day = [
        make_event(
            "usage.reported",
            midnight - 24 * HOUR + (hour + 1) * HOUR,
            period_start=midnight - 24 * HOUR + hour * HOUR,
            period_end=midnight - 24 * HOUR + (hour + 1) * HOUR,
            active_users=hour,
            seats=50,
            seats_used=hour,
        )
        for hour in range(24)
    ]
    before = report(36 * HOUR, DAY, 36 * HOUR, "/crm", active_users=9)

    assert [values["active_users"] for values in entries([before, *day[:17]])] == [9, None]
    assert [values["active_users"] for values in entries([before, *day[:18]])] == [9, 17]
    assert [values["seat_ratio"] for values in entries([before, *day[:3]])] == [None, 2 / 50]
    assert value_of([before, *day], "active_users") == 23
    assert len(entries([before, *day])) == 2


def test_a_report_is_the_same_thing_however_often_it_is_told() -> None:
    """Its one-off keeps its id, and names the event that first told what counts."""
    first = report(DAY * 0, 7 * DAY, DAY * 0, seats=10, seats_used=10)
    again = report(DAY * 0, 7 * DAY, -HOUR, seats=10, seats_used=10)
    corrected = report(DAY * 0, 7 * DAY, -HOUR, seats=10, seats_used=9)
    now = NOW + 2 * HOUR

    plans = [
        one_offs(decided(WORTH, *told, now=now), "expansion_discovery")
        for told in ([first], [first, again], [again, first], [first, corrected])
    ]

    assert len({item.id for items in plans for item in items}) == 1
    assert [items[0].cause.id for items in plans if items[0].cause] == [
        first.provenance.id,
        first.provenance.id,
        first.provenance.id,
        corrected.provenance.id,
    ]


def test_the_events_behind_a_change_are_one_for_each_report() -> None:
    events = series(DAY, [40] * 28 + [100] * 28)
    view = view_account(facts_after([*events, *events]), Portfolio(), NOW, frozenset(FEATURES))

    assert {who(stamp) for stamp in view.usage.stamps()} == {
        (event.provenance.source, event.provenance.id) for event in events
    }
    assert who(view.stamps["usage_change"]) == ("/product", events[0].provenance.id)


@pytest.mark.parametrize("length", [HOUR, DAY], ids=str)
def test_a_nightly_resync_of_56_periods_changes_nothing(length: timedelta) -> None:
    """30 nights under other ids and in other orders: neither features nor the plan, to the byte."""
    dice = random.Random(56)
    history = [
        event._replace(fields={**event.fields, "active_users": 40, "seats": 100, "seats_used": 95})
        for event in series(length, [100] * 28 + [40] * 28)
    ]
    described = [WORTH, *history]
    nights = [
        event._replace(
            provenance=event.provenance._replace(time=NOW + (night + 1) * DAY, id=f"{night}-{index}")
        )
        for night in range(30)
        for index, event in enumerate(history)
    ]
    dice.shuffle(nights)
    now = NOW + 30 * DAY
    before, after = facts_after(described), facts_after([*described, *nights])
    wanted = frozenset(FEATURES)

    assert decided(*described, *nights, now=now).plan.write() == decided(*described, now=now).plan.write()
    assert decided(*described, *nights).plan.write() == decided(*described).plan.write()
    assert one_offs(decided(*described, *nights), "expansion_discovery") != []
    views = [view_account(facts, Portfolio(), now, wanted) for facts in (before, after)]
    assert views[0].values == views[1].values
    assert views[0].stamps == views[1].stamps


def test_a_resync_with_the_first_times_changes_nothing_but_the_ids_that_reasons_name() -> None:
    history = series(DAY, [40] * 28 + [100] * 28)
    again = [event._replace(provenance=event.provenance._replace(id="resync")) for event in history]
    before, after = (decided(WORTH, *told).plan.touchpoints for told in (history, history + again))

    assert value_of(history + again, "usage_change") == value_of(history, "usage_change") == 0.4
    assert [(item.id, item.window) for item in after] == [(item.id, item.window) for item in before]
    assert before
