"""What concerns many accounts: CSMs and programs as told, kept by the same law as facts (the latest word wins).

What `decide` may know of it is the book, read whole whenever the epoch moved.
"""

from datetime import datetime
from typing import Final, cast

import orjson

from services.cadence.account import Fields, StampedFields, merge_fields, moment, stamp_of
from services.cadence.announcements import happens_at
from services.cadence.portfolio import Portfolio
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, real_now
from services.chassis.outbox import Outbox, Outgoing
from services.rules_engine.adapters.program_repository import read_programs
from services.rules_engine.domain.account import IncomingEvent

CSM_DIRECTORY = "drumbeat.csm.directory.v1"
TOLD_OF_A_CSM: Final = (
    "name",
    "email",
    "timezone",
    "weekly_minutes",
    "working_days",
    "working_hours",
    "time_off",
    "pool",
)


class PortfolioRepository:
    """CSMs and programs on a connection whose transaction the chassis holds."""

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self._connection = connection
        self._outbox = outbox

    async def csm_described(self, told: IncomingEvent, real: datetime) -> None:
        """Fold what was said of a CSM; when it changed anything, publish the whole record."""
        csm_id = told.event.account_id
        said: Fields = {
            name: orjson.dumps(value, default=str).decode()
            for name, value in told.event.fields.items()
            if name in TOLD_OF_A_CSM
        }
        await self._connection.execute(
            "INSERT INTO csm (csm_id, state, version) VALUES ($1, '{}', 0) ON CONFLICT DO NOTHING", csm_id
        )
        row = await self._connection.fetchrow(
            "SELECT state, version FROM csm WHERE csm_id = $1 FOR UPDATE", csm_id
        )
        if row is None:
            return
        held = _held(row[0])
        changed, _ = merge_fields(held, stamp_of(told.event.provenance), said)
        if not changed and row[1] > 0:
            return
        version = max(row[1] + 1, int(real.timestamp() * 1000))
        await self._connection.execute(
            "UPDATE csm SET state = $2, version = $3 WHERE csm_id = $1", csm_id, _packed(held), version
        )
        await self._outbox.append(
            self._connection,
            [
                Outgoing(
                    topic="directory.csms",
                    key=csm_id,
                    id=f"{csm_id}:{version}",
                    type=CSM_DIRECTORY,
                    time=told.event.provenance.time,
                    data=csm_record(csm_id, held, version),
                )
            ],
        )

    async def program_announced(self, told: IncomingEvent) -> None:
        """Keep a program; what changes the book raises the epoch, and the sweep decides everybody again."""
        program_id = str(told.event.fields["program_id"])
        said: Fields = {
            name: orjson.dumps(value, default=str).decode() for name, value in told.event.fields.items()
        }
        await self._connection.execute(
            "INSERT INTO program (program_id, state) VALUES ($1, '{}') ON CONFLICT DO NOTHING", program_id
        )
        state = await self._connection.fetchval(
            "SELECT state FROM program WHERE program_id = $1 FOR UPDATE", program_id
        )
        held = _held(state)
        changed, _ = merge_fields(held, stamp_of(told.event.provenance), said)
        if changed:
            await self._connection.execute(
                "UPDATE program SET state = $2, at = $3 WHERE program_id = $1",
                program_id,
                _packed(held),
                moment(happens_at(held)),
            )
            await self._connection.execute("UPDATE epoch SET number = number + 1")


async def read_portfolio(connection: Connection, clock: ServiceClock) -> Portfolio:
    """Ranks and programs; the caller's transaction makes them and the epoch of one moment."""
    number = await connection.fetchval("SELECT number FROM epoch")
    cut_offs = await connection.fetchval("SELECT arr_percentiles FROM book")
    programs = await read_programs(connection, clock.at(await real_now(connection)))
    return Portfolio(number, tuple(cut_offs or ()), programs)


def csm_record(csm_id: str, held: StampedFields, version: int) -> bytes:
    """The data of `drumbeat.csm.directory.v1`."""
    known = {name: orjson.loads(str(value)) for fields in held.values() for name, value in fields.items()}
    record = {name: known.get(name) for name in TOLD_OF_A_CSM}
    record["time_off"] = record["time_off"] or []
    return orjson.dumps({"csm_id": csm_id, **record, "version": version})


def _held(state: bytes) -> StampedFields:
    return cast("StampedFields", orjson.loads(state))


def _packed(held: StampedFields) -> bytes:
    return orjson.dumps(held, option=orjson.OPT_SORT_KEYS)
