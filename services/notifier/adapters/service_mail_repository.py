"""Mails of the service itself as rows: taken in, claimed by one sender at a time, and ended with what became of them."""

from datetime import datetime, timedelta
from typing import Final

from services.chassis.database import Connection, Database, real_now
from services.chassis.ids import fresh
from services.chassis.secret_box import SecretBox
from services.notifier.adapters import mode_repository
from services.notifier.application.service_mail import SENDING, MailEnd, MailKind, MailState, ServiceMail
from services.notifier.domain.addresses import AddressKey

ADD: Final = """
INSERT INTO service_mail (id, kind, address, address_hash, data, requested_at, next_at)
VALUES ($1, $2, $3, $4, $5::text::jsonb, $6, $6)
"""
ASKED: Final = """
SELECT EXISTS (SELECT FROM service_mail WHERE address_hash = $1 AND kind = 'fresh_link' AND requested_at > $2)
"""
ONE_AT_A_TIME: Final = "SELECT pg_advisory_xact_lock(hashtextextended(encode($1::bytea, 'hex'), 0))"
CLAIM: Final = """
WITH mine AS (
    SELECT id FROM service_mail WHERE state = 'pending' AND next_at <= $1
    ORDER BY next_at LIMIT 1 FOR UPDATE SKIP LOCKED
)
UPDATE service_mail m SET next_at = $2, attempts = attempts + 1 FROM mine WHERE m.id = mine.id
RETURNING m.id::text, m.kind, m.address, m.data::text, m.attempts - 1
"""
COMPLETE: Final = """
UPDATE service_mail SET state = $2, detail = $3, next_at = $4,
    address = CASE WHEN $4::timestamptz IS NULL THEN NULL ELSE address END,
    data = CASE WHEN $4 IS NULL AND kind = 'answer' THEN '{}' ELSE data END,
    finished_at = CASE WHEN $4 IS NULL THEN clock_timestamp() END
WHERE id = $1 AND state = 'pending'
"""
CONTACT: Final = """
SELECT contact_id FROM contact
WHERE address_hash = $1 AND NOT EXISTS (SELECT FROM refused_address WHERE address_hash = ANY($2::bytea[]))
ORDER BY has_left, contact_id LIMIT 1
"""
PRUNE: Final = "DELETE FROM service_mail WHERE finished_at < $1"
LEAST_BETWEEN: Final = timedelta(minutes=15)
"""Real time in which one address gets one fresh link, however often it is asked for."""
KEPT: Final = timedelta(days=30)


class ServiceMailRepository:
    """Implements the port `ServiceMails`; each call is its own transaction."""

    def __init__(self, database: Database, box: SecretBox, addresses: AddressKey) -> None:
        self._database, self._box, self._addresses = database, box, addresses

    async def request_link(self, address: str) -> None:
        hashed = self._addresses.hash_address(address)
        async with self._database.transaction() as connection:
            await connection.execute(ONE_AT_A_TIME, hashed)
            now = await real_now(connection)
            if not await connection.fetchval(ASKED, hashed, now - LEAST_BETWEEN):
                await self.add(connection, MailKind.FRESH_LINK, address, "{}", now)

    async def add(
        self, connection: Connection, kind: MailKind, address: str, data: str, now: datetime
    ) -> None:
        """Take in a mail within a transaction of the caller; `data` is JSON."""
        id_ = fresh()
        sealed = self._box.seal(address.encode(), id_)
        await connection.execute(ADD, id_, kind, sealed, self._addresses.hash_address(address), data, now)

    async def claim(self) -> tuple[ServiceMail | None, datetime]:
        async with self._database.transaction() as connection:
            now = await real_now(connection)
            row = await connection.fetchrow(CLAIM, now, now + SENDING)
            if row is None:
                await connection.execute(PRUNE, now - KEPT)
                return None, now
        address = self._box.open(row[2], row[0]).decode()
        return ServiceMail(row[0], MailKind(row[1]), address, row[3].encode(), row[4]), now

    async def complete(self, end: MailEnd) -> None:
        next_at = end.next_at if end.state is MailState.PENDING else None
        async with self._database.transaction() as connection:
            await connection.execute(COMPLETE, end.mail.id, end.state, end.detail, next_at)

    async def is_live(self) -> bool:
        async with self._database.transaction() as connection:
            return (await mode_repository.load_mode(connection)).live

    async def contact_at(self, address: str) -> str | None:
        hashes = sorted(self._addresses.hashes_of(address))
        return await self._database.pool.fetchval(CONTACT, self._addresses.hash_address(address), hashes)
