"""Where people are: the later statement counts, not the later publication; merged accounts are one (row 9, point 6)."""

import asyncio
from typing import Any

import pytest

from services.chassis.database import real_now
from tests.integration.notifier.conftest import Notifier
from tests.stack import until

pytestmark = pytest.mark.integration
ANN: dict[str, Any] = {"contact_id": "ann", "email": "ann@acme.example", "role": "champion", "source": "/crm"}
EARLY, LATE = "2026-02-01T10:00:00Z", "2026-02-02T10:00:00Z"


async def publish(notifier: Notifier, account_id: str, version: int, **fields: Any) -> None:
    data = {"account_id": account_id, "version": version, **fields}
    kind = "drumbeat.account.directory.v1"
    await notifier.consume(
        notifier.record("directory.accounts", kind, account_id, data, f"{account_id}:{version}")
    )


async def accounts_of(notifier: Notifier) -> dict[str, str]:
    rows = await notifier.database.pool.fetch("SELECT contact_id, account_id FROM contact")
    return {row[0]: row[1] for row in rows}


async def test_a_contact_stays_where_the_later_statement_says_whatever_is_published_last(
    notifier: Notifier,
) -> None:
    """Row 9."""
    old, new = {**ANN, "time": EARLY, "id": "1"}, {**ANN, "time": LATE, "id": "2"}
    await publish(notifier, "new", 1, contacts=[new])
    await publish(notifier, "old", 7, contacts=[old], name="Old")
    assert await accounts_of(notifier) == {"ann": "new"}

    await publish(notifier, "old", 8, contacts=[])
    assert await accounts_of(notifier) == {"ann": "new"}

    await publish(notifier, "old", 9, contacts=[{**new, "id": "3"}])
    assert await accounts_of(notifier) == {"ann": "old"}


async def test_people_deliveries_and_pauses_of_a_merged_account_are_those_of_the_other(
    notifier: Notifier,
) -> None:
    """Point 6."""
    await notifier.add_acme(contacts=[{**ANN, "time": EARLY, "id": "1"}])
    await notifier.due()
    await notifier.send_messages()

    for version in (2, 3):
        await publish(notifier, "acme", version, merged_into="stays")

    assert await accounts_of(notifier) == {"ann": "stays"}
    assert {item["state"] for item in await notifier.deliveries(account_id="stays")} == {"sent"}
    assert await notifier.deliveries(account_id="acme") == []
    # An announcement from before the merge arrives late, and the record of the other account later still.
    await notifier.due(touchpoint_id="22222222-2222-4222-8222-222222222222")
    await notifier.send_messages()
    assert [mail.to for mail in notifier.mailer.mails] == ["ann@acme.example"] * 2
    assert len(await notifier.deliveries(account_id="stays")) == 2
    await publish(notifier, "stays", 1, contacts=[{**ANN, "time": EARLY, "id": "1"}], name="Stays")
    assert await accounts_of(notifier) == {"ann": "stays"}


async def test_what_is_decided_after_the_merge_about_an_event_from_before_it_is_of_the_other_account(
    notifier: Notifier,
) -> None:
    """Point 6: the one delivery that waits for the people of the account, and those that take its place."""
    await notifier.due(channel="in_app", touchpoint_type="in_app_guide")
    await notifier.due(touchpoint_id="22222222-2222-4222-8222-222222222222")
    await publish(notifier, "acme", 2, merged_into="stays")

    await publish(notifier, "stays", 1, contacts=[{**ANN, "time": EARLY, "id": "1"}], name="Stays")
    while await notifier.send_messages():
        pass

    delivered = await notifier.deliveries(account_id="stays")
    assert {(item["recipient"]["id"], item["channel"], item["state"]) for item in delivered} == {
        ("ann", "in_app", "sent"),
        ("ann", "email", "sent"),
    }
    for table in ("delivery", "delivery_unsent", "feed", "in_app"):
        rows = await notifier.database.pool.fetch(f"SELECT DISTINCT account_id FROM {table}")
        assert [row[0] for row in rows] in ([], ["stays"]), table


async def test_a_delivery_that_is_stored_while_its_account_is_merged_moves_with_it(
    notifier: Notifier,
) -> None:
    """Point 6: neither of the two transactions sees what the other did until it ends."""
    await notifier.add_acme(contacts=[{**ANN, "time": EARLY, "id": "1"}])
    async with notifier.database.transaction() as connection:
        await notifier.consumer(connection, [notifier.touchpoint("due")], await real_now(connection))
        merging = asyncio.create_task(publish(notifier, "acme", 2, merged_into="stays"))

        async def waits_or_has_ended() -> bool:
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted"
            return merging.done() or bool(await notifier.database.pool.fetch(waiting))

        await until(waits_or_has_ended, 10, "the merge waits for the delivery")
    await merging

    assert await notifier.deliveries(account_id="acme") == []
    assert [item["recipient"]["id"] for item in await notifier.deliveries(account_id="stays")] == ["ann"]
