"""A person's day: grouped by account, the most urgent first, with whom to reach and without what is automatic."""

from datetime import UTC, datetime

from services.console.json_fields import Json
from services.console.my_day_view import last_note, my_day
from services.console.touchpoints import touchpoints

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)
ACME: Json = {
    "id": "acme",
    "color": "red",
    "facts": {"name": {"value": "Acme"}, "arr": {"value": 250_000.0}, "currency": {"value": "EUR"}},
    "contracts": [
        {"contract_id": "c1", "status": "active", "renews_on": "2026-06-01"},
        {"contract_id": "c0", "status": "ended", "renews_on": "2026-03-10"},
    ],
    "contacts": [
        {"contact_id": "u", "name": "Uma", "role": "user", "phone": "+1"},
        {"contact_id": "k", "name": "Kit", "role": "champion", "email": "kit@x.example", "phone": "+2"},
        {"contact_id": "g", "name": "Gone", "role": "champion", "phone": "+3", "left": True},
    ],
}


def item(id_: str, status: str, account_id: str = "acme", **fields: object) -> Json:
    return {
        "id": id_,
        "account_id": account_id,
        "type": "check_in",
        "status": status,
        "due_at": "2026-03-02T09:00:00Z",
        "owner": {"kind": "csm", "csm_id": "csm-joe"},
        "channel": "call",
        "audience": ["champion", "decision_maker"],
        **fields,
    }


TALK = {"at": "2026-02-27T10:00:00Z", "channel": "call", "notes": "They want the export.\nBy March."}
FIGURES: dict[str, Json] = {
    "acme": {"account_id": "acme", "conversation": TALK},
    "quiet": {"account_id": "quiet", "conversation": {**TALK, "notes": None}},
}


def day_of(*documents: Json):
    return my_day(touchpoints(documents), {"acme": ACME}, FIGURES, NOW)


def test_accounts_with_something_to_do_come_first_and_the_most_urgent_item_first() -> None:
    day = day_of(
        item("later", "planned", "quiet", due_at="2026-03-04T09:00:00Z"),
        item("soon", "due", deadline="2026-03-03T09:00:00Z"),
        item("late", "overdue", deadline="2026-03-01T09:00:00Z"),
        item("next", "planned", due_at="2026-03-05T09:00:00Z"),
    )
    assert day.summary == "1 overdue and 1 due"
    assert [[one.touchpoint.id for one in group.items] for group in day.to_do] == [["late", "soon", "next"]]
    assert [group.account.id for group in day.coming] == ["quiet"]


def test_what_drumbeat_sends_by_itself_is_hidden_and_a_call_handed_over_is_not() -> None:
    day = day_of(
        item("mail", "due", owner={"kind": "automation"}, channel="email"),
        item("letter", "due", owner={"kind": "marketing"}, channel="email"),
        item("call", "due", owner={"kind": "marketing"}, channel="call"),
    )
    assert [one.touchpoint.id for group in day.to_do for one in group.items] == ["call"]


def test_whom_to_reach_is_of_the_audience_and_still_there() -> None:
    (group,) = day_of(item("soon", "due")).to_do
    contact = group.items[0].contact
    assert contact is not None
    assert (contact.name, contact.phone) == ("Kit", "+2")


def test_an_account_shows_revenue_and_the_renewal_of_the_contract_that_runs() -> None:
    (group,) = day_of(item("soon", "due")).to_do
    assert (group.account.name, group.account.arr) == ("Acme", "250,000 EUR")
    assert group.account.renewal == "renews Mon 1 Jun (in 91 days)"


def test_an_account_that_cannot_be_read_is_named_by_its_id() -> None:
    (group,) = day_of(item("soon", "due", "unread")).to_do
    assert (group.account.name, group.items[0].contact) == ("unread", None)


def test_an_account_has_the_note_of_the_last_conversation_where_somebody_wrote_one() -> None:
    day = day_of(item("call", "due"), item("other", "due", "quiet"), item("none", "due", "unknown"))

    notes = {group.account.id: group.last_note for group in day.to_do}
    assert notes["acme"] is not None
    assert notes["acme"].text == "They want the export.\nBy March."
    assert notes["acme"].detail == "3 days ago · call"
    assert notes["acme"].beginning == ""
    assert (notes["quiet"], notes["unknown"]) == (None, None)


def test_of_a_long_note_the_beginning_is_shown() -> None:
    note = last_note({"conversation": {**TALK, "notes": "They want it. " * 100}}, NOW)

    assert note is not None
    assert note.beginning.startswith("They want it. They want it.")
    assert len(note.beginning) < 310
