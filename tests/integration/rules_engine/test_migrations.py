"""What accounts had before contacts and links had tables of their own is found again after the upgrade."""

import asyncpg
import orjson
import pytest

from services.cadence.account import stamp_of
from services.cadence.account.codec import encode
from services.cadence.account.issued import Issued
from services.chassis.database import database_url
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.rules_engine.adapters.account_identities import contact_key
from tests.integration.migrating import upgrade_to
from tests.unit.cadence.events import DAY, NOW, facts_after, make_event

pytestmark = pytest.mark.integration
NAME = "rules_before_identity"


async def test_homes_parents_and_external_ids_of_stored_accounts_are_found_after_the_upgrade(
    postgres: EmbeddedPostgres,
) -> None:
    """Row 9 and U7."""
    admin = await asyncpg.connect(postgres.url)
    await admin.execute(f'CREATE ROLE "{NAME}" SUPERUSER')
    await admin.execute(f'CREATE DATABASE "{NAME}" OWNER "{NAME}"')
    await upgrade_to(postgres.url, NAME, "rules_engine", "rules_0004")
    described = make_event("contact.described", NOW, contact_id="ann", role="user")
    again = make_event("contact.described", NOW + 2 * DAY, contact_id="ann", role="user")
    links = {"parent_id": "holding", "external_ids": {"crm": "a=1"}}
    stored = facts_after(
        [
            described,
            again,
            make_event("contact.left", NOW + DAY, contact_id="ann"),
            make_event("account.described", NOW, name="Acme", **links),
        ]
    )
    before = await asyncpg.connect(database_url(postgres.url, NAME))
    insert = "INSERT INTO account (account_id, state) VALUES ($1, $2)"
    await before.execute(insert, "acme", encode(stored, Issued()))
    left = stamp_of(make_event("contact.left", NOW + DAY, contact_id="ben").provenance)
    older = {"v": 3, "f": None, "a": {}, "e": {}, "c": {"ben": {"0": {"role": "user"}, left: {"left": True}}}}
    await before.execute(insert, "older", orjson.dumps(older))
    await before.execute(insert, "empty", None)
    await before.close()

    await upgrade_to(postgres.url, NAME, "rules_engine", "head")

    after = await asyncpg.connect(database_url(postgres.url, NAME))
    row = await after.fetchrow("SELECT parent_id, external_ids FROM account WHERE account_id = 'acme'")
    assert tuple(row or ()) == ("holding", ["crm:a=1"])
    homes = await after.fetch("SELECT contact, places::text FROM contact_home")
    assert {home[0]: orjson.loads(home[1]) for home in homes} == {
        contact_key("ann"): {"acme": stamp_of(again.provenance)},
        contact_key("ben"): {"older": "0"},
    }
    await after.close()
    await admin.execute(f'DROP DATABASE "{NAME}"')
    await admin.close()
