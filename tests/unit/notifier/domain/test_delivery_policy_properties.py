"""The delivery policy: opt-outs and quiet hours hold, and every decision has a reason."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.directory import ContactRecord, CsmRecord, PreferenceRecord
from schemas.times import QuietHours, SendWindow, Window
from schemas.touchpoints import TouchpointOwner
from schemas.zones import find_zone, zones_of_country
from services.notifier.domain.contact_rules import ContactRules
from services.notifier.domain.decision import Action, DeliveryDecision, Reason
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.delivery_policy import decide_delivery, decide_recipients
from services.notifier.domain.event import Event
from services.notifier.domain.owner_policy import UNTOLD
from services.notifier.domain.people import Account, Pause
from services.notifier.domain.quiet_hours import after_quiet_hours
from services.notifier.domain.situation import Situation
from tests.unit.notifier.events import NOON, due

ANN = ContactRecord(contact_id="ann", name="Ann", email="ann@acme.example", role="champion")
NOBODY = Recipient(RecipientKind.CONTACT, None)
BEN = ContactRecord(contact_id="ben", name="Ben", email="ben@acme.example", role="admin")
ACME = Account("acme", "Acme", ("UTC",), (ANN, BEN))
CARL = CsmRecord(csm_id="carl", name="Carl", email="carl@vendor.example", version=1)


def decide(
    event: Event, situation: Situation, now: datetime = NOON
) -> dict[tuple[str | None, str], DeliveryDecision]:
    """The decisions by recipient id and channel, no two of them the same."""
    decisions = decide_recipients(event, situation, now)
    by_recipient = {(_name(decided.recipient), decided.channel): decided.decision for decided in decisions}
    assert len(by_recipient) == len(decisions)
    return by_recipient


def _name(recipient: Recipient) -> str | None:
    return "untold" if recipient == UNTOLD else recipient.id


def opt_out(
    contact_id: str = "ann",
    topic: str | None = "education",
    channel: str | None = None,
    time: datetime = NOON,
) -> PreferenceRecord:
    fields = {"contact_id": contact_id, "topic": topic, "channel": channel, "time": time}
    return PreferenceRecord(**fields, opted_in=False, source="crm", id=contact_id)  # pyright: ignore[reportArgumentType]


def test_an_owner_who_is_a_person_gets_an_email_and_an_in_app_message() -> None:
    decisions = decide(due("csm", "call"), Situation(account=ACME, csms={"carl": CARL}))

    assert {key: decision.action for key, decision in decisions.items()} == {
        ("carl", "email"): Action.SEND,
        ("carl", "in_app"): Action.SEND,
    }


def test_work_that_nobody_has_and_nobody_can_be_told_says_what_to_set() -> None:
    event = due("csm", "call", owner=TouchpointOwner(kind="csm"))

    (only,) = decide_recipients(event, Situation(account=ACME), NOON)

    assert only.decision == DeliveryDecision(Action.SUPPRESS, Reason.NOBODY_TO_TELL)
    assert "DRUMBEAT_EMAIL__FALLBACK_TO" in only.decision.text
    assert only.recipient.kind is RecipientKind.MAILBOX


def test_an_unknown_csm_is_waited_for_and_then_the_fallback_mailbox_is_told() -> None:
    """Row 31."""
    event = due("csm", "call")

    early = decide(event, Situation(account=ACME, fallback_to="ops@vendor.example"))
    late = decide(event, Situation(account=ACME, fallback_to="ops@vendor.example", has_waited=True))

    assert early["carl", "email"].action is Action.WAIT
    assert early["carl", "in_app"].action is Action.SEND
    assert late["carl", "email"] == DeliveryDecision(Action.SUPPRESS, Reason.UNKNOWN_CSM)
    assert late["fallback", "email"].action is Action.SEND


def test_automation_writes_to_each_contact_of_the_audience() -> None:
    decisions = decide(due(audience=("champion",)), Situation(account=ACME))

    assert set(decisions) == {("ann", "email")}


def test_without_anyone_in_the_audience_the_first_who_is_there_gets_it() -> None:
    """Row 29."""
    for_nobody = due(audience=("executive_sponsor",))

    everyone_in = decide(for_nobody, Situation(account=ACME))
    ann_out = decide(for_nobody, Situation(account=ACME, preferences=[opt_out("ann")]))

    assert {key: decision.action for key, decision in everyone_in.items()} == {("ann", "email"): Action.SEND}
    assert {key: decision.action for key, decision in ann_out.items()} == {("ben", "email"): Action.SEND}


def test_where_nobody_can_be_written_to_somebody_of_ours_hears_it() -> None:
    """Row 29."""
    situation = Situation(
        account=Account("acme", contacts=(contact("c", None, "user"),)), fallback_to="ops@vendor.example"
    )

    decisions = decide(due(audience=("champion",)), situation)

    assert decisions[None, "email"] == DeliveryDecision(Action.SUPPRESS, Reason.NO_AUDIENCE, "champion")
    assert decisions["fallback", "email"].action is Action.SEND


def test_a_contact_without_an_address_waits_for_it_within_the_window() -> None:
    """Row 28."""
    tomorrow = NOON + timedelta(days=1)
    event = due(window=Window(from_=NOON, to=tomorrow))
    situation = Situation(
        account=Account("acme", contacts=(contact("c", None),)), fallback_to="ops@vendor.example"
    )

    assert decide(event, situation) == {
        ("c", "email"): DeliveryDecision(Action.WAIT, Reason.NO_ADDRESS_YET, send_after=tomorrow)
    }
    late = decide(event, situation, tomorrow)
    assert late["c", "email"] == DeliveryDecision(Action.SUPPRESS, Reason.NO_ADDRESS)
    assert late["fallback", "email"].action is Action.SEND


def test_an_unknown_account_is_waited_for() -> None:
    early = decide(due(), Situation())
    late = decide_recipients(due(), Situation(has_waited=True), NOON)

    assert early[None, "email"].action is Action.WAIT
    assert decide_delivery(due(), NOBODY, "email", Situation(has_waited=True), NOON) == DeliveryDecision(
        Action.SUPPRESS, Reason.UNKNOWN_ACCOUNT
    )
    assert [decided.decision.reason for decided in late] == [Reason.UNKNOWN_ACCOUNT, Reason.NOBODY_TO_TELL]


def test_an_opt_out_of_the_topic_or_the_channel_or_all_suppresses() -> None:
    for topic, channel in (("education", None), (None, None), ("education", "email"), (None, "email")):
        situation = Situation(account=ACME, preferences=[opt_out(topic=topic, channel=channel)])
        decisions = decide(due(), situation)

        assert decisions["ann", "email"].reason is Reason.OPTED_OUT
        assert decisions["ben", "email"].action is Action.SEND


def contact(contact_id: str, email: str | None, role: str | None = None) -> ContactRecord:
    return ContactRecord(contact_id=contact_id, email=email, role=role)  # pyright: ignore[reportArgumentType]


@given(data=st.data())
def test_an_address_gets_one_mail_through_the_contact_with_the_best_role_then_the_first_id(
    data: st.DataObject,
) -> None:
    """Row 7."""
    people = (
        contact("crm-77", " Ann.Lee@example.com ", "admin"),
        contact("app-9", "ann.lee@example.com", "champion"),
        contact("app-8", "ann.lee@EXAMPLE.com", "champion"),
        contact("ben", "ben@example.com"),
        contact("c-1", None),
        contact("c-2", None),
    )
    account = Account("acme", contacts=tuple(data.draw(st.permutations(people))))

    assert set(decide(due(), Situation(account=account))) == {
        ("app-8", "email"),
        ("ben", "email"),
        ("c-1", "email"),
        ("c-2", "email"),
    }
    in_app = decide(due(channel="in_app"), Situation(account=account))
    assert len(in_app) == len(people)  # each id has a feed of its own


def test_an_opt_out_or_a_pause_of_one_record_of_a_person_holds_for_the_other() -> None:
    """Rows 7 and 8."""
    people = (contact("app-9", "ann@x.example", "champion"), contact("crm-77", "Ann@x.example", "user"))
    account = Account("acme", contacts=people)
    paused = Account("acme", contacts=people, pauses=(Pause("crm-77", None, "on leave"),))

    opted_out = decide(due(), Situation(account=account, preferences=[opt_out("crm-77")]))
    on_leave = decide(due(), Situation(account=paused))

    assert opted_out["app-9", "email"].reason is Reason.OPTED_OUT
    assert on_leave["app-9", "email"].reason is Reason.PAUSED


def test_a_refusal_of_the_address_holds_in_another_account() -> None:
    """Row 8."""
    situation = Situation(
        account=Account("b", contacts=(contact("c-b", "Shared@agency.example"),)),
        consents={"shared@agency.example": [opt_out("c-a")]},
    )

    assert decide(due(), situation)["c-b", "email"].reason is Reason.OPTED_OUT


def test_held_customer_mail_expires_with_its_reason_and_other_messages_go() -> None:
    """Row 44."""
    situation = Situation(account=ACME, csms={"carl": CARL}, mail_hold="no public address")

    mail = decide(due(audience=("champion",)), situation)
    in_app = decide(due(channel="in_app", audience=("champion",)), situation)
    csm = decide(due("csm", "call"), situation)

    assert mail == {
        ("ann", "email"): DeliveryDecision(Action.EXPIRE, Reason.MAIL_ON_HOLD, "no public address")
    }
    assert in_app["ann", "in_app"].action is Action.SEND
    assert csm["carl", "email"].action is Action.SEND


def test_an_opt_out_of_another_channel_does_not_matter() -> None:
    situation = Situation(account=ACME, preferences=[opt_out(channel="sms")])

    assert decide(due(), situation)["ann", "email"].action is Action.SEND


@pytest.mark.parametrize(
    ("email", "reason"), [(None, Reason.NO_ADDRESS), ("Bad@acme.example", Reason.UNKNOWN_ADDRESS)]
)
def test_an_address_that_is_missing_or_was_refused_suppresses(email: str | None, reason: Reason) -> None:
    contact = ContactRecord(contact_id="ann", email=email)
    situation = Situation(
        account=Account("acme", contacts=(contact,)), unknown_addresses=frozenset({"bad@acme.example"})
    )

    decided, told = decide_recipients(due(), situation, NOON)
    assert decided.decision == DeliveryDecision(Action.SUPPRESS, reason)
    assert told.decision.reason is Reason.NOBODY_TO_TELL


def test_a_paused_contact_gets_nothing_until_the_pause_ends() -> None:
    paused = Account("acme", contacts=(ANN,), pauses=(Pause("ann", NOON + timedelta(days=1), "on leave"),))

    during = decide(due(), Situation(account=paused))
    afterwards = decide(due(), Situation(account=paused), NOON + timedelta(days=1))

    assert during["ann", "email"] == DeliveryDecision(Action.SUPPRESS, Reason.PAUSED, "on leave")
    assert afterwards["ann", "email"].action is Action.SEND


def test_on_hold_customers_get_nothing_and_csms_do() -> None:
    situation = Situation(live=False, account=ACME, csms={"carl": CARL})

    customer = decide(due(), situation)
    csm = decide(due("csm", "call"), situation)

    assert customer == {(None, "email"): DeliveryDecision(Action.EXPIRE, Reason.ON_HOLD)}
    assert csm["carl", "email"].action is Action.SEND


@pytest.mark.parametrize("channel", ["sms", "slack", "call", "meeting", "webhook"])
def test_what_drumbeat_cannot_send_is_handed_to_a_person(channel: str) -> None:
    """Marketing to marketing; automation to the account's CSM first; without one to the mailbox."""
    mia = CsmRecord(csm_id="mia", email="mia@vendor.example", role="marketing", version=1)
    led = Account("acme", contacts=(ANN,), csm_id="carl")
    situation = Situation(account=led, csms={"carl": CARL, "mia": mia}, fallback_to="ops@vendor.example")
    marketing = due(channel=channel, owner=TouchpointOwner(kind="marketing"))
    nobody = Situation(account=ACME, fallback_to="ops@vendor.example")

    assert set(decide(due(channel=channel), situation)) == {("carl", "email"), ("carl", "in_app")}
    assert set(decide(marketing, situation)) == {("mia", "email"), ("mia", "in_app")}
    assert set(decide(marketing, nobody)) == {("fallback", "email")}


