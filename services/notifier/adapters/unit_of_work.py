"""One transaction of ingest: the statements behind the use cases that store events and directory records."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import cast

from schemas.directory import (
    AccountRecord,
    ContentRecord,
    CsmRecord,
    ModeRecord,
    PolicyRecord,
    PreferenceRecord,
)
from services.chassis.database import Connection, real_now
from services.chassis.outbox import Outbox
from services.chassis.tracing import traces
from services.notifier.adapters import (
    address_repository,
    contact_rules_repository,
    content_repository,
    directory_repository,
    draft_repository,
    engagement_repository,
    erasure,
    invitation_repository,
    merging,
    mode_repository,
    subscription_repository,
    talk_repository,
)
from services.notifier.adapters.contact_budget_repository import wake_all_waiting
from services.notifier.adapters.delivery_repository import (
    add_deliveries,
    delivery_id,
    event_key,
    suppress_withdrawn,
)
from services.notifier.adapters.preference_repository import PreferenceStore
from services.notifier.application.ports import DeliveredMessage, NewDelivery, Now
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import DUE, REMINDERS, Event
from services.notifier.domain.situation import Directory
from services.notifier.domain.subscription import Subscription
from services.notifier.domain.talk import Settlement, Talk
from services.notifier.domain.working_day import DayCause

ADD_EVENTS = f"""
INSERT INTO feed (key, event_id, type, said_at, account_id, data, trace)
SELECT key, event_id, type, said_at, {merging.STAYS}, data, trace
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bytea[], $7::text[])
    AS u (key, event_id, type, said_at, account_id, data, trace)
