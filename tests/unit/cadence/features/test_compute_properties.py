"""Features do not depend on the order of events, and those of an event are the account's as of its time."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Plain, micros, stamp_of
from services.cadence.account.codec import encode
from services.cadence.account.issued import Issued
from services.cadence.evaluation.event_entries import entries_of
from services.cadence.features.compute import view_account
from services.cadence.features.view import FeatureSettings
from services.cadence.portfolio import Portfolio
from tests.conftest import examples
from tests.unit.cadence.events import DAY, HOUR, NOW, facts_after, make_event

MEETING = ("check_in", "business_review", "newsletter")
OUTCOMES = ("completed", "attended", "missed", "declined", "rescheduled", "cancelled")
few = st.integers(0, 5).map(str)
kinds = st.sampled_from(MEETING)
events_data = st.one_of(
    st.fixed_dictionaries(
        {"touchpoint_type": kinds, "outcome": st.sampled_from(OUTCOMES)}, optional={"touchpoint_id": few}
    ).map(lambda data: ("touchpoint.settled", data)),
    st.fixed_dictionaries({}, optional={"touchpoint_type": kinds}).map(
        lambda data: ("interaction.logged", data)
    ),
    st.fixed_dictionaries(
        {
            "delivery_id": st.integers(0, 40).map(str),
            "touchpoint_type": kinds,
            "channel": st.sampled_from(["email", "email", "email", "sms"]),
            "state": st.sampled_from(["sent", "sent", "sent", "failed"]),
            "recipient": st.sampled_from(["contact", "contact", "csm"]).map(lambda kind: {"kind": kind}),
        }
    ).map(lambda data: ("delivery.finished", data)),
    st.fixed_dictionaries(
        {
            "delivery_id": st.integers(0, 40).map(str),
            "kind": st.sampled_from(["opened", "clicked", "replied", "bounced"]),
        }
    ).map(lambda data: ("message.engaged", data)),
    few.map(lambda key: ("request.received", {"request_id": key})),
    few.map(lambda key: ("request.answered", {"request_id": key})),
    st.fixed_dictionaries(
        {"contact_id": few}, optional={"role": st.sampled_from(["champion", "decision_maker", "user"])}
    ).map(lambda data: ("contact.described", data)),
    few.map(lambda key: ("contact.left", {"contact_id": key})),
    st.fixed_dictionaries(
        {"contact_id": few, "frequency": st.sampled_from([None, "weekly", "monthly"])},
        optional={"topic": st.sampled_from(["account", "events"]), "opted_in": st.booleans()},
    ).map(lambda data: ("preference.changed", data)),
    st.sampled_from([None, "go_live", "success"]).map(
        lambda kind: ("milestone.reached", {"milestone": "m", "kind": kind})
    ),
    st.fixed_dictionaries({"contract_id": st.just("c"), "arr": st.integers(0, 3)}).map(
        lambda data: ("contract.changed", data)
    ),
    st.integers(0, 10).map(lambda score: ("nps.answered", {"score": score})),
    st.integers(0, 100).map(lambda score: ("health.scored", {"score": score})),
)


@st.composite
def event_lists(draw: st.DrawFn) -> list[FactEvent]:
    """Events of the last weeks; equal events at one time are one event."""
    by_id: dict[str, FactEvent] = {}
    for kind, data in draw(st.lists(events_data, max_size=60)):
        event = make_event(kind, NOW - draw(st.integers(0, 1_500)) * HOUR, **data)
        by_id[event.provenance.id] = event
    return list(by_id.values())


def state_and_features(events: Sequence[FactEvent]) -> tuple[bytes, object]:
    """The stored bytes, and all features and event features."""
    facts = facts_after(events)
    view = view_account(facts, Portfolio(), NOW)
    entries = [
        (event, list(entries_of(view, event, 0)))
        for event in (
            "touchpoint.settled",
            "mail.judged",
            "contact.described",
            "contact.left",
            "health.scored",
        )
    ]
    return encode(facts, Issued()), (
        view.values,
        view.stamps,
        view.preferred_days,
        sorted(set(view.change_times)),
        entries,
    )


@given(events=event_lists(), data=st.data())
def test_any_order_and_any_repetition_give_the_same_features(
    events: list[FactEvent], data: st.DataObject
) -> None:
    shuffled = data.draw(st.permutations(events + events[: len(events) // 2]))

    assert state_and_features(shuffled) == state_and_features(events)


@settings(max_examples=examples(0.4))
@given(data=st.data())
def test_beyond_the_number_of_kept_entries_the_order_does_not_matter(data: st.DataObject) -> None:
    events: list[FactEvent] = []
    for number in range(70):
        at = NOW - number * 7 * HOUR
        events += [
            make_event("touchpoint.settled", at, touchpoint_id=str(number % 50), touchpoint_type=f"kind_{number}",
                 outcome=OUTCOMES[number % 4]),
            make_event("delivery.finished", at, delivery_id=str(number % 40), touchpoint_type=f"kind_{number}",
                 channel="email", state="sent"),
            make_event("message.engaged", at, delivery_id=str(number % 45), kind="clicked"),
            make_event("request.received", at, request_id=str(number)),
            make_event("contact.described", at, contact_id=str(number % 30), role="champion")
        ]  # fmt: skip

    assert state_and_features(data.draw(st.permutations(events))) == state_and_features(events)


def test_beyond_the_limits_of_contacts_and_contracts_the_order_does_not_matter() -> None:
    events = [
        make_event("contact.described", NOW + n * HOUR, contact_id=str(n % 1_200), name=str(n))
        for n in range(1_300)
    ]
    events += [
        make_event("contract.changed", NOW + n * HOUR, contract_id=str(n % 250), arr=n, status="active")
        for n in range(300)
    ]

    assert encode(facts_after(reversed(events)), Issued()) == encode(facts_after(events), Issued())
    assert len(facts_after(events).contacts) == len(facts_after(events).joined) == 1_000
    assert len(facts_after(events).contracts) == 200


@given(st.lists(st.tuples(kinds, st.sampled_from(OUTCOMES)), max_size=30))
def test_streaks_and_rates_equal_a_plain_count(meetings: list[tuple[str, str]]) -> None:
    events = [
        make_event("touchpoint.settled", NOW - DAY + number * HOUR, touchpoint_type=kind, outcome=outcome)
        for number, (kind, outcome) in enumerate(meetings)
    ]
    counted = [
        outcome in {"attended", "completed"}
        for kind, outcome in meetings
        if kind != "newsletter" and outcome not in {"rescheduled", "cancelled"}
    ]
    streak = next((n for n, came in enumerate(reversed(counted)) if came), len(counted))
    share = sum(counted[-8:]) / 8 if len(counted) >= 8 else None

    values = view_account(facts_after(events), Portfolio(), NOW).values

    assert (values["declines_in_row"], values["attendance_rate"]) == (streak, share)


def values_at(events: Sequence[FactEvent], upto: str, at: timedelta, *names: str) -> dict[str, Plain]:
    """The account's features after the events up to this stamp and none after it."""
    facts = facts_after(event for event in events if stamp_of(event.provenance) <= upto)
    values = view_account(facts, Portfolio(), NOW + at).values
    return {name: values[name] for name in names}


