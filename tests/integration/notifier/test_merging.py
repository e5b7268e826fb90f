"""Where people are: the later statement counts, not the later publication; merged accounts are one (row 9, point 6)."""

from typing import Any

import pytest

from tests.integration.notifier.conftest import Notifier

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
