"""How large people's books are: accounts, hours for each account and month, accounts that nobody has met for long."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, Literal

from pydantic import Field

from schemas.base import Id, SchemaModel

WARNED_FROM: Final = 15
"""Accounts of a dedicated CSM from which a book is crowded (requirement X12)."""
STRESSED_FROM: Final = 25
POOLED_WARNED_ABOVE: Final = 80
"""A pooled CSM manages 40 to 80 accounts (requirement S54)."""
HOURS_PER_ACCOUNT: Final = (5, 10)
"""Hours that a dedicated CSM spends on an account in a month (requirement S40)."""
BOOK_SPAN: Final = timedelta(days=91)
"""The planned work of a quarter says how many hours an account takes, and no meeting in a quarter is long."""
MONTHS: Final = 3

Size = Literal["ok", "warned", "stressed"]
Effort = Literal["less", "usual", "more"]
"""The hours of an account, beside what is usual (requirement S40)."""


@dataclass(frozen=True, slots=True)
class StoredBook:
    """The planned work of a person in the next quarter: accounts, minutes, and accounts without a meeting in the last."""

    csm_id: str
    dedicated: int
    pooled: int
    dedicated_minutes: int
    most_minutes: int
    minutes: int
    not_met: int


class BookSize(SchemaModel):
    """The accounts of one person, by the planned work of the next quarter."""

    csm_id: Id
    accounts: int
    dedicated_accounts: Annotated[int, Field(description="those that this person leads as their own CSM")]
    pooled_accounts: int
    size: Annotated[
        Size,
        Field(
            description=f"`warned` from {WARNED_FROM} dedicated accounts or above {POOLED_WARNED_ABOVE} pooled ones, "
            f"`stressed` from {STRESSED_FROM} dedicated ones"
        ),
    ]
    hours_per_account_month: Annotated[
        float | None,
        Field(description="planned hours for each dedicated account and month; 5 to 10 are usual"),
    ]
    effort: Annotated[
        Effort | None,
        Field(description="these hours beside the usual ones; null: the person has no dedicated account"),
    ]
    busiest_account_percent: Annotated[
        int | None, Field(description="the share of the account with the most minutes: the loudest")
    ]
    accounts_not_met: Annotated[
        int,
        Field(description="accounts of the book without a completed meeting or call in the last 13 weeks"),
    ]
    text: str


def describe_book(book: StoredBook) -> BookSize:
    """How large a book is, and what to do about one that is too large (requirement S160)."""
    hours = None
    if book.dedicated:
        hours = round(book.dedicated_minutes / book.dedicated / MONTHS / 60, 1)
    size = _find_size(book)
    return BookSize(
        csm_id=book.csm_id,
        accounts=book.dedicated + book.pooled,
        dedicated_accounts=book.dedicated,
        pooled_accounts=book.pooled,
        size=size,
        hours_per_account_month=hours,
        effort=_find_effort(hours),
        busiest_account_percent=round(100 * book.most_minutes / book.minutes) if book.minutes else None,
        accounts_not_met=book.not_met,
        text="; ".join(_list_remarks(book, size, hours)),
    )


def _find_size(book: StoredBook) -> Size:
    if book.dedicated >= STRESSED_FROM:
        return "stressed"
    if book.dedicated >= WARNED_FROM or book.pooled > POOLED_WARNED_ABOVE:
        return "warned"
    return "ok"


def _find_effort(hours: float | None) -> Effort | None:
    if hours is None:
        return None
    low, high = HOURS_PER_ACCOUNT
    return "less" if hours < low else "more" if hours > high else "usual"


def _list_remarks(book: StoredBook, size: Size, hours: float | None) -> list[str]:
    remarks = [f"{book.dedicated} dedicated and {book.pooled} pooled accounts"]
    if size != "ok":
        limit = WARNED_FROM if book.dedicated >= WARNED_FROM else POOLED_WARNED_ABOVE
        remarks.append(f"a book is crowded from {limit}: move accounts to another segment or add a person")
    effort = _find_effort(hours)
    if effort in ("less", "more"):
        low, high = HOURS_PER_ACCOUNT
        remarks.append(f"{hours:g} hours for each account and month, {effort} than {low} to {high}")
    accounts = book.dedicated + book.pooled
    if accounts and book.not_met * 2 >= accounts:
        remarks.append(f"{book.not_met} of {accounts} accounts had no meeting in the last 13 weeks")
    return remarks
