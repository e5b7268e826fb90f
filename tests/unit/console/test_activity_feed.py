"""The feed shows each change once, groups what belongs together, and keeps service time."""

from datetime import UTC, datetime, timedelta

from services.console.activity_feed import Delivery, activities, delivery
from services.console.json_fields import Json
from services.console.touchpoints import Touchpoint, touchpoints

NOW = datetime(2026, 11, 23, 14, 30, tzinfo=UTC)


def changed(identity: str, status: str, ago: timedelta, **more: object) -> Touchpoint:
    document: Json = {
        "id": identity,
        "account_id": "halcyon",
        "type": "check_in",
        "status": status,
        "due_at": NOW.isoformat(),
        "owner": {"kind": "csm", "csm_id": "csm-joe"},
        "channel": "call",
        "sequence": 1,
        "updated_at": (NOW - ago).isoformat(),
        **more,
    }
    return touchpoints([document])[0]


def sent(identity: str, **more: object) -> Delivery:
    document: Json = {
        "id": identity,
        "touchpoint_id": "t",
        "touchpoint_type": "check_in",
        "account_id": "halcyon",
        "channel": "email",
        "recipient": {"kind": "csm", "id": "csm-joe"},
        "state": "sent",
        "finished_at": NOW.isoformat(),
        **more,
    }
    item = delivery(document, lambda real: real)
    assert item is not None
    return item


def test_the_newest_entry_comes_first() -> None:
    entries = activities(
        [changed("a", "due", timedelta(hours=2)), changed("b", "overdue", timedelta(hours=1))], [], NOW
    )
    assert [entry.word for entry in entries] == ["overdue", "came due"]


def test_touchpoints_planned_together_are_one_entry_and_those_far_ahead_are_left_out() -> None:
    at = timedelta(minutes=5)
    near = [
        changed(f"n{day}", "planned", at, due_at=(NOW + timedelta(days=day)).isoformat()) for day in (3, 10)
    ]
    far = changed("f", "planned", at, due_at=(NOW + timedelta(days=300)).isoformat())

    (entry,) = activities([*near, far], [], NOW)

    assert entry.what == "2 touchpoints"
    assert entry.detail == "First: Check in, Thu 26 Nov, 14:30 UTC"


def test_a_touchpoint_that_a_person_settled_shows_the_outcome_and_the_notes() -> None:
    outcome = {"outcome": "missed", "notes": "Nobody picked up."}
    (entry,) = activities([changed("a", "settled", timedelta(), outcome=outcome)], [], NOW)
    assert (entry.word, entry.tone, entry.detail) == ("missed", "bad", "Nobody picked up.")


def test_a_cancelled_touchpoint_shows_why() -> None:
    (entry,) = activities(
        [changed("a", "cancelled", timedelta(), note="withdrawn: the plan has no such rhythm")], [], NOW
    )
    assert entry.detail == "withdrawn: the plan has no such rhythm"


def test_messages_about_one_touchpoint_with_one_result_are_one_entry() -> None:
    entries = activities([], [sent("1"), sent("2", channel="in_app")], NOW)
    assert [(entry.word, entry.what, entry.detail) for entry in entries] == [
        ("sent", "Email and in-app to csm-joe", "About: Check in")
    ]


def test_the_invitations_of_an_account_with_one_result_are_one_entry() -> None:
    """They go half a year ahead, by the dozen."""
    invitations = [sent(f"{number}", touchpoint_id=f"t{number}", channel="calendar") for number in range(26)]
    other = sent("x", touchpoint_id="t0", channel="calendar", account_id="acme")

    entries = activities([], [*invitations, other, sent("m", touchpoint_id="t1")], NOW)

    assert sorted((entry.account_id, entry.what, entry.detail) for entry in entries) == [
        ("acme", "Invitation to csm-joe", "About: Check in"),
        ("halcyon", "Email to csm-joe", "About: Check in"),
        ("halcyon", "Invitation to csm-joe", "About: 26 touchpoints"),
    ]


def test_a_message_that_was_not_sent_shows_why() -> None:
    entries = activities(
        [],
        [sent("1", state="suppressed", reason="no CSM is assigned", recipient={"kind": "csm", "id": None})],
        NOW,
    )
    assert [(entry.word, entry.what, entry.detail) for entry in entries] == [
        ("suppressed", "Email", "About: Check in. No CSM is assigned")
    ]


def test_an_unfinished_delivery_is_dated_by_the_real_clock_and_mapped_to_service_time() -> None:
    document: Json = {"id": "1", "state": "pending", "finished_at": None, "created_at": NOW.isoformat()}
    item = delivery(document, lambda real: real + timedelta(days=100))
    assert item is not None
    assert item.at == NOW + timedelta(days=100)


def test_a_delivery_without_an_id_or_a_time_is_left_out() -> None:
    assert delivery({"id": "1"}, lambda real: real) is None
    assert delivery({"finished_at": NOW.isoformat()}, lambda real: real) is None