def test_after_the_deadline_or_a_withdrawal_nobody_gets_a_message() -> None:
    for owner in ("csm", "automation"):
        situation = Situation(account=ACME, csms={"carl": CARL})
        late = decide(due(owner, deadline=NOON), situation)
        withdrawn = decide(
            due(owner), Situation(account=ACME, withdrawal_reason="the touchpoint was cancelled")
        )

        assert {decision.action for decision in late.values()} == {Action.EXPIRE}
        assert {decision.text for decision in withdrawn.values()} == {
            "withdrawn: the touchpoint was cancelled"
        }


def test_a_deadline_inside_quiet_hours_is_told_apart_f3() -> None:
    """No mail went out in time because quiet hours lasted past the deadline."""
    night = NOON.replace(hour=23)
    situation = Situation(account=ACME, csms={"carl": CARL})
    reasons = {
        (owner, deadline): {
            one.reason for one in decide(due(owner, deadline=deadline), situation, later).values()
        }
        for owner, deadline, later in (
            ("automation", night, night + timedelta(hours=10)),
            ("automation", NOON, night),
            ("csm", night, night + timedelta(hours=10)),
        )
    }

    assert reasons == {
        ("automation", night): {Reason.QUIET_PAST_DEADLINE},
        ("automation", NOON): {Reason.DEADLINE},
        ("csm", night): {Reason.DEADLINE},
    }


