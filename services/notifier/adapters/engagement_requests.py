"""Requests for the addresses that measure mails, kept for minutes: until those around them show who made them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import structlog

from services.chassis.database import INFRASTRUCTURE, Connection, Database, real_now
from services.chassis.loops import Loop
from services.notifier.adapters.inbound_repository import InboundRepository
from services.notifier.adapters.merging import keep_merges_out
from services.notifier.application.measure_engagement import reports_of, request_id
from services.notifier.domain.engagement_requests import EngagementRequest, find_signs
from services.notifier.domain.inbound_mail import InboundMail

log = structlog.get_logger(__name__)

SETTLES: Final = timedelta(seconds=5)
"""Real time after which a request is reported: by then a scanner has followed the other links."""
KEPT: Final = timedelta(minutes=10)
MOST_OF_ONE: Final = 50
"""Requests of one mail that wait at a time: more of them show nothing more."""
MOST_AGENT: Final = 300
INTERVAL_SECONDS: Final = 1.0
IDLE_SECONDS: Final = 60.0
"""Real time between passes where nothing is measured: what was requested before is still dealt with."""
AT_ONCE: Final = 100
# Only of a mail to a contact of now who does not object.
ADD: Final = """
INSERT INTO engagement_request (delivery_id, kind, link, is_head, agent, requested_at)
SELECT d.id, $2, $3, $4, $5, $6 FROM delivery d JOIN contact c ON c.contact_id = d.recipient_id
WHERE d.id = $1 AND d.recipient_kind = 'contact'
    AND NOT EXISTS (SELECT FROM measuring_objection o JOIN contact s USING (contact_id)
        WHERE s.contact_id = c.contact_id OR s.address_hash = c.address_hash)
    AND (SELECT count(*) FROM engagement_request r WHERE r.delivery_id = $1 AND NOT r.is_reported) < $7
LIMIT 1
"""
WAITING: Final = """
SELECT delivery_id::text FROM engagement_request
WHERE requested_at <= $1 AND NOT is_reported GROUP BY delivery_id ORDER BY min(requested_at) LIMIT $2
"""
# The copy of the mail is stored when the relay took it. Real time, as that of the last attempt.
DELIVERED_AT: Final = """
SELECT CASE WHEN d.state = 'sent' THEN coalesce(
    (SELECT max(w.written_at) FROM written_message w WHERE w.message_id = d.message_id), d.tried_at, d.created_at) END
FROM delivery d WHERE d.id = $1
"""
LOCK: Final = """
SELECT id, kind, link, is_head, agent, requested_at FROM engagement_request
WHERE delivery_id = $1 AND requested_at <= $2 AND NOT is_reported ORDER BY id FOR UPDATE SKIP LOCKED
"""
OTHERS: Final = """
SELECT id, kind, link, is_head, agent, requested_at FROM engagement_request WHERE delivery_id = $1 ORDER BY id
"""
REPORTED: Final = "UPDATE engagement_request SET is_reported = true WHERE id = ANY($1::bigint[])"
GIVE_UP: Final = (
    "UPDATE engagement_request SET is_reported = true WHERE delivery_id = $1 AND requested_at <= $2"
)
FORGET: Final = "DELETE FROM engagement_request WHERE requested_at < $1 AND is_reported"


@dataclass(frozen=True, slots=True)
class EngagementRequestRepository:
    """Implements the port `EngagementRequests`. `kinds`: what this deployment measures."""

    database: Database
    kinds: frozenset[str]

    async def add(self, delivery_id: str, request: EngagementRequest) -> bool:
        if request.kind not in self.kinds:
            return False
        values = (request.kind, request.link, request.is_head, request.agent[:MOST_AGENT], request.at)
        try:
            added = await self.database.pool.execute(ADD, delivery_id, *values, MOST_OF_ONE)
        except INFRASTRUCTURE as problem:  # the reader goes where the link leads all the same
            log.warning("tracking.not_stored", delivery=delivery_id, kind=request.kind, problem=repr(problem))
            return False
        return added == "INSERT 0 1"


@dataclass(frozen=True, slots=True)
class EngagementReporter:
    """Hands what requests show to what receives the reports of mail providers too."""

    database: Database
    inbound: InboundRepository

    async def report(self) -> int:
        """Report what has settled, each mail in a transaction of its own; returns how many mails."""
        async with self.database.transaction() as connection:
            settled_at = await real_now(connection) - SETTLES
            rows = await connection.fetch(WAITING, settled_at, AT_ONCE)
        for row in rows:
            await self._report_of(row[0], settled_at)
        if rows:
            self.inbound.reported()
        return len(rows)

    async def forget(self) -> None:
        """Delete what no decision reads any more."""
        async with self.database.transaction() as connection:
            await connection.execute(FORGET, await real_now(connection) - KEPT)

    async def _report_of(self, delivery_id: str, settled_at: datetime) -> None:
        """One mail that cannot be reported must not stop the others."""
        try:
            async with self.database.transaction() as connection:
                await self._receive(connection, delivery_id, settled_at)
        except INFRASTRUCTURE:
            raise
        except Exception:
            log.exception("tracking.not_reported", delivery=delivery_id)
            await self.database.pool.execute(GIVE_UP, delivery_id, settled_at)

    async def _receive(self, connection: Connection, delivery_id: str, settled_at: datetime) -> None:
        await keep_merges_out(connection)
        locked = await connection.fetch(LOCK, delivery_id, settled_at)
        others = await connection.fetch(OTHERS, delivery_id)
        delivered_at = await connection.fetchval(DELIVERED_AT, delivery_id)
        signs = find_signs([_request(row) for row in locked], [_request(row) for row in others], delivered_at)
        for report in reports_of(delivery_id, signs):
            await self.inbound.receive_in(connection, InboundMail(request_id(report), report))
        await connection.execute(REPORTED, [row[0] for row in locked])


def engagement_loop(reporter: EngagementReporter) -> Loop:
    async def run_once() -> float | None:
        reported = await reporter.report()
        await reporter.forget()
        return 0 if reported == AT_ONCE else None

    interval = INTERVAL_SECONDS if reporter.inbound.measured else IDLE_SECONDS
    return Loop("engagement reports", interval=interval, run_once=run_once)


def _request(row: Any) -> EngagementRequest:
    return EngagementRequest(row["kind"], row["link"], row["is_head"], row["agent"], row["requested_at"])
