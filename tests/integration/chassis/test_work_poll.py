"""The poll of every service: each condition is false where a loop has nothing to do, and true where it has."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import UTC, datetime
from typing import NamedTuple

import asyncpg
import pytest

from services.chassis import relay, standing_clock
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database
from services.chassis.loops import Loop
from services.chassis.migrations import migrate
from services.chassis.schema_versions import DATABASES
from services.chassis.work_poll import work_poll
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.notifier.adapters import work as notifier
from services.rules_engine.adapters import work as engine
from services.scheduler.adapters import work as scheduler
from tests.stack import until

pytestmark = pytest.mark.integration

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
"""Now by the service clock; the real time is another."""
ID = "'00000000-0000-0000-0000-000000000001'"
SUBSCRIBED = """INSERT INTO subscription (id, url, types, filter, secret, active, deleted, open_until)
VALUES ('s', 'https://crm.example', '{}', '{}', '', %s)"""
QUEUED = f"""INSERT INTO delivery_queue (delivery_id, caused_at, event_key, event_at, seq, message_id, account_id,
    channel, recipient_kind, recipient_id, created_at, next_at, lease_until, rouse_at)
VALUES ({ID}, now(), {ID}, now(), 1, {ID}, 'acme', %s)"""
DRAFT = f"""INSERT INTO draft (id, touchpoint_id, sequence, touchpoint_type, account_id, channel, language, approver,
    content, facts, event_id, event_type, event_at, event_data, written_at, approve_until, mail_at)
