"""Contact budgets: no rolling period has more, what waits ends, and the most urgent goes first."""

import os
from datetime import datetime, timedelta
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.contact_budget import (
    ContactBudget,
    ContactLedger,
    CountedContact,
    RoomRequest,
    WaitingMessage,
    find_no_room,
    has_room,
    reserve_room,
)
from tests.unit.notifier.contact_stream import BUDGETS, DAY, START, Stream

EVENTS = 1_000_000 if os.environ.get("DRUMBEAT_SOAK") else 20_000
WEEK = ContactBudget("person-week", "person", 3, 7 * DAY, exempt=frozenset({"welcome"}))
ACCOUNT = ContactBudget("account-week", "account", 2, 7 * DAY)


def request(
    key: str,
    *,
    rank: int = 3,
    account: str = "acme",
    person: str = "ann",
    occasion: str = "",
    kind: str = "tips",
    channel: str = "email",
    due_at: datetime = START,
) -> RoomRequest:
    return RoomRequest(
        key, account, person, occasion or key, channel, frozenset({kind}), (rank, due_at, key), rank == 0
    )


@pytest.mark.timeout(1_800)
def test_a_stream_keeps_every_budget_and_everything_that_waits_ends_f6() -> None:
    """F6: the stream checks each window anew as each message goes, and that no escalation waits."""
    stream = Stream(Random(4711))
    stream.run(EVENTS)

    endless = [message for message in stream.messages if message.ended_at is None]
    assert endless == []
    assert len(stream.messages) == stream.sent + stream.expired
    escalations = [message for message in stream.messages if message.request.never_waits]
    assert all(message.ended_at == message.came_at for message in escalations)
    assert {message.reason for message in stream.messages} <= {
        "sent", *(f"no room in time: {budget}" for budget in BUDGETS),
    }  # fmt: skip
    # It is about something: much waits, much of that is sent, and some is not.
    late = [
        message
        for message in stream.messages
        if message.reason == "sent" and message.ended_at != message.came_at
    ]
    assert len(late) > EVENTS / 50
    assert stream.expired > EVENTS / 50


moments = st.integers(min_value=0, max_value=24 * 30).map(lambda hours: START + timedelta(hours=hours))
contacts = st.lists(
    st.builds(CountedContact, moments, st.sampled_from("abcdefgh"), st.just("email")), max_size=14
)


@given(contacts, moments, st.integers(min_value=1, max_value=5), st.integers(min_value=1, max_value=10))
def test_room_is_there_exactly_where_no_period_is_over_the_budget(
    counted: list[CountedContact], at: datetime, at_most: int, days: int
) -> None:
    """Against every period that begins at an hour: contacts lie on whole hours, so there are no others."""
    budget = ContactBudget("b", "person", at_most, days * DAY)
    hours = (at - timedelta(hours=ahead) for ahead in range(24 * days))
    periods = [
        {one.key for one in counted if begin <= one.at < begin + budget.within} | {"new"} for begin in hours
    ]
    assert has_room(counted, budget, "new", at) == all(len(keys) <= at_most for keys in periods)


@given(contacts, moments)
def test_the_moment_that_is_named_is_the_first_with_room(
    counted: list[CountedContact], now: datetime
) -> None:
    ledger = ContactLedger()
    ledger.of_person["ann"] = counted
    no_room = find_no_room(request("new"), ledger, [WEEK], now)
    if no_room is None:
        assert has_room(counted, WEEK, "new", now)
        return
    assert no_room.budget == WEEK
    assert has_room(counted, WEEK, "new", no_room.until)
    hours = (no_room.until - now) // timedelta(hours=1)
    assert not any(
        has_room(counted, WEEK, "new", now + timedelta(hours=hour)) for hour in range(0, max(hours, 1), 7)
    )


def test_three_in_seven_days_leave_room_when_the_first_is_seven_days_old() -> None:
    ledger = ContactLedger()
    assert reserve_room([request(f"m{n}") for n in range(3)], ledger, [WEEK], START) == {}

    for later in (timedelta(0), 7 * DAY - timedelta(microseconds=1)):
        no_room = find_no_room(request("m3"), ledger, [WEEK], START + later)
        assert no_room is not None
        assert no_room.until == START + 7 * DAY
    assert find_no_room(request("m3"), ledger, [WEEK], START + 7 * DAY) is None


