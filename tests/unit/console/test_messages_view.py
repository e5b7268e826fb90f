"""Messages name people and accounts, say how many went in one mail, and what can be sent again."""

from datetime import UTC, datetime, timedelta

from services.console.json_fields import Json
from services.console.messages_view import message_rows
from services.console.people import people

ACCOUNTS: dict[str, Json] = {
    "acme": {"facts": {"name": {"value": "Acme"}}, "contacts": [{"contact_id": "k", "name": "Kit"}]}
}
TEAM = people([{"csm_id": "csm-kim", "name": "Kim"}])
REAL = datetime(2026, 11, 29, tzinfo=UTC)


def rows(*documents: Json):
    return message_rows(documents, ACCOUNTS, TEAM, lambda at: at - timedelta(days=270))


def delivery(id_: str, **fields: object) -> Json:
    return {
        "id": id_,
        "account_id": "acme",
        "touchpoint_type": "check_in",
        "channel": "email",
        "recipient": {"kind": "csm", "id": "csm-kim"},
        "state": "sent",
        "message_id": id_,
        "created_at": REAL.isoformat(),
        "attempts": [{"at": REAL.isoformat(), "outcome": "delivered", "detail": "250 ok"}],
        **fields,
    }


def test_names_stand_for_ids() -> None:
    recipients = [
        {"kind": "csm", "id": "csm-kim"},
        {"kind": "csm", "id": "csm-typo"},
        {"kind": "contact", "id": "k"},
        {"kind": "contact", "id": None},
        {"kind": "mailbox", "id": "fallback"},
        {"kind": "subscription", "id": "0123456789abcdef"},
    ]
    found = rows(*(delivery(str(number), recipient=one) for number, one in enumerate(recipients)))
    assert [row.recipient for row in found] == [
        "Kim",
        "csm-typo",
        "Kit",
        "no contact",
        "the fallback mailbox",
        "subscription 01234567…",
    ]
    assert {row.account for row in found} == {"Acme"}


def test_deliveries_of_one_mail_say_how_many_it_carries() -> None:
    found = rows(delivery("a", message_id="m"), delivery("b", message_id="m"), delivery("c"))
    assert [row.shared for row in found] == [2, 2, 1]


def test_only_mail_that_is_finished_can_be_sent_again() -> None:
    found = rows(delivery("a"), delivery("b", state="pending"), delivery("c", channel="in_app"))
    assert [row.may_resend for row in found] == [True, False, False]


def test_attempts_are_shown_in_service_time() -> None:
    (row,) = rows(delivery("a"))
    assert row.attempts[0].at == REAL - timedelta(days=270)
