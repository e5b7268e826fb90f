"""What concerns many accounts: CSMs and programs, stored by the same rule as facts (the latest value of a field wins).

What evaluation may read of it is the portfolio, loaded whole whenever the generation changes.
"""

from datetime import datetime
from typing import cast

import orjson

from schemas.directory import CSM_DIRECTORY
from services.cadence.account import StampedFields, merge_fields, moment, stamp_of
from services.cadence.account.described import changed_names
from services.cadence.account.identity import name_key
from services.cadence.announcements import happens_at
from services.cadence.csms import csm_record, csm_values, json_values, merge_description
from services.cadence.portfolio import Portfolio
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, real_now
from services.chassis.outbox import Outbox, Outgoing
from services.rules_engine.adapters.description_audit import audit_descriptions
from services.rules_engine.adapters.program_repository import read_programs
from services.rules_engine.adapters.rates_file import read_stored_rates
from services.rules_engine.domain.account import ChangedDescription, IncomingEvent

PROGRAM_OF = """
SELECT program_id FROM program WHERE program_id = $1 OR lower(btrim(program_id)) = $1
ORDER BY program_id = $1 DESC LIMIT 1
"""
"""The stored program of a name: one stored before names were compared without case keeps its id."""


class PortfolioRepository:
    """CSMs and programs on a connection whose transaction the chassis holds."""

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self._connection = connection
        self._outbox = outbox

    async def describe_csm(self, incoming: IncomingEvent, real: datetime) -> None:
        """Merge a description of a CSM; publish the whole record when it changed anything, and audit what it changed."""
        event = incoming.event
        csm_id = event.account_id
        await self._connection.execute(
            "INSERT INTO csm (csm_id, state, version) VALUES ($1, '{}', 0) ON CONFLICT DO NOTHING", csm_id
        )
        row = await self._connection.fetchrow(
            "SELECT state, version FROM csm WHERE csm_id = $1 FOR UPDATE", csm_id
        )
        if row is None:
            return
        stored, before = unpack(row[0]), csm_values(unpack(row[0]))
        if not merge_description(stored, event) and row[1] > 0:
            return
        if names := changed_names(before, csm_values(stored)):
            await audit_descriptions(self._connection, [ChangedDescription(incoming, names)])
        version = max(row[1] + 1, int(real.timestamp() * 1000))
        await self._connection.execute(
            "UPDATE csm SET state = $2, version = $3 WHERE csm_id = $1", csm_id, _pack(stored), version
        )
        data = csm_record(csm_id, stored, version).write()
        record_id, time = f"{csm_id}:{version}", event.provenance.time
        record = Outgoing("directory.csms", csm_id, record_id, CSM_DIRECTORY, time, data)
        await self._outbox.append(self._connection, [record])

    async def announce_program(self, incoming: IncomingEvent) -> None:
        """Merge an announcement; when it changed anything, a new generation has all accounts evaluated again."""
        event = incoming.event
        named = name_key(event.fields["program_id"])
        program_id = await self._connection.fetchval(PROGRAM_OF, named) or named
        await self._connection.execute(
            "INSERT INTO program (program_id, state) VALUES ($1, '{}') ON CONFLICT DO NOTHING", program_id
        )
        state = await self._connection.fetchval(
            "SELECT state FROM program WHERE program_id = $1 FOR UPDATE", program_id
        )
        stored = unpack(state)
        changed, _ = merge_fields(stored, stamp_of(event.provenance), json_values(event.fields))
        if changed:
            await self._connection.execute(
                "UPDATE program SET state = $2, at = $3 WHERE program_id = $1",
                program_id,
                _pack(stored),
                moment(happens_at(stored)),
            )
            await self._connection.execute("UPDATE epoch SET number = number + 1")


async def read_portfolio(connection: Connection, clock: ServiceClock) -> Portfolio:
    """Ranks and programs; the caller's transaction makes them and the generation those of one moment."""
    generation = await connection.fetchval("SELECT number FROM epoch")
    book = await connection.fetchrow("SELECT arr_percentiles, rates::text FROM book")
    percentiles, rates = (None, None) if book is None else (book[0], book[1])
    programs = await read_programs(connection, clock.at(await real_now(connection)))
    return Portfolio(generation, tuple(percentiles or ()), programs, read_stored_rates(rates))


def unpack(state: bytes) -> StampedFields:
    """The stored state of a CSM or a program."""
    return cast("StampedFields", orjson.loads(state))


def _pack(stored: StampedFields) -> bytes:
    return orjson.dumps(stored, option=orjson.OPT_SORT_KEYS)
