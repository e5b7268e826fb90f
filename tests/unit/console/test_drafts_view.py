"""Drafts name people and accounts, and the navigation says how many wait."""

import pytest

from services.console.drafts_view import draft_fields, draft_recipients, draft_rows, pending_label
from services.console.json_fields import Json

ACCOUNTS: dict[str, Json] = {
    "acme": {"facts": {"name": {"value": "Acme"}}, "contacts": [{"contact_id": "k", "name": "Kit"}]}
}
DRAFT: Json = {
    "id": "d1",
    "touchpoint_type": "value_report",
    "account_id": "acme",
    "contact_ids": ["k", "gone"],
    "approver": "Kim",
    "state": "pending",
    "reason": None,
    "version": 3,
    "subject": "Your report",
    "approve_until": "2026-03-04T12:00:00Z",
}


def test_names_stand_for_ids() -> None:
    (row,) = draft_rows([DRAFT, {"state": "pending"}], ACCOUNTS)
    assert (row.account, row.recipients, row.approver) == ("Acme", "Kit, gone", "Kim")
    assert (row.title, row.subject, row.version, row.is_open) == ("Value report", "Your report", 3, True)
    (unknown,) = draft_rows([{**DRAFT, "state": "expired", "account_id": "b", "version": None}], {})
    assert (unknown.account, unknown.version, unknown.is_open) == ("b", 0, False)


def test_the_message_of_each_recipient_names_the_contact() -> None:
    document: Json = {
        "draft": DRAFT,
        "recipients": [
            {"contact_id": "k", "name": "Kit", "text": "Hi", "html": "<p>Hi</p>", "subject": "S"},
            {"contact_id": "l", "name": None, "address": "l@x.example"},
        ],
    }
    assert [one.name for one in draft_recipients(document)] == ["Kit", "l@x.example"]
    assert draft_fields(document) == DRAFT
    assert (draft_fields({}), draft_recipients({})) == ({}, [])


@pytest.mark.parametrize(
    ("document", "label"),
    [({"pending": 3}, "Drafts (3)"), ({"pending": 0}, "Drafts"), ({}, "Drafts"), (None, "Drafts")],
)
def test_the_page_says_how_many_wait(document: Json | None, label: str) -> None:
    assert pending_label("Drafts", document) == label