zones = st.sampled_from(
    ("UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia")
)
moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC))  # noqa: DTZ001


@given(now=moments, zone=zones)
def test_customer_mail_goes_out_between_eight_and_eight(now: datetime, zone: str) -> None:
    opening = after_quiet_hours(now, [zone], QuietHours())

    assert opening >= now
    assert opening - now <= timedelta(hours=13)
    assert 8 <= opening.astimezone(ZoneInfo(zone)).hour < 20
    assert after_quiet_hours(opening, [zone], QuietHours()) == opening


def test_the_policy_of_the_touchpoint_says_the_quiet_hours() -> None:
    late = datetime(2026, 1, 5, 20, 30, tzinfo=UTC)
    until_ten = due(quiet_hours=QuietHours(from_="22:00", to="06:00"))
    (usual, *_), (other, *_) = (
        list(decide(event, Situation(account=ACME), late).values()) for event in (due(), until_ten)
    )

    assert usual.send_after == datetime(2026, 1, 6, 8, tzinfo=UTC)
    assert (other.action, other.reason, other.send_after) == (Action.SEND, Reason.READY, None)


WORK = SendWindow(days=("mon", "tue", "wed", "thu", "fri"), from_="08:00", to="18:00")


@given(now=moments, zone=zones)
def test_with_a_send_window_mail_goes_out_in_it_and_outside_quiet_hours(now: datetime, zone: str) -> None:
    opening = after_quiet_hours(now, [zone], QuietHours(), WORK)

    local = opening.astimezone(ZoneInfo(zone))
    assert opening >= now
    assert opening - now <= timedelta(days=3, hours=2)
    assert (local.weekday() < 5, 8 <= local.hour < 18) == (True, True)
    assert after_quiet_hours(opening, [zone], QuietHours(), WORK) == opening


