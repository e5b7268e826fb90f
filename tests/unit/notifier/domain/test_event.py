"""Events: touchpoint events and notices are read by their models, and say whether they withdraw messages."""

import orjson
import pytest

from schemas.notices import NOTICE_REQUESTED
from schemas.problems import Malformed
from services.notifier.domain.event import Event, Notice, parse_event
from services.notifier.domain.subscription import Subscription
from tests.unit.notifier.events import NOON, due

NOTICE = {
    "notice_id": "n1",
    "account_id": "acme",
    "kind": "cadence_changed",
    "version": 5,
    "rhythms": [
        {"touchpoint_type": name, "every_days": days, "channel": "call", "owner": "csm"}
        for name, days in (("check_in", 14), ("tips", 7), ("survey", 1), ("value_report", 30))
    ],
    "audience": ["champion"],
    "text": "From now on:",
    "at": "2026-03-02T12:00:00Z",
}


def touchpoint_event(kind: str, status: str) -> Event:
    event_type = f"drumbeat.touchpoint.{kind}.v1"
    return parse_event("e", event_type, NOON, due(status=status).data)


def test_an_event_keeps_its_data_as_received() -> None:
    data = b" " + due().data

    event = parse_event("e", "drumbeat.touchpoint.due.v1", NOON, data)

    assert event.data == data
    assert event.content == due().content
    assert event.notifies_people


def test_a_notice_is_an_email_that_lists_the_rhythms() -> None:
    event = parse_event("n1", NOTICE_REQUESTED, NOON, orjson.dumps(NOTICE))

    assert isinstance(event.content, Notice)
    assert [(rhythm.touchpoint_type, rhythm.every_days) for rhythm in event.content.rhythms] == [
        ("check_in", 14),
        ("tips", 7),
        ("survey", 1),
        ("value_report", 30),
    ]
    assert event.notifies_people
    assert event.withdrawal_reason is None
    assert not Subscription("s1", "https://example.com/hook").wants(event)


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        ("cancelled", "cancelled", "the touchpoint was cancelled"),
        ("moved", "planned", "the touchpoint was moved"),
        ("moved", "due", None),
        ("moved", "settled", "the touchpoint was settled"),
        ("due", "due", None),
        ("scheduled", "planned", None),
    ],
)
def test_an_event_says_why_pending_messages_are_withdrawn(kind: str, status: str, reason: str | None) -> None:
    assert touchpoint_event(kind, status).withdrawal_reason == reason


def test_data_that_its_model_refuses_is_malformed() -> None:
    with pytest.raises(Malformed):
        parse_event("e", "drumbeat.touchpoint.due.v1", NOON, b"{}")