VALUES ({ID}, {ID}, 1, 'check_in', 'acme', 'email', 'en', 'csm', '', '{{}}', 'e', 't', now(), '', now(), now(), %s)"""
PROMISE = f"""INSERT INTO promise (touchpoint_id, account_id, type, owner, policy, promised_at, state, is_due, look_at)
VALUES ({ID}, 'acme', 'check_in', 'csm', 'protected', now(), 'open', false, %s)"""
EPOCH = "INSERT INTO epoch (number, policy_hash, mode) VALUES (0, 'hash', '%s')"
EMPTY = {
    "scheduler": """TRUNCATE agenda, lapsing, account_calendar, announcement, left_person, person, csm_mark, csm_book,
        promise, promise_mark, promise_position, change, reminder_position""",
    "notifier": "TRUNCATE subscription, delivery_queue, person, draft, service_mail CASCADE",
    "rules_engine": "TRUNCATE account, cadence_notice, epoch, outbox, standing_clock CASCADE",
}
MAIL, WEBHOOK = "'email', 'csm', 'kim', now()", "'webhook', 'endpoint', 's', now()"
LATER, REAL_LATER = "'2026-03-02T12:00:01Z'", "now() + interval '1 hour'"


class Case(NamedTuple):
    """`idle` leaves a loop nothing to do, `busy` instead of it something."""

    database: str
    work: str
    idle: tuple[str, ...]
    busy: tuple[str, ...]


def rows(statement: str, idle: str, busy: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return (statement % idle,), (statement % busy,)


CASES = {
    "release": Case(
        "scheduler", scheduler.DUE, *rows(f"INSERT INTO agenda (at, id) VALUES (%s, {ID})", LATER, "$1")
    ),
    "lapse": Case(
        "scheduler", scheduler.OVERDUE, *rows(f"INSERT INTO lapsing (at, id) VALUES (%s, {ID})", LATER, "$1")
    ),
    "extend": Case(
        "scheduler",
        scheduler.TO_EXTEND,
        *rows(
            "INSERT INTO account_calendar (account_id, plan, extend_at) VALUES ('acme', %s)",
            f"'{{}}', {LATER}), ('bare', NULL, '-infinity'",
            "'{}', '-infinity'",
        ),
    ),
    "announce": Case(
        "scheduler",
        scheduler.TO_ANNOUNCE,
        *rows(
            "INSERT INTO account_calendar (account_id, announce_at) VALUES ('acme', %s)", REAL_LATER, "now()"
        ),
    ),
    "announce what is near": Case(
        "scheduler",
        scheduler.TO_ANNOUNCE,
        *rows(
            f"INSERT INTO announcement (touchpoint_id, account_id, announce_from) VALUES ({ID}, 'acme', %s)",
            LATER,
            "$1",
        ),
    ),
    "remind": Case(
        "scheduler",
        scheduler.TO_REMIND,
        *rows(
            f"""WITH begun AS (INSERT INTO reminder_position (hours, due_at, touchpoint_id) VALUES (48, $1, {ID}))
            INSERT INTO agenda (at, id) VALUES ($1, {ID}), (%s, {ID})""",
            "'2026-03-04T12:00:01Z'",
            "'2026-03-04T12:00:00Z'",
        ),
    ),
    "share out": Case(
        "scheduler",
        scheduler.TO_SHARE_OUT,
        (
            "INSERT INTO left_person (csm_id) VALUES ('kim')",
            "INSERT INTO person (csm_id, version) VALUES ('kim', 1)",
        ),
        ("INSERT INTO left_person (csm_id) VALUES ('kim')",),
    ),
    "level": Case(
        "scheduler", scheduler.TO_LEVEL, (), ("INSERT INTO csm_mark (csm_id, cause) VALUES ('kim', 'new')",)
    ),
    "level again": Case(
        "scheduler",
        scheduler.TO_LEVEL,
        *rows("INSERT INTO csm_book (csm_id, levelled_xid, review_at) VALUES ('kim', '7', %s)", LATER, "$1"),
    ),
    "watch promises": Case("scheduler", scheduler.PROMISES, *rows(PROMISE, LATER, "$1")),
    "watch whose hours changed": Case(
        "scheduler", scheduler.PROMISES, (), ("INSERT INTO promise_mark (csm_id) VALUES ('kim')",)
    ),
    "send messages": Case(
        "notifier",
        notifier.MESSAGES,
        *rows(
            QUEUED,
            f"{MAIL}, {REAL_LATER}, NULL, NULL",
            f"{MAIL}, now(), NULL, NULL",
        ),
    ),
    "send messages of another": Case(
        "notifier",
        notifier.MESSAGES,
        *rows(
            QUEUED,
            f"{MAIL}, now(), {REAL_LATER}, NULL",
            f"{MAIL}, now(), now() - interval '1 second', NULL",
        ),
    ),
    "send webhooks": Case(
        "notifier",
        notifier.WEBHOOKS,
        (
            SUBSCRIBED % f"true, false, {REAL_LATER}",
            QUEUED % f"{WEBHOOK}, now(), NULL, NULL",
        ),
        (SUBSCRIBED % "true, false, now()", QUEUED % f"{WEBHOOK}, now(), NULL, NULL"),
    ),
    "rouse deliveries": Case(
        "notifier",
        notifier.DELIVERIES,
        *rows(
            QUEUED,
            f"{MAIL}, {REAL_LATER}, NULL, {LATER}",
            f"{MAIL}, {REAL_LATER}, NULL, $1",
        ),
    ),
    "close orphans": Case(
        "notifier",
        notifier.DELIVERIES,
        (
            SUBSCRIBED % "true, false, NULL",
            QUEUED % f"{WEBHOOK}, {REAL_LATER}, NULL, NULL",
        ),
        (
            SUBSCRIBED % "false, false, NULL",
            QUEUED % f"{WEBHOOK}, {REAL_LATER}, NULL, NULL",
        ),
    ),
    "open days": Case(
        "notifier",
        notifier.MORNINGS,
        *rows(
            "INSERT INTO person (csm_id, version, email, opens_at) VALUES ('kim', 1, %s)",
            f"'kim@northwind.example', {LATER}), ('mute', 1, NULL, NULL",
            "'kim@northwind.example', NULL",
        ),
    ),
    "ask for approvals": Case("notifier", notifier.DRAFT_MAILS, *rows(DRAFT, REAL_LATER, "now()")),
    "send service mails": Case(
        "notifier",
        notifier.SERVICE_MAILS,
        *rows(
            f"""INSERT INTO service_mail (id, kind, address_hash, requested_at, state, next_at, address)
            VALUES ({ID}, 'answer', '', now(), 'pending', %s, '')""",
            REAL_LATER,
            "now()",
        ),
    ),
    "evaluate": Case(
        "rules_engine",
        engine.TO_EVALUATE,
        *rows("INSERT INTO account (account_id, next_evaluation_at) VALUES ('acme', %s)", LATER, "$1"),
    ),
    "evaluate what was behind": Case(
        "rules_engine",
        engine.TO_EVALUATE,
        *rows("INSERT INTO account (account_id, decided_under) VALUES ('acme', %s)", "4", "-4"),
    ),
    "sweep": Case(
        "rules_engine",
        engine.TO_EVALUATE,
        (EPOCH % "live", "UPDATE sweep SET generation = 1, completed = 1"),
        (EPOCH % "live", "UPDATE sweep SET generation = 1, completed = 0"),
    ),
    "begin to sweep": Case(
        "rules_engine",
        engine.TO_EVALUATE,
        (EPOCH % "live",),
        (EPOCH % "live", "UPDATE epoch SET number = 1"),
    ),
    "tell cadences": Case(
        "rules_engine",
        engine.NOTICES,
        (EPOCH % "observe", "INSERT INTO cadence_notice (account_id, check_at) VALUES ('acme', $1)"),
        (EPOCH % "live", "INSERT INTO cadence_notice (account_id, check_at) VALUES ('acme', $1)"),
    ),
    "relay": Case(
        "rules_engine", relay.WORK, (), ("INSERT INTO outbox (topic, key, headers) VALUES ('t', 'k', '')",)
    ),
    "follow the clock": Case(
        "rules_engine",
        standing_clock.WORK,
        *rows("INSERT INTO standing_clock (now) VALUES (%s)", "$1", LATER),
    ),
}


@pytest.fixture
async def connections(postgres: EmbeddedPostgres) -> AsyncGenerator[Callable[[str], Awaitable[Connection]]]:
    """Gives a connection to the database of a service, in a transaction that is undone after the test."""
    await migrate(postgres.url)
    opened: list[Connection] = []

    async def open_one(service: str) -> Connection:
        opened.append(await asyncpg.connect(postgres.url, database=DATABASES[service]))
        await opened[-1].execute("BEGIN")
        await opened[-1].execute(EMPTY[service])
        return opened[-1]

    yield open_one
    for connection in opened:
        await connection.close()


@pytest.mark.parametrize("name", CASES)
async def test_a_condition_holds_where_there_is_work(
    name: str, connections: Callable[[str], Awaitable[Connection]]
) -> None:
    """Issue 15.7: what a condition overlooks would wait ten seconds."""
    case = CASES[name]
    for statements, expected in ((case.idle, False), (case.busy, True)):
        connection = await connections(case.database)
        for statement in statements:
            await connection.execute(statement.replace("$1", f"'{NOON.isoformat()}'"))
        answer = await connection.fetchval(f"SELECT $1::timestamptz IS NULL OR ({case.work})", NOON)
        assert bool(answer) is expected, f"{statements}: {answer}"
        await connection.execute("ROLLBACK")


async def test_the_poll_has_the_loops_look_that_may_find_something_and_ends_no_rest(
    chassis_database: Database,
) -> None:
    looked: list[str] = []

    def loop(name: str, work: str | None) -> Loop:
        async def run_once() -> None:
            looked.append(name)

        return Loop(name, interval=60, run_once=run_once, work=work)

    await chassis_database.pool.execute("CREATE TABLE due (at timestamptz)")
    clock = ServiceClock(NOON, NOON, 0)
    loops = [
        loop("due", "(SELECT min(at) FROM due) <= $1"),
        loop("nobody asks", None),
        loop("none", "EXISTS (SELECT FROM due WHERE at > $1)"),
    ]
    poll = work_poll(chassis_database, clock, loops)
    running = [asyncio.create_task(each.run()) for each in loops]
    await until(lambda: sorted(looked) == ["due", "nobody asks", "none"], 10, "each looks once by itself")
    await until(lambda: all(each.is_at_rest() for each in loops), 10, "all rest")

    await poll.run_once()
    await asyncio.sleep(0.05)
    assert len(looked) == 3, "nothing is due"

    await chassis_database.pool.execute("INSERT INTO due VALUES ($1)", NOON)
    await poll.run_once()
    assert loops[0].is_at_rest(), "until it finds something"
    await until(lambda: len(looked) == 4, 10, "it looks")
    assert looked[-1] == "due"
    for each in loops:
        each.stop()
    await asyncio.gather(*running)
