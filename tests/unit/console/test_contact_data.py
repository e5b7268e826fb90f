"""What all services store of a contact as one document."""

from datetime import UTC, datetime

from services.console.contact_data import account_ids, contact_document, data_path
from services.console.json_fields import Json

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def test_the_accounts_are_those_of_the_engine_and_that_of_the_notifier_once_each() -> None:
    engine: Json = {"accounts": [{"account_id": "acme"}, {"account_id": "globex"}]}
    assert account_ids(engine, {"contact": {"account_id": "acme"}}) == ["acme", "globex"]
    assert account_ids(None, {"contact": {"account_id": "acme"}}) == ["acme"]
    assert account_ids(None, {"contact": None}) == []


def test_a_service_that_stores_nothing_is_null_and_nothing_at_all_is_no_document() -> None:
    document = contact_document("ann", NOON, {"rules_engine": {"accounts": []}, "notifier": None})
    assert document is not None
    assert document["exported_at"] == "2026-03-02T12:00:00Z"
    assert document["services"] == {"rules_engine": {"accounts": []}, "scheduler": None, "notifier": None}
    assert contact_document("ann", NOON, {"rules_engine": None, "notifier": None}) is None


def test_an_id_with_a_slash_is_one_part_of_the_path() -> None:
    assert data_path("crm/ann") == "/v1/contacts/crm%2Fann/data"
