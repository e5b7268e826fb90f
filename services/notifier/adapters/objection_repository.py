"""The contacts who object to measuring their opens and clicks."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from schemas.ids import derived_id
from services.chassis.audit import AuditLog, Change
from services.chassis.database import Connection, Database, real_now
from services.notifier.application.measure_engagement import Measuring

# Contacts with one address are one person.
OBJECTS: Final = """
SELECT c.contact_id FROM contact c JOIN measuring_objection o USING (contact_id) WHERE c.contact_id = ANY($1::text[])
UNION
SELECT c.contact_id FROM contact c JOIN contact s ON s.address_hash = c.address_hash
JOIN measuring_objection o ON o.contact_id = s.contact_id WHERE c.contact_id = ANY($1::text[])
"""
SAME_PERSON: Final = """
SELECT contact_id FROM contact
WHERE contact_id = $1 OR address_hash = (SELECT address_hash FROM contact WHERE contact_id = $1)
ORDER BY contact_id
"""
OBJECT: Final = """
INSERT INTO measuring_objection (contact_id, objected_at) SELECT unnest($1::text[]), $2 ON CONFLICT DO NOTHING
"""
ALLOW: Final = "DELETE FROM measuring_objection WHERE contact_id = ANY($1::text[])"
# What was requested before the objection and is not reported yet.
FORGET: Final = """
DELETE FROM engagement_request r USING delivery d
WHERE d.id = r.delivery_id AND d.recipient_kind = 'contact' AND d.recipient_id = ANY($1::text[])
"""
AUDIT: Final = AuditLog("notifier")


@dataclass(frozen=True, slots=True)
class ObjectionRepository:
    """Implements the port `Objections`. `kinds`: what this deployment measures."""

    database: Database
    kinds: frozenset[str]

    async def of_contact(self, contact_id: str) -> Measuring | None:
        async with self.database.transaction() as connection:
            if not await connection.fetch(SAME_PERSON, contact_id):
                return None
            return Measuring(self.kinds, is_wanted=not await load_objections(connection, [contact_id]))

    async def change(self, contact_id: str, *, is_wanted: bool) -> bool:
        async with self.database.transaction() as connection:
            contact_ids = [row[0] for row in await connection.fetch(SAME_PERSON, contact_id)]
            if not contact_ids:
                return False
            if is_wanted:
                done = await connection.execute(ALLOW, contact_ids)
            else:
                done = await connection.execute(OBJECT, contact_ids, await real_now(connection))
                await connection.execute(FORGET, contact_ids)
            if not done.endswith(" 0"):
                person = f"contact/{derived_id('contact', contact_id)}"
                was, now = {"is_wanted": not is_wanted}, {"is_wanted": is_wanted}
                await AUDIT.record(connection, [Change("measuring.changed", person, was, now)])
            return True


async def load_objections(connection: Connection, contact_ids: Collection[str]) -> frozenset[str]:
    """Those of these contacts who object, also under another id with the same address."""
    return frozenset(row[0] for row in await connection.fetch(OBJECTS, sorted(contact_ids)))
