"""The contacts who object to measuring their opens and clicks."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from schemas.ids import derived_id
from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection, Database, real_now
from services.notifier.application.measure_engagement import Measuring

OBJECTS: Final = "SELECT contact_id FROM measuring_objection WHERE contact_id = ANY($1::text[])"
IS_KNOWN: Final = "SELECT EXISTS (SELECT FROM contact WHERE contact_id = $1)"
OBJECT: Final = (
    "INSERT INTO measuring_objection (contact_id, objected_at) VALUES ($1, $2) ON CONFLICT DO NOTHING"
)
ALLOW: Final = "DELETE FROM measuring_objection WHERE contact_id = $1"
# What was requested before the objection and is not reported yet.
FORGET: Final = """
DELETE FROM engagement_request WHERE delivery_id IN (
    SELECT d.id FROM engagement_request r JOIN delivery d ON d.id = r.delivery_id
    WHERE d.recipient_kind = 'contact' AND d.recipient_id = $1)
"""
AUDIT: Final = AuditLog("notifier")


@dataclass(frozen=True, slots=True)
class ObjectionRepository:
    """Implements the port `Objections`. `kinds`: what this deployment measures."""

    database: Database
    kinds: frozenset[str]

    async def of_contact(self, contact_id: str) -> Measuring | None:
        async with self.database.transaction() as connection:
            if not await connection.fetchval(IS_KNOWN, contact_id):
                return None
            return Measuring(self.kinds, is_wanted=not await load_objections(connection, [contact_id]))

    async def change(self, contact_id: str, *, is_wanted: bool) -> bool:
        async with self.database.transaction() as connection:
            if not await connection.fetchval(IS_KNOWN, contact_id):
                return False
            if is_wanted:
                done = await connection.execute(ALLOW, contact_id)
            else:
                done = await connection.execute(OBJECT, contact_id, await real_now(connection))
                await connection.execute(FORGET, contact_id)
            if not done.endswith(" 0"):
                person = f"contact/{derived_id('contact', contact_id)}"
                was, now = {"is_wanted": not is_wanted}, {"is_wanted": is_wanted}
                await AUDIT.record(connection, [Change("measuring.changed", person, was, now)])
            return True


async def load_objections(connection: Connection, contact_ids: Collection[str]) -> frozenset[str]:
    """Those of these contacts who object."""
    return frozenset(row[0] for row in await connection.fetch(OBJECTS, sorted(contact_ids)))