@given(st.lists(st.tuples(kinds, st.sampled_from(OUTCOMES)), max_size=20))
def test_the_features_of_a_settled_touchpoint_are_the_account_s_at_that_time(
    meetings: list[tuple[str, str]],
) -> None:
    events = [
        make_event("touchpoint.settled", NOW - DAY + number * HOUR, touchpoint_type=kind, outcome=outcome)
        for number, (kind, outcome) in enumerate(meetings)
    ]
    facts = facts_after(events)

    for entry in entries_of(view_account(facts, Portfolio(), NOW), "touchpoint.settled", 0):
        past = values_at(events, entry.stamp, timedelta(), "declines_in_row", "attendance_rate")
        assert {name: entry.values[name] for name in past} == past


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=16))
def test_the_features_of_a_counted_mail_are_the_account_s_at_that_time(
    mails: list[tuple[bool, bool]],
) -> None:
    events: list[FactEvent] = []
    for number, (opened, clicked) in enumerate(mails):
        at = NOW - 40 * DAY + number * 20 * HOUR
        key = str(number)
        events.append(make_event("delivery.finished", at, delivery_id=key, channel="email", state="sent"))
        events += [make_event("message.engaged", at, delivery_id=key, kind="opened")] if opened else []
        events += [make_event("message.engaged", at, delivery_id=key, kind="clicked")] if clicked else []
    facts = facts_after(events)

    counted_mails = list(entries_of(view_account(facts, Portfolio(), NOW), "mail.judged", 0))

    assert len(counted_mails) == len(mails)
    for entry in counted_mails:
        at = timedelta(microseconds=entry.at - micros(NOW))
        past = view_account(facts, Portfolio(), NOW + at).values
        assert entry.values == {name: past[name] for name in ("open_rate", "click_rate")}


@given(events=event_lists(), hours=st.integers(0, 2_000))
def test_between_change_times_only_counts_of_days_change(events: list[FactEvent], hours: int) -> None:
    facts = facts_after(events)
    view = view_account(facts, Portfolio(), NOW)
    later = micros(NOW + hours * HOUR)
    if any(view.now < at <= later for at in view.change_times):
        return

    again = view_account(facts, Portfolio(), NOW + hours * HOUR)

    steady = {name: value for name, value in view.values.items() if name not in view.bases}
    assert steady == {name: again.values[name] for name in steady}


@given(st.data())
def test_nothing_settled_or_logged_for_many_moves_the_contact_clock_point_7(data: st.DataObject) -> None:
    for_many = frozenset({"webinar", "tips"})
    moments = st.integers(1, 2_000).map(lambda hours: NOW - hours * HOUR)
    spoken = [
        make_event(
            "touchpoint.settled", at, touchpoint_id=f"c{at}", touchpoint_type="check_in", outcome="attended"
        )
        for at in data.draw(st.lists(moments, max_size=5, unique=True))
    ]
    noise = [
        make_event(
            kind, at, touchpoint_id=f"n{at}", touchpoint_type=name, outcome="completed", channel="in_app"
        )
        for kind, name, at in data.draw(
            st.lists(
                st.tuples(
                    st.sampled_from(("touchpoint.settled", "interaction.logged")),
                    st.sampled_from(sorted(for_many)),
                    moments,
                ),
                max_size=60,
            )
        )
    ]

    def clock(events: Sequence[FactEvent]) -> object:
        view = view_account(
            facts_after(events), Portfolio(), NOW, settings=FeatureSettings(impersonal=for_many)
        )
        return view.values["days_since_touch"]

    assert clock(data.draw(st.permutations([*spoken, *noise]))) == clock(spoken)
