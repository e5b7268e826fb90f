"""Verdicts: no order, no repetition and no room."""

from collections.abc import Sequence

from hypothesis import given
from hypothesis import strategies as st

from services.cadence.account import FactEvent, Facts
from services.cadence.account.codec import decode, encode
from services.cadence.account.verdicts import verdict_on
from tests.unit.cadence.events import HOUR, NOW, issued, make_event

CAUSES = ("quiet_hours", "channel", "no_recipient", "withdrawn", None, "of another version")


@st.composite
def deliveries(draw: st.DrawFn) -> FactEvent:
    hour, cause = draw(st.integers(0, 20)), draw(st.sampled_from(CAUSES))
    return make_event(
        "delivery.finished",
        NOW + hour * HOUR,
        "/drumbeat/notifier",
        delivery_id=str(draw(st.integers(0, 99))),
        touchpoint_id=f"t{hour // 4}",
        touchpoint_type=draw(st.sampled_from(("tips", "newsletter"))),
        channel=draw(st.sampled_from(("email", "sms"))),
        recipient={"kind": draw(st.sampled_from(("contact", "csm", "subscription"))), "id": "x"},
        state="sent" if cause is None else draw(st.sampled_from(("suppressed", "expired"))),
        cause=cause,
        reason=draw(st.sampled_from((None, "r" * 900))),
        at=NOW + hour * HOUR,
    )


@given(st.lists(deliveries(), max_size=12), st.data())
def test_any_order_and_repetition_of_deliveries_gives_one_state_f3(
    events: Sequence[FactEvent], data: st.DataObject
) -> None:
    again = data.draw(st.permutations([*events, *events[:3]]))
    state = encode(Facts("acme"), issued(events))

    assert encode(Facts("acme"), issued(again)) == state
    assert decode("acme", state).issued.verdicts == issued(events).verdicts
    assert len(state) < 2_000


@given(st.lists(deliveries(), max_size=12))
def test_a_verdict_is_of_the_newest_message_to_people_that_was_not_sent_f3(
    events: Sequence[FactEvent],
) -> None:
    verdicts = issued(events).verdicts
    for kind in ("tips", "newsletter"):
        own = [each.fields for each in events if each.fields["touchpoint_type"] == kind]
        own = [each for each in own if each["recipient"] != {"kind": "subscription", "id": "x"}]
        own = [each for each in own if each["state"] == "sent" or each["cause"] in CAUSES[:4]]
        newest = max((str(each["at"]) for each in own), default="")
        last = [each for each in own if str(each["at"]) == newest]
        found = verdict_on(verdicts, kind)
        if any(each["state"] == "sent" for each in last) or not own:
            assert found is None
        elif not any(each["state"] == "sent" for each in own):
            assert found is not None
            assert found.cause in {each["cause"] for each in last}


def test_that_a_mailbox_of_ours_was_told_does_not_hide_that_nobody_was_reached() -> None:
    """Row 29."""
    events = [
        make_event(
            "delivery.finished",
            NOW + hour * HOUR,
            "/drumbeat/notifier",
            delivery_id=kind,
            touchpoint_id="t1",
            touchpoint_type="tips",
            channel="email",
            recipient={"kind": kind, "id": "x"},
            state=state,
            cause=cause,
            reason="the account has no contact in the audience",
            at=NOW + hour * HOUR,
        )
        for hour, (kind, state, cause) in enumerate(
            [("contact", "suppressed", "no_recipient"), ("mailbox", "sent", None)]
        )
    ]

    found = verdict_on(issued(events).verdicts, "tips")

    assert found is not None
    assert found.cause == "no_recipient"
