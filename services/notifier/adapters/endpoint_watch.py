"""Watches endpoints that fail: warns by event and mail, and disables what has been failing for days.

Where nothing is to be sent to such an endpoint, it is probed when a further failure would be followed by one of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from schemas.ids import derived_id
from schemas.subscriptions import SUBSCRIPTION_DISABLED, SUBSCRIPTION_FAILING, SubscriptionNews
from services.chassis.audit import OURSELVES
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.loops import Loop
from services.chassis.outbox import Outbox
from services.notifier.adapters.delivery_repository import add_deliveries
from services.notifier.adapters.endpoint_probes import probe_endpoints
from services.notifier.adapters.service_mail_repository import ServiceMailRepository
from services.notifier.adapters.subscription_repository import record_change
from services.notifier.application.ports import NewDelivery, Now
from services.notifier.application.service_mail import MailKind
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.endpoint_health import EndpointHealth, Step
from services.notifier.domain.event import Event, Notice
from services.notifier.metrics import ENDPOINTS_DISABLED, ENDPOINTS_FAILING

EVERYONE: Final = "*"
"""The subject of what is about no account."""
FAILING: Final = """
SELECT id, url, contact, failing_since, failed_at, warnings, warned_at, coalesce(last_problem, '') FROM subscription
WHERE active AND NOT deleted AND failing_since IS NOT NULL AND failed_at IS NOT NULL
ORDER BY id FOR UPDATE SKIP LOCKED
"""
COUNT_FAILING: Final = (
    "SELECT count(*) FROM subscription WHERE active AND NOT deleted AND failing_since IS NOT NULL"
)
# Also those that were disabled because they answered 410.
DISABLED: Final = """
UPDATE subscription SET disabled_at = clock_timestamp() WHERE NOT active AND NOT deleted AND disabled_at IS NULL
RETURNING id, url, contact, failing_since, coalesce(disabled_reason, ''), disabled_at
"""
WARN: Final = "UPDATE subscription SET warnings = $2, warned_at = $3 WHERE id = $1"
DISABLE: Final = "UPDATE subscription SET active = false, disabled_reason = $2 WHERE id = $1"
ADD_EVENT: Final = """
INSERT INTO feed (key, event_id, type, said_at, account_id, data) VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT DO NOTHING
"""
READERS: Final = (
    "SELECT id FROM subscription WHERE active AND NOT deleted AND id <> $1 AND $2 = ANY(types) ORDER BY id"
)
WATCH_SECONDS: Final = 5.0


@dataclass(frozen=True, slots=True)
class EndpointWatch:
    """`disable_after`: real time for which an endpoint may fail. `fallback_to`: who is told where no contact is named."""

    database: Database
    outbox: Outbox
    clock: ServiceClock
    mails: ServiceMailRepository
    disable_after: timedelta
    fallback_to: str | None

    async def run_once(self) -> int:
        """Take the steps that are due; returns how many."""
        async with self.database.transaction() as connection:
            real = await real_now(connection)
            now = Now(real, self.clock.at(real))
            failing = await connection.fetch(FAILING)
            steps = [await self._step(connection, row, now) for row in failing]
            disabled = await connection.fetch(DISABLED)
            for id_, url, contact, since, reason, at in disabled:
                news = _news(id_, url, "disabled", reason, at).model_copy(update={"failing_since": since})
                await self._announce(connection, news, contact, now)
                await record_change(connection, "disabled", str(id_), {"reason": reason}, OURSELVES)
        ENDPOINTS_FAILING.set(await self.database.pool.fetchval(COUNT_FAILING))
        ENDPOINTS_DISABLED.inc(len(disabled))
        # Only a further failure is missing for the next step of these.
        silent = [
            row[0]
            for row, has_stepped in zip(failing, steps, strict=True)
            if not has_stepped and real >= _health(row).next_step_at(self.disable_after)
        ]
        if silent:
            await probe_endpoints(self.database, silent, real)
        return sum(steps) + len(disabled)

    async def _step(self, connection: Connection, row: Any, now: Now) -> bool:
        id_, url, contact, since, failed_at, *_, problem = row
        health = _health(row)
        match health.next_step(self.disable_after):
            case Step.WARN:
                warned = health.warned()
                await connection.execute(WARN, id_, warned.warnings, warned.warned_at)
                times = {"failing_since": since, "disables_at": since + self.disable_after}
                news = _news(id_, url, "failing", problem, failed_at).model_copy(update=times)
                await self._announce(connection, news, contact, now)
                return True
            case Step.DISABLE:
                reason = f"it failed for {_days(self.disable_after)}, at last with: {problem}"
                await connection.execute(DISABLE, id_, reason)
                return True
            case None:
                return False

    async def _announce(
        self, connection: Connection, news: SubscriptionNews, contact: str | None, now: Now
    ) -> None:
        """Announce it on the stream, to the subscriptions that name its type, and by mail."""
        type_ = SUBSCRIPTION_DISABLED if news.state == "disabled" else SUBSCRIPTION_FAILING
        data = news.write()
        event_id = derived_id("subscription news", news.subscription_id, news.state, str(news.at))
        content = Notice(EVERYONE, "subscription", "", (), None)
        event = Event(event_id, type_, now.service, data, content)
        key = derived_id("event", event_id)
        await connection.execute(ADD_EVENT, key, event_id, type_, event.time, EVERYONE, data)
        readers = await connection.fetch(READERS, news.subscription_id, type_)
        reports = await add_deliveries(connection, _webhooks(event, [row[0] for row in readers], now), now)
        await self.outbox.append(connection, reports)
        address = contact or self.fallback_to
        if address is not None:
            await self.mails.add(connection, MailKind.ENDPOINT, address, data.decode(), now.real)


def _health(row: Any) -> EndpointHealth:
    return EndpointHealth(*row[3:7])


def _webhooks(event: Event, readers: Sequence[str], now: Now) -> list[NewDelivery]:
    return [
        NewDelivery(event, "webhook", Recipient(RecipientKind.SUBSCRIPTION, reader), next_at=now.real)
        for reader in readers
    ]


def _news(id_: str, url: str, state: str, problem: str, at: datetime) -> SubscriptionNews:
    host = urlsplit(url).hostname or ""
    return SubscriptionNews.of_valid(
        subscription_id=id_, host=host, state=state, problem=problem or "no answer", at=at
    )


def _days(span: timedelta) -> str:
    days = span / timedelta(days=1)
    return f"{days:g} day{'' if days == 1 else 's'}"


def watch_loop(watch: EndpointWatch) -> Loop:
    """A loop that watches; its steps are hours apart, so that a few seconds do not count."""

    async def run_once() -> float | None:
        await watch.run_once()
        return None

    return Loop("endpoint watch", interval=WATCH_SECONDS, run_once=run_once)