def test_a_send_window_is_a_reason_of_its_own_and_urgent_messages_do_not_wait_for_it() -> None:
    saturday = datetime(2026, 1, 10, 12, tzinfo=UTC)
    rules = ContactRules(send_windows={"tips": WORK})
    usual, urgent = due(deadline=saturday + timedelta(hours=5)), due(precedence="escalation")

    def situation(event: Event) -> Situation:
        return Situation(account=ACME, send_window=rules.window_of(event))

    (waits, *_), (goes, *_) = (
        list(decide(event, situation(event), saturday).values()) for event in (usual, urgent)
    )
    assert (waits.reason, waits.send_after) == (Reason.SEND_WINDOW, datetime(2026, 1, 12, 8, tzinfo=UTC))
    assert goes.send_after is None
    late = decide(usual, situation(usual), saturday + timedelta(hours=6))
    assert {one.reason for one in late.values()} == {Reason.WINDOW_PAST_DEADLINE}


def test_a_send_window_inside_quiet_hours_counts_for_nothing() -> None:
    window = SendWindow(days=("mon",), from_="21:00", to="23:00")
    assert after_quiet_hours(NOON, ["UTC"], QuietHours(), window) == NOON


def test_quiet_hours_after_midnight_leave_the_rest_of_the_day_open() -> None:
    late, quiet = datetime(2026, 1, 5, 0, 30, tzinfo=UTC), QuietHours(from_="01:00", to="06:00")
    assert after_quiet_hours(late, ["UTC"], quiet) == late
    assert after_quiet_hours(late + timedelta(hours=1), ["UTC"], quiet) == datetime(2026, 1, 5, 6, tzinfo=UTC)


