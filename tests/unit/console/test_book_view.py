"""Accounts and revenue of people: what is not known is said, never counted as nothing."""

from services.console.book_view import BookRow, book_table
from services.console.people import people

PEOPLE = people([{"csm_id": "ada", "name": "Ada Lind"}, {"csm_id": "zoe", "name": "Zoë Ode"}])


def book(csm_id: str, accounts: int, arr: float | None, unknown: int = 0) -> dict[str, object]:
    return {"csm_id": csm_id, "accounts": accounts, "arr": arr, "arr_unknown": unknown}


def test_everybody_has_their_accounts_and_revenue_by_name_with_a_total() -> None:
    books: dict[str, object] = {
        "currency": "EUR",
        "items": [book("zoe", 1_200, 1_250_000.4, 3), book("ada", 2, None, 2), book("eve", 1, 0.0)],
    }

    table = book_table(books, PEOPLE, ["ada", "new"])

    assert table.currency == "EUR"
    assert table.rows == (
        BookRow("Ada Lind", "2", "unknown", ""),
        BookRow("eve", "1", "0", ""),
        BookRow("new", "0", "", ""),
        BookRow("Zoë Ode", "1,200", "1,250,000", "unknown for 3 of 1,200"),
    )
    assert table.total == BookRow("Everybody", "1,203", "1,250,000", "unknown for 5 of 1,203")


def test_one_person_alone_needs_no_total() -> None:
    assert book_table({"items": [book("ada", 1, 5.0)]}, PEOPLE, ["ada"]).total is None
    assert book_table({}, PEOPLE, []).rows == ()
