"""The sample data consists of valid events about plausible accounts, none of them in the future."""

import json
from datetime import UTC, datetime

from schemas.envelope import from_structured
from schemas.events import read_data
from services.console.sample.history import sample_events

NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)


def test_every_event_is_valid_and_has_no_unknown_field() -> None:
    for event in sample_events(NOW):
        envelope = from_structured(json.dumps(event).encode())
        assert not read_data(envelope.type, envelope.data).message.model_extra
        assert envelope.time <= NOW


def test_ids_are_unique_and_the_same_every_time() -> None:
    ids = [event["id"] for event in sample_events(NOW)]
    assert len(set(ids)) == len(ids)
    assert ids == [event["id"] for event in sample_events(NOW)]


def test_the_sample_has_twelve_accounts_with_their_contracts_and_health() -> None:
    data = {
        (str(event["subject"]), str(event["type"]).split(".")[1]): event["data"]
        for event in sample_events(NOW)
    }
    accounts = {subject for subject, kind in data if kind == "account"}
    assert len(accounts) == 12
    assert {"score": 31} in [value for (_, kind), value in data.items() if kind == "health"]
    assert data["northwind", "contract"] == {
        "contract_id": "northwind-contract",
        "status": "active",
        "starts_on": "2025-09-11",
        "renews_on": "2026-09-11",
        "arr": 420_000,
        "auto_renew": False,
    }
