"""What the form on a person's page asks of the scheduler."""

from datetime import UTC, timedelta
from zoneinfo import ZoneInfo

import pytest

from schemas.touchpoints import TouchpointData
from services.notifier.application.act_from_mail import ActForm, request_of
from services.notifier.application.calendar import CalendarEntry
from services.notifier.domain.acts import Act
from tests.unit.notifier.owner_claims import MONDAY, claim


def entry() -> CalendarEntry:
    content = claim().event.content
    assert isinstance(content, TouchpointData)
    return CalendarEntry(content)


@pytest.mark.parametrize(("notes", "more"), [("", {}), (" away ", {"reason": "away", "force": True})])
def test_a_reason_lets_a_touchpoint_move_after_its_deadline(notes: str, more: dict[str, object]) -> None:
    """C: without one the scheduler refuses it, and its text is shown."""
    to = (MONDAY + timedelta(days=9)).astimezone(ZoneInfo("Europe/Berlin")).strftime("%Y-%m-%dT%H:%M")
    form = ActForm(Act.MOVE, notes=notes, to=to, version=4)

    path, body = request_of(form, entry(), "carl", ZoneInfo("Europe/Berlin"), "skipped")

    moment = (MONDAY + timedelta(days=9)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert (path, body) == ("reschedule", {"to": moment, "version": 4, "actor_id": "carl", **more})
