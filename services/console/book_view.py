"""How many accounts people have and what these bring in a year, from the rules engine's books."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from services.console.json_fields import Json, items, number, text
from services.console.people import Person, person_name


@dataclass(frozen=True, slots=True)
class BookRow:
    """A person's accounts. `arr`: `1,250,000`, or `unknown` where that of none is known; `remark`: what it leaves out."""

    name: str
    accounts: str
    arr: str
    remark: str


@dataclass(frozen=True, slots=True)
class BookTable:
    """Everybody's accounts by name, and all of them together; `currency`: of all amounts."""

    currency: str
    rows: tuple[BookRow, ...]
    total: BookRow | None


def book_table(books: Json, people: Mapping[str, Person], shown: Sequence[str]) -> BookTable:
    """`shown`: ids of people who are listed also when no account names them."""
    by_person = {text(book, "csm_id"): book for book in items(books, "items")}
    named = {csm_id: by_person.get(csm_id, {}) for csm_id in (*shown, *by_person)}
    rows = [_row(person_name(csm_id, people), [book]) for csm_id, book in named.items()]
    in_order = tuple(sorted(rows, key=lambda row: row.name.casefold()))
    total = _row("Everybody", list(named.values())) if len(in_order) > 1 else None
    return BookTable(text(books, "currency"), in_order, total)


def _row(name: str, books: Sequence[Json]) -> BookRow:
    accounts = sum(number(book, "accounts") for book in books)
    unknown = sum(number(book, "arr_unknown") for book in books)
    amounts = [arr for book in books if isinstance(arr := book.get("arr"), int | float)]
    if not accounts:
        return BookRow(name, "0", "", "")
    if not amounts:
        return BookRow(name, f"{accounts:,}", "unknown", "")
    remark = f"unknown for {unknown:,} of {accounts:,}" if unknown else ""
    return BookRow(name, f"{accounts:,}", f"{round(sum(amounts)):,}", remark)
