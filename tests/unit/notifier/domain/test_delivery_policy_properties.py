"""Nobody who opted out is told, nobody is told in quiet hours, and somebody always hears a reason."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifier.domain.consent import Preference
from services.notifier.domain.delivery import RecipientKind
from services.notifier.domain.delivery_policy import (
    Action,
    Reason,
    Situation,
    Telling,
    Verdict,
    after_quiet_hours,
    judge,
    tell,
)
from services.notifier.domain.event import Announcement, Owner
from services.notifier.domain.people import Account, Contact, Pause, Person

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)
ANN = Contact("ann", "acme", "Ann", "ann@acme.example", "champion")
BEN = Contact("ben", "acme", "Ben", "ben@acme.example", "admin")
ACME = Account("acme", "Acme", "UTC", (ANN, BEN))
CARL = Person("carl", "Carl", "carl@vendor.example")


def due(kind: str = "automation", channel: str = "email", **more: object) -> Announcement:
    fields: dict[str, object] = {
        "event_id": "t1:1:due",
        "kind": "due",
        "time": NOON,
        "touchpoint_id": "t1",
        "account_id": "acme",
        "touchpoint_type": "tips",
        "status": "due",
        "sequence": 1,
        "owner": Owner(kind, "carl" if kind == "csm" else None, None),
        "channel": channel,
        "data": b"{}",
        "topic": "education",
    }
    return Announcement(**{**fields, **more})  # pyright: ignore[reportArgumentType]


def told(tellings: tuple[Telling, ...]) -> dict[tuple[str | None, str], Verdict]:
    return {(each.recipient.id, each.channel): each.verdict for each in tellings}


def opt_out(contact: str = "ann", topic: str | None = "education", channel: str | None = None) -> Preference:
    return Preference(
        contact, topic, channel, opted_in=False, frequency=None, time=NOON, source="crm", id="1"
    )


def test_a_person_who_owns_it_hears_by_mail_and_in_app() -> None:
    verdicts = told(tell(due("csm", "call"), Situation(account=ACME, people={"carl": CARL}), NOON))

    assert {key: each.action for key, each in verdicts.items()} == {
        ("carl", "email"): Action.SEND,
        ("carl", "in_app"): Action.SEND,
    }


def test_without_a_csm_it_is_suppressed_with_that_reason() -> None:
    heard = due("csm", "call", owner=Owner("csm", None, None))

    (only,) = tell(heard, Situation(account=ACME), NOON)

    assert only.verdict == Verdict(Action.SUPPRESS, Reason.NO_CSM)
    assert only.recipient.kind is RecipientKind.CSM


def test_a_csm_nobody_described_yet_is_waited_for_and_then_given_up() -> None:
    heard = due("csm", "call")

    early = told(tell(heard, Situation(account=ACME), NOON))
    late = told(tell(heard, Situation(account=ACME, waited=True), NOON))

    assert early["carl", "email"].action is Action.HOLD
    assert early["carl", "in_app"].action is Action.SEND
    assert late["carl", "email"] == Verdict(Action.SUPPRESS, Reason.UNKNOWN_CSM)


def test_automation_tells_each_contact_of_the_audience() -> None:
    verdicts = told(tell(due(audience=("champion",)), Situation(account=ACME), NOON))

    assert set(verdicts) == {("ann", "email")}


def test_nobody_of_the_audience_is_one_suppressed_delivery() -> None:
    (only,) = tell(due(audience=("executive_sponsor",)), Situation(account=ACME), NOON)

    assert only.recipient.id is None
    assert only.verdict.action is Action.SUPPRESS
    assert only.verdict.reason is Reason.NO_AUDIENCE


def test_an_account_the_directory_does_not_know_yet_is_waited_for() -> None:
    (early,) = tell(due(), Situation(), NOON)
    (late,) = tell(due(), Situation(waited=True), NOON)

    assert early.verdict.action is Action.HOLD
    assert late.verdict == Verdict(Action.SUPPRESS, Reason.UNKNOWN_ACCOUNT)


def test_an_opt_out_of_the_topic_or_the_channel_or_all_suppresses() -> None:
    for topic, channel in (("education", None), (None, None), ("education", "email"), (None, "email")):
        world = Situation(account=ACME, preferences=[opt_out(topic=topic, channel=channel)])
        verdicts = told(tell(due(), world, NOON))

        assert verdicts["ann", "email"].reason is Reason.OPTED_OUT
        assert verdicts["ben", "email"].action is Action.SEND


def test_an_opt_out_of_another_channel_does_not_matter() -> None:
    world = Situation(account=ACME, preferences=[opt_out(channel="sms")])

    assert told(tell(due(), world, NOON))["ann", "email"].action is Action.SEND


@pytest.mark.parametrize(
    ("contact", "reason"),
    [
        (Contact("ann", "acme", email=None), Reason.NO_ADDRESS),
        (Contact("ann", "acme", email="Bad@acme.example"), Reason.REFUSED_ADDRESS),
    ],
)
def test_an_address_that_is_missing_or_was_refused_suppresses(contact: Contact, reason: Reason) -> None:
    world = Situation(
        account=Account("acme", contacts=(contact,)), refused_addresses=frozenset({"bad@acme.example"})
    )

    (only,) = tell(due(), world, NOON)

    assert only.verdict == Verdict(Action.SUPPRESS, reason)


def test_a_paused_contact_is_left_alone_until_the_pause_ends() -> None:
    paused = Account("acme", contacts=(ANN,), pauses=(Pause("ann", NOON + timedelta(days=1), "on leave"),))

    (now,) = tell(due(), Situation(account=paused), NOON)
    (then,) = tell(due(), Situation(account=paused), NOON + timedelta(days=1))

    assert now.verdict == Verdict(Action.SUPPRESS, Reason.PAUSED, "on leave")
    assert then.verdict.action is Action.SEND


def test_while_held_customers_hear_nothing_and_csms_do() -> None:
    world = Situation(live=False, account=ACME, people={"carl": CARL})

    (customer,) = tell(due(), world, NOON)
    person = told(tell(due("csm", "call"), world, NOON))

    assert customer.verdict == Verdict(Action.EXPIRE, Reason.HELD_MODE)
    assert person["carl", "email"].action is Action.SEND


@pytest.mark.parametrize("channel", ["sms", "slack", "call", "meeting", "webhook"])
def test_a_channel_that_is_not_there_is_a_verdict(channel: str) -> None:
    (only,) = tell(due(channel=channel), Situation(account=ACME), NOON)

    assert only.verdict == Verdict(Action.SUPPRESS, Reason.CHANNEL, channel)


def test_past_its_deadline_or_called_off_nobody_is_told() -> None:
    for owner in ("csm", "automation"):
        world = Situation(account=ACME, people={"carl": CARL})
        late = tell(due(owner, deadline=NOON), world, NOON)
        off = tell(due(owner), Situation(account=ACME, withdrawn="the touchpoint was cancelled"), NOON)

        assert {each.verdict.action for each in late} == {Action.EXPIRE}
        assert {each.verdict.reason for each in off} == {Reason.WITHDRAWN}


zones = st.sampled_from(
    ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(now=moments, zone=zones)
def test_customer_mail_goes_out_between_eight_and_eight(now: datetime, zone: str) -> None:
    opening = after_quiet_hours(now, zone)

    assert opening >= now
    assert opening - now <= timedelta(hours=13)
    assert 8 <= opening.astimezone(ZoneInfo(zone)).hour < 20
    assert after_quiet_hours(opening, zone) == opening


@given(zone=st.text(max_size=30), now=moments)
def test_a_zone_nobody_knows_counts_as_utc(zone: str, now: datetime) -> None:
    assert after_quiet_hours(now, f"no/such/{zone}") == after_quiet_hours(now, None)


contacts = st.lists(
    st.builds(
        Contact,
        contact_id=st.sampled_from("abcdef"),
        account_id=st.just("acme"),
        email=st.none() | st.just("someone@acme.example"),
        role=st.sampled_from(("champion", "admin")),
        timezone=st.none() | zones,
        left=st.booleans(),
    ),
    max_size=5,
    unique_by=lambda each: each.contact_id,
).map(tuple)
words = st.lists(
    st.builds(
        Preference,
        contact_id=st.sampled_from("abcdef"),
        topic=st.sampled_from((None, "education", "promotion")),
        channel=st.sampled_from((None, "email", "in_app")),
        opted_in=st.booleans(),
        frequency=st.none(),
        time=st.integers(0, 3).map(lambda hours: NOON + timedelta(hours=hours)),
        source=st.just("crm"),
        id=st.integers(0, 99).map(str),
    ),
    max_size=8,
    unique_by=lambda each: (each.time, each.id),
)
worlds = st.builds(
    Situation,
    live=st.booleans(),
    account=st.none() | st.builds(Account, account_id=st.just("acme"), contacts=contacts),
    preferences=words,
    waited=st.booleans(),
)
dues = st.builds(due, st.sampled_from(("automation", "csm")), st.sampled_from(("email", "in_app", "sms")))


@given(heard=dues, world=worlds, now=moments)
def test_somebody_is_always_named_once_and_every_verdict_has_a_reason(
    heard: Announcement, world: Situation, now: datetime
) -> None:
    tellings = tell(heard, world, now)

    assert tellings
    assert len(told(tellings)) == len(tellings)
    assert all(each.verdict.text for each in tellings)
    assert world.live or all(
        each.recipient.kind is RecipientKind.CSM or each.verdict.action is Action.EXPIRE for each in tellings
    )


@given(heard=dues, world=worlds, data=st.data())
def test_who_opted_out_of_all_last_is_never_sent_anything(
    heard: Announcement, world: Situation, data: st.DataObject
) -> None:
    late = NOON + timedelta(days=1)
    gone = [
        Preference(contact, None, None, opted_in=False, frequency=None, time=late, source="x", id=contact)
        for contact in "abcdef"
    ]
    order = data.draw(st.permutations([*world.preferences, *gone]))
    silent = Situation(account=world.account, preferences=order, waited=world.waited)

    for each in tell(heard, silent, NOON):
        assert each.recipient.kind is RecipientKind.CSM or each.verdict.action is not Action.SEND


@given(heard=dues, world=worlds, now=moments)
def test_judging_again_in_the_same_situation_says_the_same(
    heard: Announcement, world: Situation, now: datetime
) -> None:
    for each in tell(heard, world, now):
        assert judge(heard, each.recipient, each.channel, world, now) == each.verdict
