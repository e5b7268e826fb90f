"""The stored states that tables are compared with and written from, and the audit entries of imports and exports."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from typing import Final

from services.cadence.account.codec import UnreadableState
from services.chassis.audit import AuditLog, Change
from services.chassis.database import Database
from services.connectors.tables.kinds import KindName, TableKind
from services.connectors.tables.stored import StoredRow, stored_rows
from services.rules_engine.application.export_table import StoredState

PAGE_ROWS: Final = 500
ACCOUNT_PAGE: Final = """
SELECT account_id, state FROM account
WHERE account_id COLLATE "C" > $1 AND state IS NOT NULL AND merged_into IS NULL
ORDER BY account_id COLLATE "C" LIMIT $2
"""
CSM_PAGE: Final = """
SELECT csm_id, state FROM csm WHERE csm_id COLLATE "C" > $1
ORDER BY csm_id COLLATE "C" LIMIT $2
"""
ACCOUNTS: Final = """
SELECT account_id, state FROM account WHERE account_id = ANY($1) AND state IS NOT NULL AND merged_into IS NULL
"""
CSMS: Final = "SELECT csm_id, state FROM csm WHERE csm_id = ANY($1)"
AUDIT: Final = AuditLog("rules_engine")


class TableRepository:
    """The `StoredRows` and `StoredStates` ports. `wake`: of the relay, which sends the entries of the audit log."""

    def __init__(self, database: Database, wake: Callable[[], None]) -> None:
        self._database, self._wake = database, wake

    async def find(self, kind: TableKind, subjects: Iterable[str]) -> Mapping[tuple[str, str], StoredRow]:
        query = CSMS if kind.name == "csms" else ACCOUNTS
        found = await self._database.pool.fetch(query, sorted(subjects))
        return await asyncio.to_thread(_read_rows, kind, [StoredState(row[0], row[1]) for row in found])

    async def pages(self, kind: TableKind) -> AsyncIterator[Sequence[StoredState]]:
        query = CSM_PAGE if kind.name == "csms" else ACCOUNT_PAGE
        after = ""
        while page := await self._database.pool.fetch(query, after, PAGE_ROWS):
            yield [StoredState(row[0], row[1]) for row in page]
            after = page[-1][0]

    async def record_import(self, kind: KindName, after: Mapping[str, object], entry_id: str) -> None:
        """An entry of the audit log; the same import has the same entry."""
        await self._record(Change("table.imported", f"table/{kind}", None, after, id=entry_id))

    async def record_export(self, kind: KindName) -> None:
        await self._record(Change("table.exported", f"table/{kind}"))

    async def _record(self, change: Change) -> None:
        async with self._database.transaction() as connection:
            await AUDIT.record(connection, [change])
        self._wake()


def _read_rows(kind: TableKind, found: Sequence[StoredState]) -> Mapping[tuple[str, str], StoredRow]:
    rows: dict[tuple[str, str], StoredRow] = {}
    for stored in found:
        try:
            read = stored_rows(kind, stored.subject, stored.state)
        except UnreadableState:
            continue  # what is sent of it is parked with the reason
        rows |= {(row.subject, row.key): row for row in read}
    return rows
