"""What accounts had before contacts and links had tables of their own is found again after the upgrade."""

from datetime import UTC, datetime

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


async def test_the_plan_in_force_moves_to_a_row_of_its_own_and_decisions_stay_where_they_are(
    postgres: EmbeddedPostgres,
) -> None:
    """A3: the former table of decisions becomes a partition; of two decisions of one version the newest counts."""
    name = "rules_before_partitions"
    admin = await asyncpg.connect(postgres.url)
    await admin.execute(f'CREATE ROLE "{name}" SUPERUSER')
    await admin.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
    await upgrade_to(postgres.url, name, "rules_engine", "rules_0007")
    before = await asyncpg.connect(database_url(postgres.url, name))
    await before.execute(
        "INSERT INTO epoch (number, policy_hash, mode, mode_setting, version) VALUES (4, 'p4', 'live', 'live', 1)"
    )
    await before.executemany(
        "INSERT INTO account (account_id, state, plan_version, decided_under) VALUES ($1, $2, $3, $4)",
        [("acme", b"{}", 20, 4), ("other", b"{}", 10, 3), ("new", b"{}", 0, 4), ("ended", None, 9, 0)],
    )
    await before.executemany(
        "INSERT INTO decision (id, account_id, version, decided_at, recorded_at, policy, events, changes, suppressed,"
        " plan, state, fired) VALUES (gen_random_uuid(), $1, $2, $3, $3, $4, '[]', '[]', '[]', $5, '{}', '0')",
        [
            ("acme", 10, NOW - 900 * DAY, "p1", b"first"),
            ("acme", 20, NOW - 2 * DAY, "p2", b"of a merged account"),
            ("acme", 20, NOW, "p3", b"in force"),
            ("other", 10, NOW, "p3", b"also in force"),
        ],
    )
    rows = "SELECT id, ctid::text, recorded_at FROM decision ORDER BY id"
    stored = await before.fetch(rows)
    await before.close()

    await upgrade_to(postgres.url, name, "rules_engine", "head")

    after = await asyncpg.connect(database_url(postgres.url, name))
    plans = "SELECT account_id, version, policy, recorded_at, plan FROM account_plan ORDER BY account_id"
    assert [tuple(row) for row in await after.fetch(plans)] == [
        ("acme", 20, "p3", NOW, b"in force"),
        ("other", 10, "p3", NOW, b"also in force"),
    ]
    assert await after.fetch(rows) == stored
    partitions = await after.fetch("SELECT DISTINCT tableoid::regclass::text FROM decision")
    assert [row[0] for row in partitions] == ["decision_former"]
    assert await after.fetchval("SELECT generation FROM sweep") == 0, "one account is behind"
    dated = "INSERT INTO decision SELECT id, account_id, version, decided_at, $1, policy, events, changes,"
    await after.execute(
        f"{dated} suppressed, plan, state, fired FROM decision LIMIT 1", datetime.now(UTC) + 70 * DAY
    )
    assert await after.fetchval("SELECT count(*) FROM decision_default") == 0
    await after.close()
    await admin.execute(f'DROP DATABASE "{name}"')
    await admin.close()
