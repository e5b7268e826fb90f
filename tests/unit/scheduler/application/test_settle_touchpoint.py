"""Outcomes as they are received."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest

from schemas.envelope import Envelope
from schemas.problems import Malformed
from services.scheduler.application.settle_touchpoint import read_delivery, read_settlement

MOMENT = "2026-03-02T10:00:00Z"
STEP = "0b1e0c5e-6b3c-5b0a-9a55-1f0b4b8b9a11"


def envelope(kind: str, data: dict[str, Any]) -> Envelope:
    return Envelope("e1", "/crm", kind, "acme", datetime(2026, 3, 2, tzinfo=UTC), orjson.dumps(data))


def test_an_outcome_has_the_stamp_of_its_event() -> None:
    settlement = read_settlement(envelope("settled", {"touchpoint_type": "check_in", "outcome": "missed"}))

    assert settlement.outcome.stamp == (datetime(2026, 3, 2, tzinfo=UTC), "/crm", "e1")
    assert settlement.touchpoint_id is None


def test_an_outcome_of_what_is_no_touchpoint_is_refused() -> None:
    data = {"touchpoint_id": "step-1", "touchpoint_type": "check_in", "outcome": "missed"}

    with pytest.raises(Malformed, match="UUID"):
        read_settlement(envelope("settled", data))


@pytest.mark.parametrize(
    ("state", "kind"), [("sent", "completed"), ("failed", "missed"), ("expired", "missed")]
)
def test_a_delivery_proves_contact_or_none(state: str, kind: str) -> None:
    data = {
        "delivery_id": "d", "touchpoint_id": STEP, "channel": "email", "state": state, "at": MOMENT,
        "recipient": {"kind": "contact", "id": "c"},
    }  # fmt: skip

    settlement = read_delivery(envelope("finished", data))

    assert settlement is not None
    assert settlement.outcome.kind == kind


def test_a_message_that_a_platform_took_over_proves_nothing_yet() -> None:
    data = {
        "delivery_id": "d", "touchpoint_id": STEP, "channel": "email", "state": "suppressed", "at": MOMENT,
        "recipient": {"kind": "contact", "id": "c"}, "cause": "handed_off",
    }  # fmt: skip

    assert read_delivery(envelope("finished", data)) is None
