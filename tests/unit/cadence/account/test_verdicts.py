"""What is stored of a message that was not sent names nobody."""

from datetime import UTC, datetime

import pytest

from services.cadence.account import FactEvent, Provenance
from services.cadence.account.verdicts import Verdicts, apply_verdict, erase_addresses, verdict_on

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def finished(reason: str) -> FactEvent:
    fields = {"state": "failed", "cause": "failed", "channel": "email", "reason": reason, "at": NOON}
    return FactEvent("delivery.finished", "acme", Provenance(NOON, "/notifier", "1", "0" * 16), fields)


@pytest.mark.parametrize(
    ("reason", "stored"),
    [
        ("550 5.1.1 <ann@acme.example>: user unknown", "550 5.1.1 <…>: user unknown"),
        ("30006: +49 151 55512345 cannot be reached", "30006: … cannot be reached"),
        ("gave up after 451 4.7.1 try later", "gave up after 451 4.7.1 try later"),
    ],
)
def test_the_address_that_a_server_repeats_is_not_stored(reason: str, stored: str) -> None:
    """Issue 16, point 5."""
    verdicts: Verdicts = {}
    assert apply_verdict(verdicts, "survey", "t1", finished(reason))
    verdict = verdict_on(verdicts, "survey")
    assert verdict is not None
    assert verdict.reason == stored


def test_what_an_earlier_version_stored_loses_its_addresses() -> None:
    verdicts: Verdicts = {
        "survey": {"stopped": [1, "t1", "failed", "email", "550 <ann@acme.example>"], "sent": [0, "t0"]}
    }
    erase_addresses(verdicts)
    assert verdicts == {"survey": {"stopped": [1, "t1", "failed", "email", "550 <…>"], "sent": [0, "t0"]}}
