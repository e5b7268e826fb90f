"""Erasure of a CSM: the record disappears, and a tombstone has the other services erase theirs."""

from schemas.directory import CSM_DIRECTORY
from schemas.topics import PERSONAL_OF_CSMS
from services.cadence.csms import csm_values
from services.chassis.audit import AuditLog, Change
from services.chassis.clock import ServiceClock
from services.chassis.database import Database, real_now
from services.chassis.outbox import Outbox, Outgoing
from services.chassis.relay import Relay
from services.rules_engine.adapters.account_repository import erasure_key
from services.rules_engine.adapters.erasure_repository import erase_letters, receipt, remember
from services.rules_engine.adapters.portfolio_repository import unpack
from services.rules_engine.application.queries import NotFound

DELETE = "DELETE FROM csm WHERE csm_id = $1 RETURNING state"
AUDIT = AuditLog("rules_engine")
_KIND = "\0csm"  # no account has a NUL in its id


class CsmErasureRepository:
    """The `CsmErasures` port; each call is one transaction."""

    def __init__(self, database: Database, outbox: Outbox, relay: Relay, clock: ServiceClock) -> None:
        self._database, self._outbox, self._relay, self._clock = database, outbox, relay, clock

    async def erase_csm(self, csm_id: str) -> dict[str, object]:
        async with self._database.transaction() as connection:
            real = await real_now(connection)
            state = await connection.fetchval(DELETE, csm_id)
            email = None if state is None else csm_values(unpack(state)).get("email")
            names = {csm_id} if email is None else {csm_id, str(email)}
            known = await erase_letters(connection, names) or state is not None
            if state is not None:
                record_id = f"{csm_id}:erased:{int(real.timestamp() * 1000)}"
                tombstone = Outgoing(
                    "directory.csms", csm_id, record_id, CSM_DIRECTORY, self._clock.at(real), None
                )
                await self._outbox.append(connection, [tombstone])
            if known:
                await AUDIT.record(connection, [Change("csm.erased", f"csm/{csm_id}")])
            erased_at = await remember(connection, erasure_key(_KIND, csm_id), real, known=known)
        if erased_at is None:
            raise NotFound(f"There is no CSM {csm_id!r}.")
        self._relay.wake()
        return {"csm_id": csm_id, **receipt(erased_at, PERSONAL_OF_CSMS)}
