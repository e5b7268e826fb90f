"""A calendar that the version before the JSON documents stored is read as it was."""

from collections.abc import AsyncGenerator
from datetime import timedelta

import asyncpg
import orjson
import pytest

from schemas.touchpoints import TouchpointData
from services.chassis.database import Database, database_url
from services.chassis.outbox import Outbox
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.scheduler.adapters.calendar_repository import PostgresCalendarRepository
from services.scheduler.adapters.queue_repository import PostgresQueue
from services.scheduler.application.ports import Keep
from services.scheduler.application.release_due import release_due
from services.scheduler.entrypoints.kafka_consumer import TOPICS
from tests.integration.migrating import upgrade_to
from tests.integration.scheduler.conftest import CONSOLE, MONDAY, rhythm

pytestmark = pytest.mark.integration
NAME = "scheduler_before_documents"
ID = "0b1e0c5e-6b3c-5b0a-9a55-1f0b4b8b9a11"
CONTENT = (
    '"channel":"call","purpose":"keep in touch","topic":"account","audience":["champion"],"reason":{"rule":"red",'
    r'"policy":"p1","facts":[{"name":"note","value":"a\u0000b","source":null,"id":null,"time":null}],"text":"because"}'
)


@pytest.fixture
async def upgraded(postgres: EmbeddedPostgres) -> AsyncGenerator[Database]:
    """A database at the head revision, with rows that were written at scheduler_0002."""
    admin = await asyncpg.connect(postgres.url)
    await admin.execute(f'CREATE ROLE "{NAME}" SUPERUSER')
    await admin.execute(f'CREATE DATABASE "{NAME}" OWNER "{NAME}"')
    await upgrade_to(postgres.url, NAME, "scheduler", "scheduler_0002")
    plan = {
        "account_id": "acme", "version": 3, "policy": "p1", "rhythms": [rhythm(7)], "touchpoints": [],
        "changes": [], "decided_at": MONDAY,
    }  # fmt: skip
    before = await asyncpg.connect(database_url(postgres.url, NAME))
    await before.execute(
        "INSERT INTO account_calendar (account_id, version, plan, extend_at) VALUES ('acme', 3, $1, $2)",
        orjson.dumps(plan),
        MONDAY,
    )
    await before.execute(
        "INSERT INTO rhythm VALUES ('acme', 'check_in', 7, $1, $1, 1, true, 'csm', 'ada', 30, $2)",
        MONDAY,
        CONTENT,
    )
    await before.execute(
        "INSERT INTO touchpoint (id, account_id, type, origin, number, status, due_at, start_at, end_at, owner,"
        " minutes, pinned, sequence, changed_at) VALUES ($1, 'acme', 'check_in', 'rhythm', 1, 'planned', $2, $2, $3,"
        " 'csm', 30, false, 1, $2)",
        ID,
        MONDAY,
        MONDAY + timedelta(days=7),
    )
    await before.execute("INSERT INTO agenda VALUES ($1, $2)", MONDAY, ID)
    await before.execute(
        "INSERT INTO consumer_offset (cluster, grp, topic, part, next_offset)"
        " SELECT 'c', 'scheduler', topic, 0, 7 FROM unnest($1::text[]) topic",
        list(TOPICS),
    )
    await before.close()
    await upgrade_to(postgres.url, NAME, "scheduler", "head")
    database = await Database.open(postgres.url, NAME)
    yield database
    await database.close()
    await admin.execute(f'DROP DATABASE "{NAME}" WITH (FORCE)')
    await admin.close()


async def test_plans_and_contents_of_before_are_read_and_released(upgraded: Database) -> None:
    outbox = Outbox("/drumbeat/scheduler")
    async with upgraded.transaction() as connection:
        calendars = PostgresCalendarRepository(connection, outbox, CONSOLE)
        (command,) = await calendars.claim_to_extend(MONDAY)
        stored = await calendars.load_calendars(["acme"], [], MONDAY)
        released = await release_due(PostgresQueue(connection, outbox, CONSOLE), MONDAY, timedelta(seconds=5))

    assert (command.account_id, command.version, released) == ("acme", 3, 1)
    content = stored["acme"].series["check_in"].content
    assert (content.purpose, content.reason.facts[0].value) == ("keep in touch", "a\ufffdb")
    data = TouchpointData.read(await upgraded.pool.fetchval("SELECT payload FROM outbox"))
    assert (data.status, data.reason.text, data.audience) == ("due", "because", ("champion",))
    # The directory is read again: what was stored of it lacks sales people, pools and roles.
    rows = await upgraded.pool.fetch("SELECT topic FROM consumer_offset")
    assert {row["topic"] for row in rows} == {*TOPICS} - {"directory.accounts", "directory.csms"}


async def test_what_came_due_and_was_closed_before_the_narrow_tables_is_listed_and_archived(
    postgres: EmbeddedPostgres,
) -> None:
    """A1, A3: rows of scheduler_0011; what has left the change feed is archived with the first pass."""
    name = "scheduler_before_lists"
    admin = await asyncpg.connect(postgres.url)
    await admin.execute(f'CREATE ROLE "{name}" SUPERUSER')
    await admin.execute(f'CREATE DATABASE "{name}" OWNER "{name}"')
    await upgrade_to(postgres.url, name, "scheduler", "scheduler_0011")
    before = await asyncpg.connect(database_url(postgres.url, name))
    await before.execute(
        "INSERT INTO touchpoint (id, account_id, type, origin, status, due_at, released_at, start_at, end_at, owner,"
        " minutes, pinned, sequence, changed_at, face)"
        " SELECT gen_random_uuid(), 'acme', status, 'one_off', status, $1, $1, $1, $1, 'csm', 30, false, 2, $1, $2::jsonb"
        " FROM unnest(ARRAY['planned', 'due', 'overdue', 'settled', 'cancelled']) status",
        MONDAY,
        f"{{{CONTENT}}}".replace(r"\u0000", ""),
    )
    await before.execute(
        "INSERT INTO change (xid, id, changed_at) SELECT change_xid, id, changed_at FROM touchpoint"
        " WHERE status = 'cancelled'"
    )
    await before.close()
    await upgrade_to(postgres.url, name, "scheduler", "head")
    database = await Database.open(postgres.url, name)
    try:
        due = await database.pool.fetch("SELECT type FROM due_touchpoint ORDER BY type")
        closed = await database.pool.fetch("SELECT type FROM closed_touchpoint ORDER BY type")
        assert [row[0] for row in (*due, *closed)] == ["due", "overdue", "cancelled", "settled"]
        async with database.transaction() as connection:
            queue = PostgresQueue(connection, Outbox("/drumbeat/scheduler"), CONSOLE)
            await queue.prune(MONDAY + timedelta(days=1), Keep(timedelta(days=800), timedelta(days=40)))
        archived = await database.pool.fetch("SELECT type FROM archived_touchpoint")
        assert [row[0] for row in archived] == ["settled"]
    finally:
        await database.close()
        await admin.execute(f'DROP DATABASE "{name}" WITH (FORCE)')
        await admin.close()
