"""From the published language to the domain's."""

from datetime import UTC, datetime, time
from typing import Any

import orjson
import pytest

from schemas.envelope import Envelope
from schemas.problems import Malformed
from services.scheduler.domain.touchpoint import Owner
from services.scheduler.entrypoints.letters import csm_of, delivery_of, plan_of, settlement_of

MOMENT = "2026-03-02T10:00:00Z"
REASON = {"rule": "red", "policy": "p", "facts": [{"name": "score", "value": 30}], "text": "because"}
STEP = "0b1e0c5e-6b3c-5b0a-9a55-1f0b4b8b9a11"


def letter(**changed: Any) -> bytes:
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


def test_a_plan_keeps_what_the_calendar_needs() -> None:
    plan = plan_of(letter())

    (rhythm,), (step,) = plan.rhythms, plan.one_offs
    assert (rhythm.owner, rhythm.urgent, rhythm.every_days) == (Owner.POOLED_CSM, True, 7)
    assert orjson.loads(rhythm.face.reason)["facts"][0]["value"] == 30
    assert step.id == STEP
    assert step.end == step.start  # a window that ends before it begins is a moment


@pytest.mark.parametrize("data", [b"{}", b"[]", b'{"account_id": 5}', letter(decided_at="yesterday")])
def test_what_is_no_plan_is_refused(data: bytes) -> None:
    with pytest.raises(Malformed):
        plan_of(data)


def envelope(kind: str, data: dict[str, Any]) -> Envelope:
    return Envelope("e1", "/crm", kind, "acme", datetime(2026, 3, 2, tzinfo=UTC), orjson.dumps(data))


def test_an_outcome_is_stamped_by_its_event() -> None:
    news = settlement_of(envelope("settled", {"touchpoint_type": "check_in", "outcome": "missed"}))

    assert news.outcome.stamp == (datetime(2026, 3, 2, tzinfo=UTC), "/crm", "e1")
    assert news.touchpoint_id is None


@pytest.mark.parametrize(
    ("state", "kind"), [("sent", "completed"), ("failed", "missed"), ("expired", "missed")]
)
def test_a_delivery_proves_contact_or_none(state: str, kind: str) -> None:
    data = {
        "delivery_id": "d", "touchpoint_id": STEP, "channel": "email", "state": state, "at": MOMENT,
        "recipient": {"kind": "contact", "id": "c"},
    }  # fmt: skip

    news = delivery_of(envelope("finished", data))

    assert news is not None
    assert news.outcome.kind == kind


def test_a_csms_words_become_hours() -> None:
    record = {
        "csm_id": "ada", "version": 1, "working_days": ["tue", "mon"], "working_hours": {"from": "08:00", "to": "24:00"},
    }  # fmt: skip

    entry = csm_of(orjson.dumps(record))

    assert entry.days == [0, 1]
    assert (entry.start, entry.end) == (time(8), time.max)
