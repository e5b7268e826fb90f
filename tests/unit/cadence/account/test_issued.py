"""What the scheduler reports of touchpoints: what counts for cool-downs and what does not."""

from services.cadence.account import FactEvent
from services.cadence.account.issued import Issued, apply_issued
from tests.unit.cadence.events import NOW, make_event


def due(rule: str) -> FactEvent:
    return make_event(
        "touchpoint.due",
        NOW,
        "/drumbeat/scheduler",
        touchpoint_id="t1",
        touchpoint_type="escalation",
        due_at=NOW,
        sequence=2,
        reason={"rule": rule, "policy": "", "facts": (), "text": "No day is left."},
        occurrence=None,
    )


def test_an_escalation_of_the_calendar_does_not_hold_back_one_of_the_policy() -> None:
    by_hand, by_calendar = Issued(), Issued()

    assert apply_issued(by_hand, due("by_hand"))
    assert not apply_issued(by_calendar, due("calendar_gap"))
    assert len(by_hand.times_of(["escalation"])) == 1
    assert by_calendar.times_of(["escalation"]) == []
