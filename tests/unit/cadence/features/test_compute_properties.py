"""Words mean the same however the post arrived, and what an entry says is what the account said then."""

from collections.abc import Sequence
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Plain, micros, stamp_of
from services.cadence.account.codec import encode
from services.cadence.account.issued import Issued
from services.cadence.evaluation.event_entries import entries_of
from services.cadence.features.compute import view_account
from services.cadence.portfolio import Portfolio
from tests.unit.cadence.events import DAY, HOUR, NOW, facts_after, make_event

MEETING = ("check_in", "business_review", "newsletter")
OUTCOMES = ("completed", "attended", "missed", "declined", "rescheduled", "cancelled")
few = st.integers(0, 5).map(str)
kinds = st.sampled_from(MEETING)
told = st.one_of(
    st.fixed_dictionaries(
        {"touchpoint_type": kinds, "outcome": st.sampled_from(OUTCOMES)}, optional={"touchpoint_id": few}
    ).map(lambda what: ("touchpoint.settled", what)),
    st.fixed_dictionaries({}, optional={"touchpoint_type": kinds}).map(
        lambda what: ("interaction.logged", what)
    ),
    st.fixed_dictionaries(
        {
            "delivery_id": st.integers(0, 40).map(str),
            "touchpoint_type": kinds,
            "channel": st.sampled_from(["email", "email", "email", "sms"]),
            "state": st.sampled_from(["sent", "sent", "sent", "failed"]),
            "recipient": st.sampled_from(["contact", "contact", "csm"]).map(lambda kind: {"kind": kind}),
        }
    ).map(lambda what: ("delivery.finished", what)),
    st.fixed_dictionaries(
        {
            "delivery_id": st.integers(0, 40).map(str),
            "kind": st.sampled_from(["opened", "clicked", "replied", "bounced"]),
        }
    ).map(lambda what: ("message.engaged", what)),
    few.map(lambda key: ("request.received", {"request_id": key})),
    few.map(lambda key: ("request.answered", {"request_id": key})),
    st.fixed_dictionaries(
        {"contact_id": few}, optional={"role": st.sampled_from(["champion", "decision_maker", "user"])}
    ).map(lambda what: ("contact.described", what)),
    few.map(lambda key: ("contact.left", {"contact_id": key})),
    st.fixed_dictionaries(
        {"contact_id": few, "frequency": st.sampled_from([None, "weekly", "monthly"])},
        optional={"topic": st.sampled_from(["account", "events"]), "opted_in": st.booleans()},
    ).map(lambda what: ("preference.changed", what)),
    st.sampled_from([None, "go_live", "success"]).map(
        lambda kind: ("milestone.reached", {"milestone": "m", "kind": kind})
    ),
    st.fixed_dictionaries({"contract_id": st.just("c"), "arr": st.integers(0, 3)}).map(
        lambda what: ("contract.changed", what)
    ),
    st.integers(0, 10).map(lambda score: ("nps.answered", {"score": score})),
    st.integers(0, 100).map(lambda score: ("health.scored", {"score": score})),
)


@st.composite
def posts(draw: st.DrawFn) -> list[FactEvent]:
    """Facts of the last weeks; equal facts at one moment are one fact."""
    made: dict[str, FactEvent] = {}
    for kind, what in draw(st.lists(told, max_size=60)):
        event = make_event(kind, NOW - draw(st.integers(0, 1_500)) * HOUR, **what)
        made[event.provenance.id] = event
    return list(made.values())


def everything(events: Sequence[FactEvent]) -> tuple[bytes, object]:
    """The memory to the byte, and all that is seen in it."""
    facts = facts_after(events)
    now = view_account(facts, Portfolio(), NOW)
    entries = [
        (event, list(entries_of(facts, now, event, 0)))
        for event in (
            "touchpoint.settled",
            "mail.judged",
            "contact.described",
            "contact.left",
            "health.scored",
        )
    ]
    return encode(facts, Issued()), (now.values, now.rests, now.wishes, sorted(set(now.turns)), entries)


