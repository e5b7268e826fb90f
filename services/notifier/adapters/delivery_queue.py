"""The queue of pending deliveries: claims under a lease, completions fenced by the lease's token.

Leases use the real clock of the database. A claim writes no indexed column. When a lease runs out the next
sender may claim the delivery, which is then marked ambiguous: the one before may have sent it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.faults import fault
from services.chassis.ids import fresh
from services.chassis.outbox import Outbox
from services.notifier.adapters import (
    content_repository,
    directory_repository,
    engagement_repository,
    program_reservations,
    subscription_repository,
)
from services.notifier.adapters.delivery_completion import complete
from services.notifier.adapters.erasure import erase_final
from services.notifier.adapters.messages import delivery_finished_of_row
from services.notifier.adapters.written_messages import WrittenMails
from services.notifier.application.ports import (
    ClaimResult,
    Endpoint,
    MessageClaim,
    Now,
    Webhook,
    WebhookClaim,
)
from services.notifier.application.sending import ProgramUse
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.delivery import Delivery, Recipient, RecipientKind
from services.notifier.domain.event import parse_event
from services.notifier.domain.situation import Directory

LEASE = "90 seconds"
MOST_PER_ENDPOINT = 16

_READY = "state = 'pending' AND channel <> 'webhook' AND (lease_until IS NULL OR lease_until < $1)"
_CLAIM = f"""
UPDATE delivery d SET lease_token = $3, lease_until = $1 + interval '{LEASE}', lease_owner = $4,
    ambiguous = d.ambiguous OR d.lease_token IS NOT NULL"""
_CLAIMED = """
    d.id, d.channel, d.recipient_kind, d.recipient_id, d.attempts, d.next_at, d.first_at, d.waits_until,
    f.event_id, f.type, f.said_at, f.data, d.reason, d.message_id, d.planned_at,
    d.fold_key IS NOT NULL, d.created_at"""
CLAIM_SINGLE = f"""
WITH mine AS (
    SELECT id FROM delivery WHERE {_READY} AND next_at <= $1 AND fold_key IS NULL
    ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
{_CLAIM}
FROM mine, feed f WHERE d.id = mine.id AND f.key = d.event_key
RETURNING {_CLAIMED}
"""
# Whoever locks a key claims all that is ready under it: one sender writes the mail, once.
LOCK_FOLDS = f"""
WITH ready AS MATERIALIZED (
    SELECT fold_key, min(next_at) AS next_at FROM delivery
    WHERE {_READY} AND next_at <= $1 AND fold_key IS NOT NULL GROUP BY fold_key ORDER BY 2 LIMIT $2
)
SELECT fold_key FROM ready WHERE pg_try_advisory_xact_lock(hashtextextended(fold_key, 0))
"""
# What is gathered still goes with what is ready, but what waits for a record or for another day does not. From now on
# the deliveries of the mail belong together, so that a retry has the same ones.
CLAIM_FOLDS = f"""
WITH mine AS MATERIALIZED (
    SELECT id, fold_key, message_id FROM delivery WHERE {_READY} AND fold_key = ANY($2)
        AND (next_at <= $1 OR (coalesce(waits_until, $1) <= $1 AND coalesce(planned_at, $5) <= $5))
    ORDER BY id FOR UPDATE
), first AS (
    SELECT fold_key, min(id::text)::uuid AS id FROM mine GROUP BY fold_key
)
{_CLAIM},
    message_id = CASE WHEN mine.fold_key LIKE 'message:%' THEN mine.message_id ELSE first.id END,
    fold_key = CASE WHEN mine.fold_key LIKE 'message:%' THEN mine.fold_key ELSE 'message:' || first.id END
FROM mine JOIN first USING (fold_key), feed f WHERE d.id = mine.id AND f.key = d.event_key
RETURNING {_CLAIMED}
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
TAKE_OVER = (
    "UPDATE delivery SET lease_until = $2 WHERE state = 'pending' AND lease_owner = $1 AND lease_until > $2"
)
WAKE_DUE = """
WITH due AS (
    SELECT id FROM delivery WHERE state = 'pending' AND rouse_at <= $1
    ORDER BY rouse_at LIMIT $3 FOR UPDATE SKIP LOCKED
)
UPDATE delivery d SET next_at = least(d.next_at, $2), rouse_at = CASE WHEN d.deadline > $1 THEN d.deadline END
FROM due WHERE d.id = due.id RETURNING d.id
"""
CLOSE_ORPHANS = """
WITH orphan AS (
    SELECT d.id, s.deleted FROM subscription s JOIN delivery d ON d.recipient_id = s.id
    WHERE NOT s.active AND d.state = 'pending' AND d.channel = 'webhook'
        AND (d.lease_until IS NULL OR d.lease_until < $1)
    LIMIT $3 FOR UPDATE OF d SKIP LOCKED
)
UPDATE delivery d SET state = CASE WHEN orphan.deleted THEN 'suppressed' ELSE 'failed' END,
    reason = CASE WHEN orphan.deleted THEN 'the subscription was deleted' ELSE 'the endpoint was disabled' END,
    next_at = NULL, lease_token = NULL, finished_at = $2
FROM orphan WHERE d.id = orphan.id
RETURNING d.id, d.channel, d.recipient_kind, d.recipient_id, d.state, d.reason, d.account_id, d.touchpoint_id,
    d.touchpoint_type
"""
SWEEP_BATCH = 500


class DeliveryQueue:
    """Implements the port `DeliveryQueue`. `owner` names this replica in its leases."""

    def __init__(
        self, database: Database, outbox: Outbox, clock: ServiceClock, addresses: AddressKey, owner: str
    ) -> None:
        self._addresses = addresses
        self._owner = owner
        self._database = database
        self._outbox = outbox
        self._clock = clock
        self._first_endpoint = 0
        self.written = WrittenMails()

    async def _now(self, connection: Connection) -> Now:
        real = await real_now(connection)
        return Now(real, self._clock.at(real))

    async def take_over_leases(self) -> None:
        """End the leases of the process that ran as this replica before: it will not complete them."""
        async with self._database.transaction() as connection:
            await connection.execute(TAKE_OVER, self._owner, await real_now(connection))

    async def claim_messages(self, limit: int) -> tuple[list[MessageClaim], Directory, Now]:
        async with self._database.transaction() as connection:
            now = await self._now(connection)
            token = fresh()
            rows = await connection.fetch(CLAIM_SINGLE, now.real, limit, token, self._owner)
            keys = [row[0] for row in await connection.fetch(LOCK_FOLDS, now.real, limit)]
            if keys:
                rows += await connection.fetch(CLAIM_FOLDS, now.real, keys, token, self._owner, now.service)
            claims = [_message_claim(row, token) for row in rows]
            directory = await self._directory(connection, claims, now) if claims else Directory()
        if claims:
            fault("sender.after_claim")
        return claims, directory, now

    async def _directory(self, connection: Connection, claims: Sequence[MessageClaim], now: Now) -> Directory:
        """The people whom the claims concern, the content of their messages, and the programs they got."""
        events = [claim.event for claim in claims]
        directory = await directory_repository.load_directory(connection, self._addresses, events)
        types = {event.content.touchpoint_type for event in events}
        contacts = {claim.delivery.recipient.id for claim in claims if claim.delivery.recipient.id}
        return replace(
            directory,
            contents=await content_repository.load_contents(connection, types),
            programs=await content_repository.load_programs(connection, contacts),
            sent=await engagement_repository.sent_lately(
                connection, _accounts_of_owners(claims), now.service
            ),
        )

    async def claim_webhooks(self, limit: int, under_way: Mapping[str, int]) -> list[WebhookClaim]:
        async with self._database.transaction() as connection:
            now = await self._now(connection)
            endpoints = await subscription_repository.active_endpoints(connection)
            shares = self._shares(endpoints, under_way, now, limit)
            if not shares:
                return []
            token = fresh()
            rows = await connection.fetch(
                CLAIM_WEBHOOKS, now.real, limit, token, list(shares), list(shares.values()), self._owner
            )
            by_id = {endpoint.id: endpoint for endpoint in endpoints}
            claims = [_webhook_claim(row, token, by_id[row[1]]) for row in rows]
        if claims:
            fault("sender.after_claim")
        return claims

    def _shares(
        self, endpoints: Sequence[Endpoint], under_way: Mapping[str, int], now: Now, limit: int
    ) -> dict[str, int]:
        """How many each endpoint may get, by id; each pass begins with another endpoint."""
        if not endpoints:
            return {}
        self._first_endpoint = (self._first_endpoint + 1) % len(endpoints)
        rotated = [*endpoints[self._first_endpoint :], *endpoints[: self._first_endpoint]]
        fair = max(2, min(MOST_PER_ENDPOINT, 2 * limit // len(endpoints)))
        shares = {
            endpoint.id: min(
                fair, endpoint.circuit.allowed(now.real, MOST_PER_ENDPOINT) - under_way.get(endpoint.id, 0)
            )
            for endpoint in rotated
        }
        return {endpoint_id: share for endpoint_id, share in shares.items() if share > 0}

    async def reserve_programs(self, uses: Sequence[ProgramUse]) -> set[str]:
        async with self._database.transaction() as connection:
            return await program_reservations.reserve(connection, uses)

    async def complete(self, results: Sequence[ClaimResult]) -> None:
        async with self._database.transaction() as connection:
            now = await self._now(connection)
            await complete(connection, self._outbox, self._addresses, results, now)
            await self.written.save(connection, results)
            fault("sender.before_commit")
        fault("sender.after_commit")

    async def wake_due(self) -> int:
        async with self._database.transaction() as connection:
            now = await self._now(connection)
            return len(await connection.fetch(WAKE_DUE, now.service, now.real, SWEEP_BATCH))

    async def close_orphans(self) -> int:
        async with self._database.transaction() as connection:
            now = await self._now(connection)
            rows = await connection.fetch(CLOSE_ORPHANS, now.real, now.service, SWEEP_BATCH)
            erased = await erase_final(connection, [str(row[0]) for row in rows])
            reports = [
                delivery_finished_of_row(row, now.service) for row in rows if str(row[0]) not in erased
            ]
            await self._outbox.append(connection, reports)
            return len(rows)


def _accounts_of_owners(claims: Sequence[MessageClaim]) -> set[str]:
    return {
        claim.event.content.account_id
        for claim in claims
        if claim.delivery.recipient.kind is not RecipientKind.CONTACT
    }


def _message_claim(row: Any, token: str) -> MessageClaim:
    recipient = Recipient(RecipientKind(row[2]), row[3])
    return MessageClaim(
        delivery=Delivery(str(row[0]), row[1], recipient, reason=row[12], attempts=row[4], next_at=row[5]),
        event=parse_event(row[8], row[9], row[10], row[11]),
        token=token,
        first_at=row[6],
        waits_until=row[7],
        message_id=str(row[13]),
        planned_at=row[14],
        is_folded=row[15],
        created_at=row[16],
    )


def _webhook_claim(row: Any, token: str, endpoint: Endpoint) -> WebhookClaim:
    recipient = Recipient(RecipientKind.SUBSCRIPTION, endpoint.id)
    return WebhookClaim(
        delivery=Delivery(row[0], "webhook", recipient, attempts=row[2], next_at=row[3]),
        endpoint=endpoint,
        webhook=Webhook(row[8], row[9], row[10], row[11]),
        account_id=row[5],
        touchpoint_id=row[6],
        touchpoint_type=row[7],
        token=token,
        first_at=row[4],
    )
