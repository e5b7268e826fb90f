"""The sample book is made of valid events about believable accounts, none of them in the future."""

import json
from datetime import UTC, datetime

from schemas.envelope import from_structured
from schemas.events import parse_data
from services.devstack.sample.history import book

NOW = datetime(2026, 7, 14, 9, 30, tzinfo=UTC)


def test_every_event_is_valid_and_says_nothing_unknown() -> None:
    for event in book(NOW):
        envelope = from_structured(json.dumps(event).encode())
        assert not parse_data(envelope.type, envelope.data).model_extra
        assert envelope.time <= NOW


def test_identities_are_unique_and_the_same_each_time() -> None:
    ids = [event["id"] for event in book(NOW)]
    assert len(set(ids)) == len(ids)
    assert ids == [event["id"] for event in book(NOW)]


def test_the_book_holds_the_stories_a_newcomer_should_see() -> None:
    data = {(str(e["subject"]), str(e["type"]).split(".")[1]): e["data"] for e in book(NOW)}
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