@given(zone=st.text(max_size=30), now=moments)
def test_an_unknown_zone_counts_as_utc(zone: str, now: datetime) -> None:
    quiet = QuietHours()

    assert after_quiet_hours(now, [f"no/such/{zone}"], quiet) == after_quiet_hours(now, [], quiet)


@given(now=moments, country=st.sampled_from(("US", "ES", "CN", "AU", "BR", "JP")))
def test_mail_to_a_country_goes_out_while_none_of_its_zones_has_quiet_hours(
    now: datetime, country: str
) -> None:
    """Row 23."""
    places = zones_of_country(country)
    opening = after_quiet_hours(now, places, QuietHours())

    assert now <= opening <= now + timedelta(days=1)
    assert all(8 <= opening.astimezone(find_zone(place)).hour < 20 for place in places)


def test_where_one_zone_is_always_quiet_the_first_alone_counts() -> None:
    """Row 23: a message is late rather than never."""
    night = datetime(2026, 1, 5, 2, tzinfo=UTC)
    apart = ("Europe/Kaliningrad", "Asia/Kamchatka")
    quiet = QuietHours(from_="17:00", to="09:00")
    assert after_quiet_hours(night, apart, quiet) == datetime(2026, 1, 5, 7, tzinfo=UTC)


def test_the_zone_of_a_contact_comes_before_those_of_the_account() -> None:
    """Row 23."""
    at_three_in_tokyo = datetime(2026, 1, 5, 18, tzinfo=UTC)
    account = Account("acme", "Acme", ("Asia/Tokyo",), (ANN, BEN.model_copy(update={"timezone": "UTC"})))
    decisions = decide(due(), Situation(account=account), at_three_in_tokyo)
    assert {key[0]: decision.send_after for key, decision in decisions.items()} == {
        "ann": datetime(2026, 1, 5, 23, tzinfo=UTC),
        "ben": None,
    }


contacts = st.lists(
    st.builds(
        ContactRecord,
        contact_id=st.sampled_from("abcdef"),
        email=st.none() | st.just("someone@acme.example"),
        role=st.sampled_from(("champion", "admin")),
        timezone=st.none() | zones,
        left=st.booleans(),
    ),
    max_size=5,
    unique_by=lambda contact: contact.contact_id,
).map(tuple)
preference_lists = st.lists(
    st.builds(
        PreferenceRecord,
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
    unique_by=lambda preference: (preference.time, preference.id),
)
situations = st.builds(
    Situation,
    live=st.booleans(),
    account=st.none() | st.builds(Account, account_id=st.just("acme"), contacts=contacts),
    preferences=preference_lists,
    has_waited=st.booleans(),
)
events = st.builds(due, st.sampled_from(("automation", "csm")), st.sampled_from(("email", "in_app", "sms")))


@given(event=events, situation=situations, now=moments)
def test_every_event_has_a_decision_and_every_decision_a_reason(
    event: Event, situation: Situation, now: datetime
) -> None:
    decisions = decide(event, situation, now)

    assert decisions
    assert all(decision.text for decision in decisions.values())
    assert situation.live or all(
        decided.recipient.kind is not RecipientKind.CONTACT or decided.decision.action is Action.EXPIRE
        for decided in decide_recipients(event, situation, now)
    )


@given(event=events, situation=situations, data=st.data())
def test_a_contact_whose_latest_preference_is_an_opt_out_of_all_gets_nothing(
    event: Event, situation: Situation, data: st.DataObject
) -> None:
    late = NOON + timedelta(days=1)
    opt_outs = [opt_out(contact_id, None, None, late) for contact_id in "abcdef"]
    preferences = data.draw(st.permutations([*situation.preferences, *opt_outs]))
    opted_out = Situation(account=situation.account, preferences=preferences, has_waited=situation.has_waited)

    for decided in decide_recipients(event, opted_out, NOON):
        assert (
            decided.recipient.kind is not RecipientKind.CONTACT or decided.decision.action is not Action.SEND
        )


@given(event=events, situation=situations, now=moments)
def test_deciding_again_in_the_same_situation_gives_the_same_decision(
    event: Event, situation: Situation, now: datetime
) -> None:
    for decided in decide_recipients(event, situation, now):
        assert decide_delivery(event, decided.recipient, decided.channel, situation, now) == decided.decision
