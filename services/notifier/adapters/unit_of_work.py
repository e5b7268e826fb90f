"""One transaction of intake: what the use cases of hearing and learning write."""

from collections.abc import Sequence
from typing import cast

from services.chassis.database import Connection
from services.chassis.ids import derived
from services.chassis.outbox import Outbox
from services.notifier.adapters import directory_repository
from services.notifier.adapters.delivery_repository import add_entries, suppress_withdrawn
from services.notifier.adapters.messages import finished
from services.notifier.adapters.subscription_repository import active
from services.notifier.application.ports import Entry, Now
from services.notifier.domain.consent import Preference
from services.notifier.domain.delivery_policy import Directory
from services.notifier.domain.event import Announcement
from services.notifier.domain.people import Account, Person
from services.notifier.domain.subscription import Subscription

REMEMBER = """
INSERT INTO feed (key, event_id, type, said_at, account_id, data)
SELECT * FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[], $6::bytea[])
ON CONFLICT (key) DO NOTHING RETURNING event_id
"""
WITHDRAW = """
INSERT INTO withdrawn (touchpoint_id, sequence, reason)
SELECT * FROM unnest($1::text[], $2::bigint[], $3::text[])
ON CONFLICT (touchpoint_id) DO UPDATE SET sequence = excluded.sequence, reason = excluded.reason
WHERE withdrawn.sequence < excluded.sequence
"""


def event_key(event_id: str) -> str:
    return derived("event", event_id)


class IntakeWork:
    """Implements `Work` on one connection that is inside a transaction."""

    def __init__(self, connection: Connection, outbox: Outbox) -> None:
        self._connection = connection
        self._outbox = outbox

    async def remember(self, heard: Sequence[Announcement]) -> set[str]:
        by_key = {event_key(each.event_id): each for each in heard}
        rows = await self._connection.fetch(
            REMEMBER,
            list(by_key),
            [each.event_id for each in by_key.values()],
            [each.type for each in by_key.values()],
            [each.time for each in by_key.values()],
            [each.account_id for each in by_key.values()],
            [each.data for each in by_key.values()],
        )
        return {cast("str", row[0]) for row in rows}

    async def subscriptions(self) -> Sequence[Subscription]:
        return await active(self._connection)

    async def directory(self, heard: Sequence[Announcement]) -> Directory:
        return await directory_repository.around(self._connection, heard)

    async def withdraw(self, heard: Sequence[Announcement], now: Now) -> None:
        latest = {each.touchpoint_id or "": each for each in sorted(heard, key=lambda each: each.sequence)}
        ids = sorted(latest)
        await self._connection.execute(
            WITHDRAW,
            ids,
            [latest[each].sequence for each in ids],
            [latest[each].withdraws for each in ids],
        )
        off = await suppress_withdrawn(self._connection, latest, now)
        await self._outbox.append(self._connection, off)

    async def add(self, entries: Sequence[Entry], now: Now) -> None:
        added = await add_entries(self._connection, entries, now)
        reports = [
            finished(
                each.delivery,
                account_id=each.heard.account_id,
                touchpoint=(each.heard.touchpoint_id, each.heard.touchpoint_type),
                at=now.service,
            )
            for each in added
            if each.delivery.state.final
        ]
        await self._outbox.append(self._connection, reports)

    async def learn_accounts(
        self, accounts: Sequence[tuple[Account, int]], preferences: Sequence[Preference], now: Now
    ) -> None:
        if accounts:
            await directory_repository.keep_accounts(self._connection, accounts)
        await directory_repository.keep_preferences(self._connection, preferences)
        ids = [each.account_id for each, _ in accounts]
        await directory_repository.rouse(self._connection, ids, people=False, real=now.real)

    async def learn_people(self, people: Sequence[tuple[Person, int]], now: Now) -> None:
        await directory_repository.keep_people(self._connection, people)
        ids = [each.csm_id for each, _ in people]
        await directory_repository.rouse(self._connection, ids, people=True, real=now.real)

    async def forget_accounts(self, account_ids: Sequence[str]) -> None:
        await directory_repository.forget_accounts(self._connection, account_ids)

    async def forget_people(self, csm_ids: Sequence[str]) -> None:
        await self._connection.execute("DELETE FROM person WHERE csm_id = ANY($1)", csm_ids)
