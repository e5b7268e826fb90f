"""Over which channel a contact gets a message: the one that they asked for where it reaches them (S182, S186)."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.directory import ContactRecord, PreferenceRecord
from services.notifier.domain.contact_channel import (
    TEXT_CHANNELS,
    ChosenChannel,
    choose_channel,
    find_problem,
)
from services.notifier.domain.decision import Action, Reason
from services.notifier.domain.delivery_policy import decide_recipients
from services.notifier.domain.people import Account
from services.notifier.domain.situation import Situation
from tests.unit.notifier.events import NOON, due

ANN = ContactRecord(
    contact_id="ann", email="ann@acme.example", role="champion", phone="+49 151 12345678", slack="U01ANN"
)
ACME = Account("acme", "Acme", ("UTC",), (ANN,))
OPEN = Situation(account=ACME, closed={})


def wish(channel: str | None, topic: str | None = "education", **more: object) -> PreferenceRecord:
    fields: dict[str, object] = {
        "contact_id": "ann", "topic": topic, "channel": channel, "source": "crm", "id": f"{topic}",
        "time": datetime(2026, 1, 1, tzinfo=UTC),
    }  # fmt: skip
    return PreferenceRecord.of_valid(**{**fields, **more})


def decided(situation: Situation, channel: str = "email") -> dict[str, tuple[Action, str]]:
    decisions = decide_recipients(due(channel=channel), situation, NOON)
    return {one.channel: (one.decision.action, one.decision.text) for one in decisions}


@pytest.mark.parametrize("channel", ["email", "in_app", "sms", "slack"])
@pytest.mark.parametrize("planned", ["email", "in_app", "sms", "slack"])
def test_the_channel_that_a_contact_asked_for_is_obeyed(channel: str, planned: str) -> None:
    situation = replace(OPEN, preferences=[wish(channel)])

    assert decided(situation, planned) == {channel: (Action.SEND, "ready to send")}


@pytest.mark.parametrize("channel", ["call", "meeting", "webhook", "suggested"])
def test_a_wish_that_is_none_for_messages_changes_nothing(channel: str) -> None:
    assert decided(replace(OPEN, preferences=[wish(channel)])) == {"email": (Action.SEND, "ready to send")}


def test_a_wish_counts_for_its_topic_and_the_newest_counts() -> None:
    other = replace(OPEN, preferences=[wish("sms", "account")])
    newer = wish("slack", None, time=datetime(2026, 1, 2, tzinfo=UTC))

    assert set(decided(other)) == {"email"}
    assert set(decided(replace(OPEN, preferences=[wish("sms"), newer]))) == {"slack"}


@pytest.mark.parametrize(
    ("contact", "closed", "reason"),
    [
        (ANN.model_copy(update={"phone": None}), {}, Reason.NO_NUMBER),
        (ANN.model_copy(update={"phone": "0151 1"}), {}, Reason.NO_NUMBER),
        (ANN, {"sms": "set X"}, Reason.CHANNEL),
    ],
)
def test_where_the_wish_does_not_reach_them_mail_goes_and_the_reason_is_kept(
    contact: ContactRecord, closed: dict[str, str], reason: Reason
) -> None:
    account = Account("acme", contacts=(contact,))
    decisions = decided(Situation(account=account, closed=closed, preferences=[wish("sms")]))

    assert decisions["sms"][0] is Action.SUPPRESS
    assert decisions["sms"][1].startswith(reason)
    assert decisions["email"] == (Action.SEND, "ready to send")


def test_an_opt_out_of_the_channel_leaves_mail_and_one_of_everything_leaves_nothing() -> None:
    no_texts = wish("sms", None, opted_in=False, by_contact=True, id="stop")
    nothing = wish(None, None, opted_in=False, by_contact=True, id="all")

    assert decided(replace(OPEN, preferences=[wish("sms"), no_texts]))["email"][0] is Action.SEND
    only = decided(replace(OPEN, preferences=[wish("sms"), nothing]))
    assert only == {"sms": (Action.SUPPRESS, "the contact opted out: all topics on all channels")}


def test_consent_of_a_number_binds_whoever_has_it() -> None:
    stopped = wish("sms", None, contact_id="number", opted_in=False, by_contact=True)
    problem = find_problem(ANN, "sms", "education", replace(OPEN, consents={"+4915112345678": [stopped]}))

    assert problem is not None
    assert problem.text == "the contact opted out: all topics on sms"


def test_somebody_of_ours_hears_where_neither_the_wish_nor_mail_reaches_anybody() -> None:
    nowhere = ANN.model_copy(update={"phone": None, "email": None})
    situation = Situation(
        account=Account("acme", contacts=(nowhere,)),
        closed={},
        preferences=[wish("sms")],
        fallback_to="ops@vendor.example",
        has_waited=True,
    )

    found = {
        (one.recipient.id, one.channel): one.decision.action
        for one in decide_recipients(due(), situation, NOON)
    }

    assert found["ann", "sms"] is Action.SUPPRESS
    assert found["ann", "email"] in (Action.SUPPRESS, Action.WAIT)


channels = st.sampled_from(("email", "in_app", "sms", "slack"))


@given(
    channels,
    st.none() | channels,
    st.sets(st.sampled_from(sorted(TEXT_CHANNELS))),
    st.booleans(),
    st.booleans(),
)
def test_the_chosen_channel_reaches_the_contact_or_is_mail_or_the_app(
    planned: str,
    wanted: str | None,
    closed: set[str],
    has_phone: bool,  # noqa: FBT001
    has_slack: bool,  # noqa: FBT001
) -> None:
    contact = ANN.model_copy(
        update={"phone": ANN.phone if has_phone else None, "slack": ANN.slack if has_slack else None}
    )
    situation = Situation(
        account=Account("acme", contacts=(contact,)),
        closed=dict.fromkeys(closed, "set X"),
        preferences=[wish(wanted)] if wanted else [],
    )

    chosen = choose_channel(due(channel=planned), contact, situation)

    asked = wanted or planned
    if chosen.channel in TEXT_CHANNELS:
        assert chosen == ChosenChannel(asked)
        assert find_problem(contact, chosen.channel, "education", situation) is None
    assert (chosen.channel == asked) == (chosen.problem is None)
    assert chosen.instead_of == (None if chosen.problem is None else asked)
