"""The senders' desk: claims under a lease, completions fenced by its token.

Leases live on the real clock of the database. A claim writes no indexed column. A lease that ran out lets the
next sender claim the delivery, which is then marked ambiguous: the one before may have sent it.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.faults import fault
from services.chassis.ids import fresh
from services.chassis.outbox import Outbox
from services.notifier.adapters import directory_repository, subscription_repository
from services.notifier.adapters.delivery_completion import complete, report
from services.notifier.adapters.messages import announcement
from services.notifier.application.ports import Claim, Endpoint, Now, Settled, WebhookClaim
from services.notifier.domain.delivery import Delivery, Recipient, RecipientKind
from services.notifier.domain.delivery_policy import Directory

LEASE = "90 seconds"
PER_ENDPOINT = 16

CLAIM_PEOPLE = f"""
WITH mine AS (
    SELECT id FROM delivery WHERE state = 'pending' AND channel <> 'webhook' AND next_at <= $1
        AND (lease_until IS NULL OR lease_until < $1)
    ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
UPDATE delivery d SET lease_token = $3, lease_until = $1 + interval '{LEASE}', lease_owner = $4,
    ambiguous = d.ambiguous OR d.lease_token IS NOT NULL
FROM mine, feed f WHERE d.id = mine.id AND f.key = d.event_key
RETURNING d.id, d.channel, d.recipient_kind, d.recipient_id, d.attempts, d.next_at, d.first_at, d.waits_until,
    f.event_id, f.type, f.said_at, f.data
"""
CLAIM_WEBHOOKS = f"""
WITH mine AS MATERIALIZED (
    SELECT d.id FROM unnest($4::text[], $5::int[]) AS s(id, room)
    CROSS JOIN LATERAL (
        SELECT id FROM delivery WHERE recipient_id = s.id AND state = 'pending' AND channel = 'webhook'
            AND next_at <= $1 AND (lease_until IS NULL OR lease_until < $1)
        ORDER BY next_at LIMIT s.room FOR UPDATE SKIP LOCKED
    ) d LIMIT $2
)
UPDATE delivery d SET lease_token = $3, lease_until = $1 + interval '{LEASE}', lease_owner = $6,
    ambiguous = d.ambiguous OR d.lease_token IS NOT NULL
FROM mine, feed f WHERE d.id = mine.id AND f.key = d.event_key
RETURNING d.id::text, d.recipient_id, d.attempts, d.next_at, d.first_at, d.account_id, d.touchpoint_id,
    d.touchpoint_type, d.message_id::text, f.type, f.said_at, f.data
"""
INHERIT = (
    "UPDATE delivery SET lease_until = $2 WHERE state = 'pending' AND lease_owner = $1 AND lease_until > $2"
)
ROUSE = """
WITH due AS (
    SELECT id FROM delivery WHERE state = 'pending' AND rouse_at <= $1
    ORDER BY rouse_at LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE delivery d SET next_at = least(d.next_at, $2), rouse_at = CASE WHEN d.deadline > $1 THEN d.deadline END
FROM due WHERE d.id = due.id RETURNING d.id
"""
ORPHANS = """
WITH lost AS (
    SELECT d.id, s.deleted FROM subscription s JOIN delivery d ON d.recipient_id = s.id
    WHERE NOT s.active AND d.state = 'pending' AND d.channel = 'webhook'
        AND (d.lease_until IS NULL OR d.lease_until < $1)
    LIMIT $3 FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery d SET state = CASE WHEN lost.deleted THEN 'suppressed' ELSE 'failed' END,
    reason = CASE WHEN lost.deleted THEN 'the subscription was deleted' ELSE 'the endpoint was disabled' END,
    next_at = NULL, lease_token = NULL, finished_at = $2
FROM lost WHERE d.id = lost.id
RETURNING d.id, d.channel, d.recipient_kind, d.recipient_id, d.state, d.reason, d.account_id, d.touchpoint_id,
    d.touchpoint_type
"""
SWEEP_BATCH = 500


class DeliveryDesk:
    """Implements `Desk` on the notifier's database."""

    def __init__(self, database: Database, outbox: Outbox, clock: ServiceClock, owner: str) -> None:
        self._owner = owner
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._turn = 0

    async def _now(self, connection: Connection) -> Now:
        real = await real_now(connection)
        return Now(real, self._clock.at(real))

    async def inherit(self) -> None:
        """End the leases of the process that was this replica before: it died, nobody will complete them."""
        async with self._database.transaction() as connection:
            await connection.execute(INHERIT, self._owner, await real_now(connection))

    async def claim_people(self, limit: int) -> tuple[list[Claim], Directory, Now]:
        async with self._database.transaction() as connection:
            now = await self._now(connection)
            token = fresh()
            rows = await connection.fetch(CLAIM_PEOPLE, now.real, limit, token, self._owner)
            claims = [_claim(row, token) for row in rows]
            heard = [each.heard for each in claims]
            people = await directory_repository.around(connection, heard) if heard else Directory()
        if claims:
            fault("sender.after_claim")
        return claims, people, now

    async def claim_webhooks(
        self, limit: int, under_way: Mapping[str, int]
    ) -> tuple[list[WebhookClaim], Now]:
        async with self._database.transaction() as connection:
            now = await self._now(connection)
            endpoints = {each.id: each for each in await subscription_repository.endpoints(connection)}
            rooms = self._rooms(list(endpoints.values()), under_way, now, limit)
            if not rooms:
                return [], now
            token = fresh()
            rows = await connection.fetch(
                CLAIM_WEBHOOKS, now.real, limit, token, list(rooms), list(rooms.values()), self._owner
            )
            claims = [_webhook_claim(row, token, endpoints[row[1]]) for row in rows]
        if claims:
            fault("sender.after_claim")
        return claims, now

    def _rooms(
        self, endpoints: Sequence[Endpoint], under_way: Mapping[str, int], now: Now, limit: int
    ) -> dict[str, int]:
        """How many each endpoint may get; who comes first changes from pass to pass."""
        if not endpoints:
            return {}
        self._turn = (self._turn + 1) % len(endpoints)
        turned = [*endpoints[self._turn :], *endpoints[: self._turn]]
        fair = max(2, min(PER_ENDPOINT, 2 * limit // len(endpoints)))
        rooms = {
            each.id: min(fair, each.circuit.room(now.real, PER_ENDPOINT) - under_way.get(each.id, 0))
            for each in turned
        }
        return {name: room for name, room in rooms.items() if room > 0}

    async def complete(self, settled: Sequence[Settled]) -> None:
        async with self._database.transaction() as connection:
            now = await self._now(connection)
            await complete(connection, self._outbox, settled, now)
            fault("sender.before_commit")
        fault("sender.after_commit")

    async def rouse(self) -> int:
        """Make ready what was held until now on the service clock, or whose deadline has come."""
        async with self._database.transaction() as connection:
            now = await self._now(connection)
            return len(await connection.fetch(ROUSE, now.service, now.real, SWEEP_BATCH))

    async def close_orphans(self) -> int:
        """Settle what was meant for a subscription that is no more."""
        async with self._database.transaction() as connection:
            now = await self._now(connection)
            rows = await connection.fetch(ORPHANS, now.real, now.service, SWEEP_BATCH)
            await self._outbox.append(connection, [report(row, now) for row in rows])
            return len(rows)


def _claim(row: Any, token: str) -> Claim:
    recipient = Recipient(RecipientKind(row[2]), row[3])
    delivery = Delivery(str(row[0]), row[1], recipient, attempts=row[4], next_at=row[5])
    return Claim(delivery, announcement(row[8], row[9], row[10], row[11]), token, row[6], row[7])


def _webhook_claim(row: Any, token: str, endpoint: Endpoint) -> WebhookClaim:
    recipient = Recipient(RecipientKind.SUBSCRIPTION, endpoint.id)
    return WebhookClaim(
        delivery=Delivery(row[0], "webhook", recipient, attempts=row[2], next_at=row[3]),
        account_id=row[5],
        touchpoint_id=row[6],
        touchpoint_type=row[7],
        message_id=row[8],
        token=token,
        first_at=row[4],
        endpoint=endpoint,
        type=row[9],
        time=row[10],
        data=row[11],
    )
