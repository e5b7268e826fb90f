"""The queue of pending deliveries: claims under a lease, completions fenced by the lease's token.

Leases use the real clock of the database. A claim writes no indexed column. When a lease runs out the next
sender may claim the delivery, which is then marked ambiguous if the one before may have sent it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.faults import fault
from services.chassis.ids import fresh
from services.chassis.outbox import Outbox
from services.chassis.tracing import traces
from services.notifier.adapters import (
    contact_budget_repository,
    contact_rules_repository,
    content_repository,
    directory_repository,
    engagement_repository,
    invitation_repository,
    objection_repository,
    program_reservations,
    queue_sweep,
    subscription_repository,
)
from services.notifier.adapters.claim_statements import (
    BEGIN,
    CLAIM_FOLDS,
    CLAIM_SINGLE,
    CLAIM_WEBHOOKS,
    LOCK_FOLDS,
    TAKE_OVER,
)
from services.notifier.adapters.delivery_completion import complete
from services.notifier.adapters.erasure import keep_erasures_out
from services.notifier.adapters.hand_off_repository import load_handling
from services.notifier.adapters.opt_outs import load_opt_outs
from services.notifier.adapters.webhook_completion import complete_webhooks
from services.notifier.adapters.written_messages import WrittenMails
from services.notifier.application.mail_ports import BeginningMail, OptOuts
from services.notifier.application.ports import (
    ClaimResult,
    Endpoint,
    MessageClaim,
    Now,
    Webhook,
    WebhookClaim,
    WebhookResult,
)
from services.notifier.application.sending import MessageUse, ProgramUse
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.contact_budget import NoRoom
from services.notifier.domain.delivery import CALENDAR, Delivery, Recipient, RecipientKind
from services.notifier.domain.event import parse_event
from services.notifier.domain.invitation import INVITATION
from services.notifier.domain.situation import Directory

MOST_PER_ENDPOINT = 16


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
            await keep_erasures_out(connection)
            now = await self._now(connection)
            token = fresh()
            rows = await connection.fetch(CLAIM_SINGLE, now.real, limit, token, self._owner)
            keys = [row[0] for row in await connection.fetch(LOCK_FOLDS, now.real, limit)]
            if keys:
                rows += await connection.fetch(CLAIM_FOLDS, now.real, keys, token, self._owner, now.service)
            claims = [_message_claim(row, token) for row in rows]
            _remember_traces([(str(row[0]), str(row[13]), row[18]) for row in rows])
            directory = await self._directory(connection, claims, now) if claims else Directory()
        if claims:
            fault("sender.after_claim")
        return claims, directory, now

    async def _directory(self, connection: Connection, claims: Sequence[MessageClaim], now: Now) -> Directory:
        """The people whom the claims concern, the content of their messages, and the programs they got."""
        events = [claim.event for claim in claims]
        directory = await directory_repository.load_directory(connection, self._addresses, events)
        types = {name for event in events for name in (event.content.touchpoint_type, event.message_type)}
        calendar = [claim for claim in claims if claim.delivery.channel == CALENDAR]
        if calendar:
            types.add(INVITATION)
            directory = await self._with_invitations(connection, directory, calendar, now)
        contacts = {claim.delivery.recipient.id for claim in claims if claim.delivery.recipient.id}
        return replace(
            directory,
            contact_rules=await contact_rules_repository.load_contact_rules(connection),
            contents=await content_repository.load_contents(connection, types),
            programs=await content_repository.load_programs(connection, contacts),
            unmeasured=await objection_repository.load_objections(connection, contacts),
            sent=await engagement_repository.sent_lately(
                connection, _accounts_of_owners(claims), now.service
            ),
            **await load_handling(connection, claims),
        )

    async def _with_invitations(
        self, connection: Connection, directory: Directory, claims: Sequence[MessageClaim], now: Now
    ) -> Directory:
        """The directory with what the calendars of readers have, and which invitations go first."""
        events, claimed = [claim.event for claim in claims], [claim.delivery.id for claim in claims]
        return replace(
            directory,
            invited_types=await invitation_repository.load_invited_types(connection),
            invitations=await invitation_repository.load_invitations(connection, events, now.real, claimed),
            queues=await invitation_repository.load_queues(connection, claims, now.service),
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
            _remember_traces([(row[0], row[2], row[11]) for row in rows])
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

    async def reserve_room(self, uses: Sequence[MessageUse]) -> Mapping[str, NoRoom]:
        async with self._database.transaction() as connection:
            return await contact_budget_repository.reserve(
                connection, self._addresses, uses, self._service_now
            )

    async def _service_now(self, connection: Connection) -> datetime:
        return (await self._now(connection)).service

    async def complete(self, results: Sequence[ClaimResult]) -> None:
        async with self._database.transaction() as connection:
            now = await self._now(connection)
            kept = await complete(connection, self._outbox, self._addresses, results, now)
            await self.written.save(connection, kept)
            fault("sender.before_commit")
        self.written.forget(results)
        fault("sender.after_commit")

    async def complete_webhooks(self, results: Sequence[WebhookResult]) -> None:
        async with self._database.transaction() as connection:
            now = await self._now(connection)
            await complete_webhooks(connection, self._outbox, results, now)
            fault("sender.before_commit")
        fault("sender.after_commit")

    async def hand_over(
        self, beginning: Sequence[BeginningMail], results: Sequence[ClaimResult]
    ) -> list[OptOuts | None]:
        """Record results and begin mails in one transaction; None for a mail whose lease is lost."""
        async with self._database.transaction() as connection:
            now = await self._now(connection)
            if results:
                kept = await complete(connection, self._outbox, self._addresses, results, now)
                await self.written.save(connection, kept)
                fault("sender.before_commit")
            opt_outs = await self._begin(connection, beginning, now) if beginning else []
        if results:
            self.written.forget(results)
            fault("sender.after_commit")
        return opt_outs

    async def _begin(
        self, connection: Connection, mails: Sequence[BeginningMail], now: Now
    ) -> list[OptOuts | None]:
        claims = [(claim, number) for number, mail in enumerate(mails) for claim in mail.claims]
        rows = await connection.fetch(
            BEGIN,
            [claim.delivery.id for claim, _ in claims],
            [claim.token for claim, _ in claims],
            [number for _, number in claims],
            now.real,
        )
        begun = {row[0] for row in rows}
        contact_ids = {contact_id for mail in mails for contact_id in mail.contact_ids}
        addresses = {mail.address for mail in mails if mail.address}
        opt_outs = await load_opt_outs(connection, self._addresses, contact_ids, addresses)
        return [opt_outs if number in begun else None for number in range(len(mails))]

    async def count_gathering(self) -> int:
        async with self._database.transaction() as connection:
            return await queue_sweep.count_gathering(connection, await real_now(connection))

    async def release_gathering(self) -> int:
        async with self._database.transaction() as connection:
            return await queue_sweep.release_gathering(connection, await real_now(connection))

    async def wake_due(self) -> int:
        async with self._database.transaction() as connection:
            return await queue_sweep.wake_due(connection, await self._now(connection))

    async def close_orphans(self) -> int:
        async with self._database.transaction() as connection:
            return await queue_sweep.close_orphans(connection, self._outbox, await self._now(connection))

    async def close_lost(self, before: datetime) -> int:
        """Finish what was made before then (real time) and whose event is not kept any more; returns how many."""
        async with self._database.transaction() as connection:
            return await queue_sweep.close_lost(connection, self._outbox, await self._now(connection), before)


def _accounts_of_owners(claims: Sequence[MessageClaim]) -> set[str]:
    return {
        claim.event.content.account_id
        for claim in claims
        if claim.delivery.recipient.kind is not RecipientKind.CONTACT
    }


def _remember_traces(rows: Sequence[tuple[str, str, str | None]]) -> None:
    """`rows`: the id of a delivery, that of its message, the trace of its event: what is sent is known by either id."""
    traces().remember([(name, trace) for *names, trace in rows for name in names])


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
        ambiguous=row[17],
    )


def _webhook_claim(row: Any, token: str, endpoint: Endpoint) -> WebhookClaim:
    id_, _, message_id, type_, time, data, attempts, first_at, account_id, touchpoint_id, touchpoint_type = (
        row[:11]
    )
    webhook = Webhook(message_id, type_, time, data)
    return WebhookClaim(
        id_, endpoint, webhook, attempts, first_at, account_id, touchpoint_id, touchpoint_type, token
    )
