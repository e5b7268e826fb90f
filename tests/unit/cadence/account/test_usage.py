"""Usage reports: the later telling of a period counts, what older formats stored is read, the state stays small."""

import random
from datetime import timedelta
from pathlib import Path

from services.cadence.account import FactEvent, apply_fact
from services.cadence.account.codec import AccountState, decode, encode
from services.cadence.account.issued import Issued
from services.cadence.evaluation import evaluate_account
from services.cadence.features.compute import view_account
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.events import (
    DAY,
    HOUR,
    NOW,
    came_due,
    facts_after,
    issued,
    make_event,
    one_offs,
    shipped,
)

STORED = Path(__file__).with_name("usage_in_format_3.json")
LATER = NOW + 2 * HOUR


def report(
    end_days_ago: float, /, told: timedelta = DAY * 0, source: str = "/product", **more: object
) -> FactEvent:
    """A daily report that was told so long after its period."""
    end = NOW - end_days_ago * DAY
    return make_event("usage.reported", end + told, source, period_start=end - DAY, period_end=end, **more)


def stored_state() -> AccountState:
    return decode("acme", STORED.read_bytes())


def test_a_later_telling_counts_for_the_fields_it_says_and_null_clears() -> None:
    first = report(0, events=10, active_users=5, seats=9)
    later = report(0, DAY, active_users=4, seats=None)

    values = facts_after([later, first]).account_values()
    (day,) = facts_after([first, later]).usage.sources["/product"]["d"].values()

    assert (values["active_users"].value, values["seats"].value) == (4, None)
    assert values["active_users"].provenance.id == later.provenance.id
    (stored,) = day.values()
    assert stored["te"] == 0
    assert (stored["u"], stored["s"], stored["t"]) == (4, None, DAY // timedelta(microseconds=1))


def test_one_event_with_two_contents_is_a_conflict() -> None:
    first, other = report(0, events=10), report(0, events=11)
    facts = facts_after([first])

    result = apply_fact(facts, other._replace(provenance=other.provenance._replace(id=first.provenance.id)))

    assert result.conflict is not None
    assert result.conflict.id == first.provenance.id


def test_a_period_that_ends_far_ahead_lets_nothing_else_go() -> None:
    wrong = make_event("usage.reported", NOW, period_start=NOW, period_end=NOW + 9_999 * DAY, events=1)
    facts = facts_after([report(day, events=10) for day in range(60)])
    before = dict(facts.usage.sources["/product"]["d"])

    apply_fact(facts, wrong)

    assert facts.usage.sources["/product"]["d"] == before


def test_the_stored_state_of_format_3_reads_the_same_and_goes_on() -> None:
    """As the version that wrote it read it."""
    facts, _ = stored_state()
    again, _ = decode("acme", encode(facts, Issued()))
    values = view_account(facts, Portfolio(), LATER).values

    assert again == facts
    assert "usage.reported" not in facts.entries
    assert {name: values[name] for name in ("active_users", "seats", "seats_used", "seat_ratio")} == {
        "active_users": 33,
        "seats": 100,
        "seats_used": 93,
        "seat_ratio": 0.93,
    }
    assert {name: values[name] for name in ("limit_ratio", "usage_spike_ratio", "usage_change")} == {
        "limit_ratio": 0.5,
        "usage_spike_ratio": 2.893309222,
        "usage_change": 0.69806163,
    }
    assert values["days_since_usage"] == 0


def test_what_was_issued_for_a_report_of_format_3_is_not_asked_for_again() -> None:
    facts, _ = stored_state()
    decision = evaluate_account(shipped(), facts, Issued(), Portfolio(), LATER)
    (planned,) = one_offs(decision, "expansion_discovery")
    came = came_due(planned.model_copy(update={"id": "54a66261-af5a-f3a7-e2e0-9045a117828b"}), LATER)

    after = evaluate_account(shipped(), facts, issued([came]), Portfolio(), LATER + HOUR)

    assert [item.id for item in one_offs(after, "expansion_discovery")] == [
        "54a66261-af5a-f3a7-e2e0-9045a117828b"
    ]


def test_the_state_of_a_daily_and_of_an_hourly_reporter_is_bounded() -> None:
    daily = [report(day, 20 * HOUR / 60, events=1_000 + day, active_users=40) for day in range(200)]
    hourly = [
        make_event(
            "usage.reported",
            NOW - (hour - 1) * HOUR + timedelta(minutes=5),
            "/product",
            period_start=NOW - (hour + 1) * HOUR,
            period_end=NOW - hour * HOUR,
            events=100,
            active_users=5,
        )
        for hour in range(100 * 24)
    ]
    random.Random(9).shuffle(hourly)

    sizes = [len(encode(facts_after(events), Issued())) for events in (daily, hourly)]

    assert sizes[0] < 12_000
    assert sizes[1] < 80_000