def test_a_planned_call_takes_room_ahead() -> None:
    """A message that would make the week of the call too full waits until after it."""
    ledger = ContactLedger()
    ledger.of_person["ann"] = [CountedContact(START + day * DAY, f"call{day}", "call") for day in (1, 3, 5)]

    no_room = find_no_room(request("m1"), ledger, [WEEK], START)
    assert no_room is not None
    assert no_room.until == START + 8 * DAY

    del ledger.of_person["ann"][1]
    assert find_no_room(request("m1"), ledger, [WEEK], START) is None


def test_a_message_to_several_people_is_one_contact_of_their_account() -> None:
    ledger = ContactLedger()
    one = [request(f"m{person}", person=person, occasion="t1") for person in ("ann", "ben", "cem")]
    assert reserve_room(one, ledger, [ACCOUNT], START) == {}
    assert reserve_room([request("m4", occasion="t2")], ledger, [ACCOUNT], START) == {}
    refused = reserve_room([request("m5", occasion="t3")], ledger, [ACCOUNT], START)
    assert str(refused["m5"].budget) == "account-week, at most 2 in 7 days"


def test_what_is_urgent_goes_first_and_an_escalation_always() -> None:
    ledger = ContactLedger()
    ledger.of_account["acme"] = [CountedContact(START, "call", "call")]
    requests = [request("m1"), request("m2", rank=1), request("m3", rank=0), request("m4", kind="welcome")]
    refused = reserve_room(requests, ledger, [ACCOUNT], START)
    assert set(refused) == {"m1", "m2", "m4"}, (
        "the escalation took the room, and only its budget exempts a welcome"
    )

    ledger.of_person["ann"] = [CountedContact(START, f"c{n}", "call") for n in range(3)]
    assert set(reserve_room(requests, ledger, [WEEK], START)) == {"m1", "m2"}


def test_a_message_yields_to_a_more_urgent_one_that_waits_and_whose_time_has_come() -> None:
    ledger = ContactLedger()
    ledger.of_account["acme"] = [
        CountedContact(START - 7 * DAY, "t0", "email"),
        CountedContact(START, "t1", "email"),
    ]
    urgent = request("m1", rank=1, person="ben")
    ledger.waiting = [WaitingMessage(urgent, START)]

    refused = reserve_room([request("m2")], ledger, [ACCOUNT], START)
    assert set(refused) == {"m2"}
    assert reserve_room([urgent], ledger, [ACCOUNT], START) == {}

    ledger.of_account["acme"].pop()
    ledger.waiting = [WaitingMessage(urgent, START + DAY)]
    assert reserve_room([request("m2")], ledger, [ACCOUNT], START) == {}, "it is not yet its time"


def test_room_that_is_freed_is_left_to_the_most_urgent_whoever_asks_first() -> None:
    """Both waited until a moment to come; from when a call is cancelled they are ready."""
    ledger = ContactLedger()
    ledger.of_account["acme"] = [CountedContact(START, "t1", "email")]
    urgent, other = request("m2", rank=1, person="ben"), request("m1")
    ledger.waiting = [WaitingMessage(urgent, START)]

    no_room = reserve_room([other], ledger, [ACCOUNT], START)["m1"]
    assert no_room.until == START + timedelta(minutes=1), "it asks again when the urgent one was decided on"

    ledger.waiting = []
    assert reserve_room([urgent], ledger, [ACCOUNT], START) == {}
    assert reserve_room([other], ledger, [ACCOUNT], START)["m1"].until == START + 7 * DAY


def test_a_budget_of_one_channel_counts_that_channel() -> None:
    budget = ContactBudget("mail", "person", 1, DAY, channels=frozenset({"email"}))
    ledger = ContactLedger()
    assert reserve_room([request("m1"), request("m2", channel="in_app")], ledger, [budget], START) == {}
    assert set(reserve_room([request("m3")], ledger, [budget], START)) == {"m3"}
