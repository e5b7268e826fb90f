"""Write what is known as a table, page by page."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

from services.cadence.account.codec import UnreadableState
from services.connectors.tables.kinds import TableKind
from services.connectors.tables.stored import StoredRow, stored_rows, write_header, write_rows


class StoredState(NamedTuple):
    """The stored state of an account, or of a CSM."""

    subject: str
    state: bytes


class StoredStates(Protocol):
    def pages(self, kind: TableKind) -> AsyncIterator[Sequence[StoredState]]:
        """All accounts, or all CSMs, in the order of their ids."""
        ...


Run = Callable[[Callable[[], str]], Awaitable[str]]
"""Runs the function where and when that keeps nobody waiting."""


async def export_table(kind: TableKind, states: StoredStates, run: Run) -> AsyncIterator[str]:
    """The text of the table in pieces. An account whose state is damaged has a row with its id alone."""
    yield write_header(kind)
    async for page in states.pages(kind):
        yield await run(partial(_write_page, kind, page))


def _write_page(kind: TableKind, page: Sequence[StoredState]) -> str:
    return write_rows(kind, [row for stored in page for row in _rows(kind, stored)])


def _rows(kind: TableKind, stored: StoredState) -> list[StoredRow]:
    try:
        return stored_rows(kind, stored.subject, stored.state)
    except UnreadableState:
        return [StoredRow(stored.subject, stored.subject if kind.subject == kind.key else "", {})]
