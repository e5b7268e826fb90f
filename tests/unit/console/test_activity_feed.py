"""The story tells each change once, puts together what belongs together, and keeps service time."""

from datetime import UTC, datetime, timedelta

from services.console.activity_feed import Delivery, delivery, lines
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
        "owner": "csm",
        "csm_id": "csm-joe",
        "channel": "call",
        "sequence": 1,
        "updated_at": (NOW - ago).isoformat(),
        **more,
    }
    return touchpoints([document])[0]


def told(identity: str, **more: object) -> Delivery:
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
    found = delivery(document, lambda real: real)
    assert found is not None
    return found


def test_the_newest_comes_first() -> None:
    found = lines(
        [changed("a", "due", timedelta(hours=2)), changed("b", "overdue", timedelta(hours=1))], [], NOW
    )
    assert [each.word for each in found] == ["overdue", "came due"]


def test_what_was_planned_together_is_one_line_and_the_far_end_of_the_calendar_is_no_news() -> None:
    at = timedelta(minutes=5)
    near = [
        changed(f"n{day}", "planned", at, due_at=(NOW + timedelta(days=day)).isoformat()) for day in (3, 10)
    ]
    far = changed("f", "planned", at, due_at=(NOW + timedelta(days=300)).isoformat())

    (line,) = lines([*near, far], [], NOW)

    assert line.what == "2 touchpoints"
    assert line.detail == "First: Check in, Thu 26 Nov, 14:30 UTC"


def test_what_a_person_settled_tells_the_outcome_and_the_notes() -> None:
    outcome = {"outcome": "missed", "notes": "Nobody picked up."}
    (line,) = lines([changed("a", "settled", timedelta(), outcome=outcome)], [], NOW)
    assert (line.word, line.tone, line.detail) == ("missed", "bad", "Nobody picked up.")


def test_a_cancelled_one_says_why() -> None:
    (line,) = lines(
        [changed("a", "cancelled", timedelta(), note="withdrawn: the plan has no such rhythm")], [], NOW
    )
    assert line.detail == "withdrawn: the plan has no such rhythm"


def test_messages_about_one_touchpoint_with_one_result_are_one_line() -> None:
    found = lines([], [told("1"), told("2", channel="in_app")], NOW)
    assert [(each.word, each.what, each.detail) for each in found] == [
        ("sent", "Email and in the app to csm-joe", "About: Check in")
    ]


def test_a_message_that_was_not_sent_says_why() -> None:
    found = lines(
        [],
        [told("1", state="suppressed", reason="no CSM is assigned", recipient={"kind": "csm", "id": None})],
        NOW,
    )
    assert [(each.word, each.what, each.detail) for each in found] == [
        ("suppressed", "Email", "About: Check in. no CSM is assigned")
    ]


def test_what_is_not_final_is_dated_by_the_real_clock_and_mapped_to_service_time() -> None:
    document: Json = {"id": "1", "state": "pending", "finished_at": None, "created_at": NOW.isoformat()}
    found = delivery(document, lambda real: real + timedelta(days=100))
    assert found is not None
    assert found.at == NOW + timedelta(days=100)


def test_a_delivery_without_identity_or_time_is_left_out() -> None:
    assert delivery({"id": "1"}, lambda real: real) is None
    assert delivery({"finished_at": NOW.isoformat()}, lambda real: real) is None
