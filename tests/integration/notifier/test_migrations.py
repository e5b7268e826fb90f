"""After an upgrade the directory is read once more: rows of before learn what they had no column for."""

from collections.abc import AsyncGenerator

import asyncpg
import pytest

from services.chassis.database import Database, database_url
from services.devstack.embedded.postgres import EmbeddedPostgres
from tests.integration.migrating import upgrade_to
from tests.integration.notifier.conftest import ACME, ADDRESSES, Notifier, assembled

pytestmark = pytest.mark.integration
NAME = "notifier_before_content"
REFUSALS = {
    "550 5.1.1 <ann@acme.example> is unknown (see 5.7.1)": "550 5.1.1",
    "550 no mailbox ann@acme.example": "550",
    "refused: ann@acme.example": "",
    "a message bounced": "a message bounced",
}
"""What is stored of a refusal -> what is left of it."""


@pytest.fixture
async def upgraded(postgres: EmbeddedPostgres) -> AsyncGenerator[Database]:
    """A database at the head revision, with rows and positions that were written at notifier_0005."""
    admin = await asyncpg.connect(postgres.url)
    await admin.execute(f'CREATE ROLE "{NAME}" SUPERUSER')
    await admin.execute(f'CREATE DATABASE "{NAME}" OWNER "{NAME}"')
    await upgrade_to(postgres.url, NAME, "notifier", "notifier_0005")
    before = await asyncpg.connect(database_url(postgres.url, NAME))
    await before.execute(
        "INSERT INTO account (account_id, name, zones, version) VALUES ('acme', 'Acme', '{}', 7)"
    )
    await before.execute("INSERT INTO person (csm_id, name, version) VALUES ('carl', 'Carl', 4)")
    hash_ = ADDRESSES.hash_address("ann@acme.example")
    insert = (
        "INSERT INTO contact (contact_id, account_id, email, address_hash) VALUES ('ann', 'acme', $1, $2)"
    )
    await before.execute(insert, "ann@acme.example", hash_)
    for topic in ("directory.accounts", "directory.csms", "directory.keys", "touchpoint.events"):
        await before.execute(
            "INSERT INTO consumer_offset (cluster, grp, topic, part, next_offset) VALUES ('c', 'notifier', $1, 0, 99)",
            topic,
        )
    await upgrade_to(postgres.url, NAME, "notifier", "notifier_0029")
    await before.executemany(
        "INSERT INTO refused_address (address_hash, detail, refused_at) VALUES ($1, $2, now())",
        [(bytes([number] * 32), detail) for number, detail in enumerate(REFUSALS)],
    )
    await before.close()
    await upgrade_to(postgres.url, NAME, "notifier", "head")
    database = await Database.open(postgres.url, NAME)
    yield database
    await database.close()
    await admin.execute(f'DROP DATABASE "{NAME}" WITH (FORCE)')
    await admin.execute(f'DROP ROLE "{NAME}"')
    await admin.close()


async def read_again(notifier: Notifier) -> None:
    """The records that a compacted topic keeps: of each account and person the latest, with the version it had."""
    await notifier.add_acme(
        version=7, language="de", csm_id="carl", pool="emea", contacts=[{**ACME["contacts"][0], "phone": "1"}]
    )
    await notifier.add_carl(version=4, phone="+49 30 1", booking_url="https://book.example/carl")


async def test_rows_of_before_get_language_owner_and_phone_when_the_directory_is_read_again(
    upgraded: Database,
) -> None:
    left = await upgraded.pool.fetch("SELECT topic FROM consumer_offset ORDER BY topic")
    assert [row[0] for row in left] == ["directory.keys", "touchpoint.events"]

    async with assembled(upgraded, live=True) as notifier:
        await notifier.add_acme(version=6, language="fr")
        await read_again(notifier)

    account = await upgraded.pool.fetchrow("SELECT language, csm_id, pool, version FROM account")
    assert account is not None
    assert tuple(account) == ("de", "carl", "emea", 7)
    person = await upgraded.pool.fetchrow("SELECT phone, booking_url, version FROM person")
    assert person is not None
    assert tuple(person) == ("+49 30 1", "https://book.example/carl", 4)
    assert await upgraded.pool.fetchval("SELECT phone FROM contact") == "1"


async def test_of_refusals_of_before_the_codes_are_left_which_name_nobody(upgraded: Database) -> None:
    rows = await upgraded.pool.fetch("SELECT detail FROM refused_address ORDER BY address_hash")
    assert [row[0] for row in rows] == [*REFUSALS.values()]
