"""Handing a book over: who takes which accounts, what it does to their weeks, and whether it is still as it was read.

The accounts go to one person, or are shared out over a pool so that the year's work is level (`share_out`). Touchpoints
keep their times as far as the new person works then.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Final

from services.calendar.levelling import BLOCK_WEEKS, AccountLoad, Host, share_out
from services.calendar.open_hours import OpenHours, is_open_at

WEEKS: Final = 52
"""The year over which the work is level."""


@dataclass(frozen=True, slots=True)
class BookTouch:
    """An open touchpoint of the person. `is_planned`: it has not come due."""

    id: str
    sequence: int
    due_at: datetime
    minutes: int
    is_planned: bool


@dataclass(frozen=True, slots=True)
class BookAccount:
    """An account of the person. `is_named`: the directory names the person; `known_to`: who of the others has met it."""

    account_id: str
    pool: str | None
    is_named: bool
    touches: tuple[BookTouch, ...] = ()
    known_to: str | None = None

    def count_minutes(self, start: datetime) -> list[int]:
        """Minutes in each of the weeks from `start`; what is due already counts in the first."""
        weeks = [0] * WEEKS
        for touch in self.touches:
            week = max((touch.due_at - start).days // 7, 0)
            if week < WEEKS:
                weeks[week] += touch.minutes
        return weeks


@dataclass(frozen=True, slots=True)
class Colleague:
    """Somebody who may take accounts: planned and available minutes in each week, hours, accounts."""

    csm_id: str
    pool: str | None
    planned: Sequence[int]
    available: Sequence[int]
    hours: OpenHours
    accounts: int = 0

    def works_at(self, moment: datetime) -> bool:
        """Whether the moment is in their hours."""
        return is_open_at(moment, self.hours)


@dataclass(frozen=True, slots=True)
class Book:
    """The book that is handed over. `start`: the Monday from which weeks count."""

    csm_id: str
    pool: str | None
    start: datetime
    accounts: Sequence[BookAccount]
    colleagues: Mapping[str, Colleague]


@dataclass(frozen=True, slots=True)
class AccountHandover:
    """Who takes an account; None: nobody may. `moved_touches`: those that `to` does not work at."""

    account_id: str
    to: str | None
    minutes: int
    touches: int
    moved_touches: int
    is_named: bool


@dataclass(frozen=True, slots=True)
class PersonLoad:
    """The year of a person before and after. Percent: of their available minutes, of the year and of the worst week."""

    csm_id: str
    accounts_before: int
    accounts_after: int
    minutes_before: int
    minutes_after: int
    percent_before: int
    percent_after: int
    peak_percent_before: int
    peak_percent_after: int


@dataclass(frozen=True, slots=True)
class HandoverPlan:
    """`version`: that of the book and of the choice; whoever applies a plan that is no longer so is refused."""

    version: str
    accounts: tuple[AccountHandover, ...]
    load: tuple[PersonLoad, ...] = field(default=())


def plan_handover(book: Book, to: str | None) -> HandoverPlan:
    """All accounts of the book to one person, else to whom each fits best."""
    chosen = choose_takers(book) if to is None else {account.account_id: to for account in book.accounts}
    accounts = tuple(
        _hand_over(account, book.colleagues.get(chosen.get(account.account_id, "")))
        for account in book.accounts
    )
    return HandoverPlan(hash_book(book, chosen), accounts, tuple(_list_loads(book, chosen)))


def choose_takers(book: Book) -> dict[str, str]:
    """By account the colleague of its pool to whom it fits best; left out: those that nobody may take."""
    hosts = [
        Host(each.csm_id, _by_block(each.planned), _by_block(each.available))
        for each in book.colleagues.values()
        if each.csm_id != book.csm_id
    ]
    loads: list[AccountLoad] = []
    for account in book.accounts:
        pool = account.pool or book.pool
        allowed = tuple(
            each.csm_id
            for each in book.colleagues.values()
            if each.pool == pool and each.csm_id != book.csm_id
        )
        if allowed:
            minutes = _by_block(account.count_minutes(book.start))
            loads.append(AccountLoad(account.account_id, minutes, allowed, account.known_to))
    return share_out(loads, hosts) if loads else {}


def hash_book(book: Book, chosen: Mapping[str, str]) -> str:
    """The same while the accounts, their touchpoints and who takes them are the same."""
    digest = blake2b(digest_size=16)
    for account in sorted(book.accounts, key=lambda account: account.account_id):
        touches = sorted((touch.id, touch.sequence) for touch in account.touches)
        digest.update(repr((account.account_id, chosen.get(account.account_id), touches)).encode())
    return digest.hexdigest()


def _hand_over(account: BookAccount, colleague: Colleague | None) -> AccountHandover:
    moved = 0
    if colleague is not None:
        moved = sum(touch.is_planned and not colleague.works_at(touch.due_at) for touch in account.touches)
    return AccountHandover(
        account.account_id,
        None if colleague is None else colleague.csm_id,
        sum(touch.minutes for touch in account.touches),
        len(account.touches),
        moved,
        account.is_named,
    )


def _list_loads(book: Book, chosen: Mapping[str, str]) -> Iterable[PersonLoad]:
    """Of the person whose book it is, and of those who take something."""
    changes: dict[str, list[int]] = {}
    accounts: dict[str, int] = {}
    for account in book.accounts:
        taker = chosen.get(account.account_id)
        if taker is None:
            continue
        minutes = account.count_minutes(book.start)
        for person, sign in ((book.csm_id, -1), (taker, 1)):
            change = changes.setdefault(person, [0] * WEEKS)
            changes[person] = [
                sum(pair) for pair in zip(change, (sign * each for each in minutes), strict=True)
            ]
            accounts[person] = accounts.get(person, 0) + sign
    for person in sorted(changes, key=lambda person: (person != book.csm_id, person)):
        colleague = book.colleagues.get(person)
        if colleague is not None:
            yield _measure_load(colleague, changes[person], accounts[person])


def _measure_load(colleague: Colleague, change: Sequence[int], accounts: int) -> PersonLoad:
    after = [max(sum(pair), 0) for pair in zip(colleague.planned, change, strict=True)]
    return PersonLoad(
        colleague.csm_id,
        colleague.accounts,
        max(colleague.accounts + accounts, 0),
        sum(colleague.planned),
        sum(after),
        _percent(sum(colleague.planned), sum(colleague.available)),
        _percent(sum(after), sum(colleague.available)),
        _find_peak(colleague.planned, colleague.available),
        _find_peak(after, colleague.available),
    )


def _percent(minutes: int, available: int) -> int:
    return round(100 * minutes / available) if available else 0


def _find_peak(planned: Sequence[int], available: Sequence[int]) -> int:
    return max((_percent(*pair) for pair in zip(planned, available, strict=True)), default=0)


def _by_block(weeks: Sequence[int]) -> tuple[int, ...]:
    return tuple(sum(weeks[first : first + BLOCK_WEEKS]) for first in range(0, len(weeks), BLOCK_WEEKS))
