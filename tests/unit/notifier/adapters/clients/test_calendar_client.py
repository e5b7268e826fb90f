"""The notifier reads a touchpoint as the scheduler lists it."""

from datetime import UTC, datetime
from typing import Any, get_args

import orjson
import pytest

from schemas.plans import Reason
from schemas.standing import TouchpointContent
from schemas.times import Window
from schemas.touchpoints import TouchpointOwner
from schemas.vocabulary import Owner
from services.calendar.touchpoint import (
    Origin,
    RecordedOutcome,
    Status,
    Touchpoint,
)
from services.notifier.adapters.clients.calendar_client import read_entry
from services.notifier.application.calendar import CalendarAway
from services.scheduler.application.read_touchpoints import Person, TouchpointEntry
from services.scheduler.entrypoints.http_models import show_touchpoint

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)


def listed(**more: Any) -> dict[str, Any]:
    """An item of the scheduler's lists, as JSON."""
    content = TouchpointContent(
        channel="call",
        purpose="Hear how it goes",
        topic="account",
        audience=("champion",),
        reason=Reason(rule="r", policy="p", text="every two weeks"),
    )
    fields: dict[str, Any] = {
        "id": "t1",
        "account_id": "acme",
        "type": "check_in",
        "origin": Origin.RHYTHM,
        "due_at": NOON,
        "start_at": NOON,
        "end_at": NOON,
        "deadline": None,
        "owner": "csm",
        "csm_id": "carl",
        "minutes": 30,
        "content": content,
        **more,
    }
    entry = TouchpointEntry(Touchpoint(**fields), content, NOON, 1)
    return orjson.loads(orjson.dumps(show_touchpoint(entry, {"carl": Person("Carl Ode", "carl@us.example")})))


@pytest.mark.parametrize("kind", get_args(Owner))
def test_every_field_that_a_mail_needs_is_read(kind: Owner) -> None:
    entry = read_entry(listed(owner=kind))

    assert (entry.data.touchpoint_id, entry.data.touchpoint_type) == ("t1", "check_in")
    assert entry.data.owner == TouchpointOwner(
        kind=kind, csm_id="carl", name="Carl Ode", email="carl@us.example"
    )
    assert entry.data.window == Window(from_=NOON, to=NOON)
    assert entry.data.reason.text == "every two weeks"
    assert entry.outcome is None


def test_an_outcome_is_read() -> None:
    outcome = RecordedOutcome("missed", NOON, "/test", "o1", None)

    entry = read_entry(listed(status=Status.SETTLED, outcome=outcome))

    assert (entry.data.status, entry.outcome) == ("settled", "missed")


def test_the_owner_of_the_contract_is_read() -> None:
    row = {**listed(), "owner": {"kind": "csm", "csm_id": "dora", "name": "Dora", "email": None}}

    assert read_entry(row).data.owner.csm_id == "dora"


def test_an_answer_of_another_form_is_none() -> None:
    with pytest.raises(CalendarAway, match="form that is not known"):
        read_entry({"id": "t1"})
