"""Plans as they are received and stored."""

from typing import Any

import orjson
import pytest

from schemas.plans import PlanAdjusted
from schemas.problems import Malformed
from schemas.standing import TouchpointContent
from services.calendar.plan import content_of, latest_of, read_plan, window_end

MOMENT = "2026-03-02T10:00:00Z"
REASON = {"rule": "red", "policy": "p", "facts": [{"name": "score", "value": 30}], "text": "because"}
STEP = "0b1e0c5e-6b3c-5b0a-9a55-1f0b4b8b9a11"


def message(**changed: Any) -> bytes:
    plan = {
        "account_id": "acme",
        "version": 3,
        "policy": "p",
        "rhythms": [
            {
                "touchpoint_type": "check_in",
                "every_days": 7,
                "channel": "call",
                "owner": "pooled_csm",
                "reason": REASON,
                "urgency": "soon",
            }
        ],
        "touchpoints": [
            {
                "id": STEP.upper(),
                "touchpoint_type": "kickoff",
                "window": {"from": MOMENT, "to": "2026-03-01T10:00:00Z"},
                "channel": "meeting",
                "owner": "csm",
                "reason": REASON,
            }
        ],
        "decided_at": MOMENT,
        **changed,
    }
    return orjson.dumps(plan)


def plan() -> PlanAdjusted:
    plan = read_plan(message()).plan
    assert plan is not None
    return plan


def test_a_plan_is_stored_as_it_was_received() -> None:
    command = read_plan(message())

    assert (command.account_id, command.version) == ("acme", 3)
    assert command.document == message().decode()


def test_the_ids_of_one_offs_are_spelled_as_the_database_spells_them() -> None:
    (step,) = plan().touchpoints

    assert step.id == STEP


def test_a_window_that_ends_before_it_begins_is_a_moment() -> None:
    (step,) = plan().touchpoints

    assert window_end(step) == latest_of(step) == step.window.from_


def test_the_content_of_an_item_survives_its_storage() -> None:
    content = content_of(plan().rhythms[0], plan())

    assert content.reason.facts[0].value == 30
    assert TouchpointContent.read(content.write()) == content


@pytest.mark.parametrize(
    "data",
    [
        b"{}",
        b"[]",
        b'{"account_id": 5}',
        message(decided_at="yesterday"),
        message().replace(STEP.upper().encode(), b"step-1"),
        message().replace(b'"value":30', rb'"value":"\u0000"'),
    ],
)
def test_what_is_no_plan_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        read_plan(data)
