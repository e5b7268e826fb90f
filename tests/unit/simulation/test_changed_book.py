"""A book as it would be with events that were not sent."""

import json
from datetime import UTC, datetime

from services.cadence.account.codec import decode
from services.calendar.assignment import AccountOwners
from services.simulation.book import BookAccount
from services.simulation.changed_book import ChangedBook
from services.simulation.from_events import owners_of

NOW = datetime(2026, 3, 2, 10, tzinfo=UTC)


def event(kind: str, subject: str, **data: object) -> bytes:
    return json.dumps(
        {
            "specversion": "1.0", "id": f"{kind} {subject} {sorted(data)}", "source": "/imports",
            "type": f"drumbeat.{kind}.v1", "subject": subject, "time": NOW.isoformat(), "data": data,
        }
    ).encode()  # fmt: skip


def test_accounts_are_changed_and_added_and_evaluated_at_once() -> None:
    first = ChangedBook([], [], 10)
    first.apply(event("account.described", "acme", name="Acme", csm_id="dana"))
    (made,) = first.accounts
    handed_over = AccountOwners("acme", "eve", None, None)
    known = made._replace(decided=(b"key", None), owners=handed_over)
    book = ChangedBook([known], [], 10)
    book.apply(event("contract.changed", "acme", contract_id="c", renews_on="2026-05-01"))
    book.apply(event("account.described", "zeta", name="Zeta"))
    acme, zeta = book.accounts
    facts = decode("acme", acme.state).facts
    assert (facts.account_values()["name"].value, list(facts.contract_values())) == ("Acme", ["c"])
    assert (acme.decided, acme.owners, zeta.account_id) == (None, handed_over, "zeta")
    book.apply(event("account.described", "acme", csm_id="kim"))
    assert book.accounts[0].owners.csm_id == "kim"
    assert owners_of(facts).csm_id == "dana"


def test_new_accounts_beyond_the_limit_are_counted() -> None:
    book = ChangedBook([BookAccount("acme", b"damaged", AccountOwners("acme", None, None, None))], [], 1)
    book.apply(event("account.described", "acme", name="x"))
    book.apply(event("account.described", "zeta", name="x"))
    assert ([each.state for each in book.accounts], book.left_out) == ([b"damaged"], 1)


def test_people_are_described() -> None:
    book = ChangedBook([], [], 10)
    book.apply(event("csm.described", "dana", weekly_minutes=600, pool="emea", timezone="Europe/Berlin"))
    book.apply(event("csm.described", "dana", weekly_minutes=900, time_off=["2026-03-09"]))
    (dana,) = book.colleagues
    assert (dana.weekly_minutes, dana.pool, str(dana.hours.zone)) == (900, "emea", "Europe/Berlin")
    assert len(dana.days.away) == 1