ON CONFLICT (key, said_at) DO NOTHING RETURNING event_id
"""
WITHDRAW = """
INSERT INTO withdrawn (touchpoint_id, sequence, reason)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
ON CONFLICT (touchpoint_id) DO UPDATE SET sequence = excluded.sequence, reason = excluded.reason
WHERE withdrawn.sequence < excluded.sequence
"""
# What came due before its day was opened was planned for the next morning.
RELEASE_DAY_MAIL = """
UPDATE delivery_queue SET next_at = clock_timestamp(), planned_at = $2
WHERE fold_key = $1 AND (planned_at <= $2 OR delivery_id = ANY($3::uuid[]))
"""


class UnitOfWork:
    """Implements the port `UnitOfWork` on one connection that is inside a transaction."""

    def __init__(self, connection: Connection, outbox: Outbox, addresses: AddressKey) -> None:
        self._addresses = addresses
        self._connection = connection
        self._outbox = outbox

    async def add_events(self, events: Sequence[Event]) -> set[str]:
        await merging.keep_merges_out(self._connection)
        by_key = {event_key(event.id): event for event in events}
        ids = [event.id for event in by_key.values()]
        account_ids = [event.content.account_id for event in by_key.values()]
        rows = await self._connection.fetch(
            ADD_EVENTS,
            list(by_key),
            ids,
            [event.type for event in by_key.values()],
            [event.time for event in by_key.values()],
            account_ids,
            [event.data for event in by_key.values()],
            traces().carriers(account_ids, ids),
        )
        return {cast("str", row[0]) for row in rows}

    async def subscriptions(self) -> Sequence[Subscription]:
        return await subscription_repository.load_subscriptions(self._connection)

    async def directory_of(self, events: Sequence[Event]) -> Directory:
        directory = replace(
            await directory_repository.load_directory(self._connection, self._addresses, events),
            contact_rules=await contact_rules_repository.load_contact_rules(self._connection),
        )
        if any(event.type == DUE for event in events):
            handlings = await draft_repository.load_handlings(self._connection)
            directory = replace(directory, handlings=handlings)
        if not any(event.concerns_calendars for event in events):
            return directory
        return replace(
            directory,
            invited_types=await self.invited_types(),
            invitations=await invitation_repository.load_invitations(
                self._connection, events, await real_now(self._connection)
            ),
        )

    async def invited_types(self) -> Mapping[str, str]:
        return await invitation_repository.load_invited_types(self._connection)

    async def count_talks(self, talks: Sequence[Talk], now: Now) -> None:
        await talk_repository.count_talks(self._connection, talks, now)

    async def settle_talks(self, settlements: Sequence[Settlement], now: Now) -> None:
        await talk_repository.settle_talks(self._connection, settlements, now)

    async def withdraw(self, events: Sequence[Event], now: Now) -> None:
        in_order = sorted(events, key=lambda event: event.content.sequence)
        latest = {event.content.touchpoint_id or "": event for event in in_order}
        reasons = {
            touchpoint_id: latest[touchpoint_id].withdrawal_reason or "" for touchpoint_id in sorted(latest)
        }
        sequences = [latest[touchpoint_id].content.sequence for touchpoint_id in reasons]
        await self._connection.execute(WITHDRAW, list(reasons), sequences, list(reasons.values()))
        await draft_repository.withdraw_drafts(self._connection, reasons, sequences, now.service)
        reports = await suppress_withdrawn(self._connection, reasons, now)
        await self._outbox.append(self._connection, reports)

    async def withdraw_reminders(self, touchpoint_ids: Collection[str], now: Now) -> None:
        reasons = dict.fromkeys(touchpoint_ids, "the touchpoint was settled")
        reports = await suppress_withdrawn(self._connection, reasons, now, only=REMINDERS)
        await self._outbox.append(self._connection, reports)

    async def add_deliveries(self, deliveries: Sequence[NewDelivery], now: Now) -> None:
        reports = await add_deliveries(self._connection, deliveries, now)
        await self._outbox.append(self._connection, reports)

    async def release_day_mail(self, fold_key: str, planned_at: datetime, causes: Sequence[DayCause]) -> None:
        recipient = Recipient(RecipientKind.CSM, fold_key.removeprefix("day:"))
        ids = [delivery_id(cause.id, "email", recipient) for cause in causes]
        await self._connection.execute(RELEASE_DAY_MAIL, fold_key, planned_at, ids)

    async def save_accounts(
        self, records: Sequence[AccountRecord], preferences: Sequence[PreferenceRecord], now: Now
    ) -> None:
        await erasure.erase_contacts(self._connection, records)
        await directory_repository.save_accounts(self._connection, self._addresses, records)
        await directory_repository.save_preferences(self._connection, preferences)
        account_ids = [record.account_id for record in records]
        await directory_repository.wake_messages_to_accounts(self._connection, account_ids, now.real)

    async def save_csms(self, records: Sequence[CsmRecord], now: Now) -> None:
        await directory_repository.save_csms(self._connection, records)
        csm_ids = [record.csm_id for record in records]
        await directory_repository.wake_messages_to_csms(self._connection, csm_ids, now.real)

    async def delete_account(self, account_id: str) -> None:
        await erasure.erase_people(self._connection, account_id)

    async def lock_merges(self) -> None:
        await merging.lock_merges(self._connection)

    async def merge_account(self, ended: str, stays: str, now: Now) -> None:
        await merging.merge_account(self._connection, ended, stays)
        await directory_repository.wake_messages_to_accounts(self._connection, [stays], now.real)

    async def erase_events(self, account_id: str) -> None:
        await merging.keep_merges_out(self._connection)
        await erasure.erase_events(self._connection, account_id)

    async def save_mode(self, record: ModeRecord) -> None:
        await mode_repository.save_mode(self._connection, record)

    async def save_contents(self, records: Sequence[ContentRecord]) -> None:
        latest = {content_repository.content_key(record): record for record in records}
        await content_repository.save_contents(self._connection, list(latest.values()))

    async def delete_content(self, key: str) -> None:
        await content_repository.delete_content(self._connection, key)

    async def save_catalogue(self, record: PolicyRecord) -> None:
        await content_repository.save_catalogue(self._connection, record)
        await wake_all_waiting(self._connection, await real_now(self._connection))

    async def delete_csm(self, csm_id: str) -> None:
        await erasure.erase_csm(self._connection, csm_id)

    async def delivered_messages(self, delivery_ids: Sequence[str]) -> Mapping[str, DeliveredMessage]:
        return await engagement_repository.delivered_messages(self._connection, delivery_ids)

    async def refuse_addresses(self, messages: Sequence[DeliveredMessage], detail: str) -> None:
        hashes = {message.address_hash: detail for message in messages if message.address_hash is not None}
        await address_repository.refuse_addresses(self._connection, hashes)

    async def record_opt_out(self, record: PreferenceRecord, account_id: str, actor: str) -> None:
        store = PreferenceStore(self._outbox, self._addresses)
        await store.save(self._connection, record.contact_id, account_id, [record], actor)