@given(post=posts(), data=st.data())
def test_any_order_and_any_repetition_mean_the_same(post: list[FactEvent], data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(post + post[: len(post) // 2]))

    assert everything(shuffled) == everything(post)


@settings(max_examples=20)
@given(data=st.data())
def test_beyond_what_is_kept_the_order_still_means_nothing(data: st.DataObject) -> None:
    post: list[FactEvent] = []
    for number in range(70):
        at = NOW - number * 7 * HOUR
        post += [
            make_event("touchpoint.settled", at, touchpoint_id=str(number % 50), touchpoint_type=f"kind_{number}",
                 outcome=OUTCOMES[number % 4]),
            make_event("delivery.finished", at, delivery_id=str(number % 40), touchpoint_type=f"kind_{number}",
                 channel="email", state="sent"),
            make_event("message.engaged", at, delivery_id=str(number % 45), kind="clicked"),
            make_event("request.received", at, request_id=str(number % 60)),
            make_event("contact.described", at, contact_id=str(number % 30), role="champion"),
        ]  # fmt: skip

    assert everything(data.draw(st.permutations(post))) == everything(post)


def test_beyond_the_guards_the_order_still_means_nothing() -> None:
    post = [
        make_event("contact.described", NOW + n * HOUR, contact_id=str(n % 1_200), name=str(n))
        for n in range(1_300)
    ]
    post += [
        make_event("contract.changed", NOW + n * HOUR, contract_id=str(n % 250), arr=n, status="active")
        for n in range(300)
    ]

    assert encode(facts_after(reversed(post)), Issued()) == encode(facts_after(post), Issued())
    assert len(facts_after(post).contacts) == len(facts_after(post).joined) == 1_000
    assert len(facts_after(post).contracts) == 200


@given(st.lists(st.tuples(kinds, st.sampled_from(OUTCOMES)), max_size=30))
def test_streaks_and_shares_are_those_of_a_plain_count(meetings: list[tuple[str, str]]) -> None:
    events = [
        make_event("touchpoint.settled", NOW - DAY + number * HOUR, touchpoint_type=kind, outcome=outcome)
        for number, (kind, outcome) in enumerate(meetings)
    ]
    active_steps = [
        outcome in {"attended", "completed"}
        for kind, outcome in meetings
        if kind != "newsletter" and outcome not in {"rescheduled", "cancelled"}
    ]
    streak = next((n for n, came in enumerate(reversed(active_steps)) if came), len(active_steps))
    share = sum(active_steps[-8:]) / 8 if len(active_steps) >= 8 else None

    values = view_account(facts_after(events), Portfolio(), NOW).values

    assert (values["declines_in_row"], values["attendance_rate"]) == (streak, share)


def then(events: Sequence[FactEvent], upto: str, at: timedelta, *names: str) -> dict[str, Plain]:
    """What the account said once everything up to this mark, and nothing after it, had been heard."""
    facts = facts_after(each for each in events if stamp_of(each.provenance) <= upto)
    values = view_account(facts, Portfolio(), NOW + at).values
    return {name: values[name] for name in names}


@given(st.lists(st.tuples(kinds, st.sampled_from(OUTCOMES)), max_size=20))
def test_what_a_settled_touchpoint_says_is_what_the_account_said_then(
    meetings: list[tuple[str, str]],
) -> None:
    events = [
        make_event("touchpoint.settled", NOW - DAY + number * HOUR, touchpoint_type=kind, outcome=outcome)
        for number, (kind, outcome) in enumerate(meetings)
    ]
    facts = facts_after(events)

    for entry in entries_of(facts, view_account(facts, Portfolio(), NOW), "touchpoint.settled", 0):
        past = then(events, entry.stamp, timedelta(), "declines_in_row", "attendance_rate")
        assert {name: entry.values[name] for name in past} == past


@given(st.lists(st.tuples(st.booleans(), st.booleans()), max_size=16))
def test_what_a_judged_mail_says_is_what_the_account_said_then(mails: list[tuple[bool, bool]]) -> None:
    events: list[FactEvent] = []
    for number, (opened, clicked) in enumerate(mails):
        at = NOW - 40 * DAY + number * 20 * HOUR
        key = str(number)
        events.append(make_event("delivery.finished", at, delivery_id=key, channel="email", state="sent"))
        events += [make_event("message.engaged", at, delivery_id=key, kind="opened")] if opened else []
        events += [make_event("message.engaged", at, delivery_id=key, kind="clicked")] if clicked else []
    facts = facts_after(events)

    judged = list(entries_of(facts, view_account(facts, Portfolio(), NOW), "mail.judged", 0))

    assert len(judged) == len(mails)
    for entry in judged:
        at = timedelta(microseconds=entry.at - micros(NOW))
        past = view_account(facts, Portfolio(), NOW + at).values
        assert entry.values == {name: past[name] for name in ("open_rate", "click_rate")}


@given(post=posts(), hours=st.integers(0, 2_000))
def test_between_two_turns_time_changes_nothing_but_counts_of_days(post: list[FactEvent], hours: int) -> None:
    facts = facts_after(post)
    now = view_account(facts, Portfolio(), NOW)
    later = micros(NOW + hours * HOUR)
    if any(now.now < turn <= later for turn in now.turns):
        return

    again = view_account(facts, Portfolio(), NOW + hours * HOUR)

    steady = {name: value for name, value in now.values.items() if name not in now.bases}
    assert steady == {name: again.values[name] for name in steady}
