"""A data directory of the version before goes on under this one: nothing is lost, and nobody is notified twice."""

import json
import tempfile
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from confluent_kafka import Producer

from schemas.envelope import STRUCTURED
from schemas.events import OWN_SOURCE, route
from services.chassis.migrations import migrate
from services.chassis.schema_versions import DATABASES
from tests.faults.ledger import Ledger, Published, read_topic
from tests.integration.upgrade.stored_version import (
    EXPECTED,
    STOPPED_AT,
    Snapshot,
    adapt_to_server,
    fetch,
    restore,
    restore_policy,
    row_counts,
    stored_events,
    take_snapshot,
)
from tests.stack import Receiver, Stack, event, until

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(600)]

AT_PAR = "date: 2026-11-28\nrates: {EUR: 1, JPY: 1}\n"
"""The version before compared amounts as they were, whatever their currency."""
DAYS = 5
STEP = timedelta(hours=8)
DUE = "drumbeat.touchpoint.due.v1"
FINISHED = "drumbeat.delivery.finished.v1"


async def test_a_stored_data_directory_migrates_and_goes_on() -> None:
    with tempfile.TemporaryDirectory(prefix="drumbeat-upgrade-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "rates.yaml").write_text(AT_PAR)
        settings = {
            "DRUMBEAT_POLICY": str(folder / "policies"),
            "DRUMBEAT_RATES": str(folder / "rates.yaml"),
        }
        start = STOPPED_AT + timedelta(seconds=1)
        async with Stack(folder, start=start, settings=settings) as stack:
            stored = await _restore_and_migrate(stack)
            await stack.run()
            ledger = Ledger(stack, Receiver())
            await _forget_old_positions(stack)

            await _reads_work_as_before(stack)
            before = await _plans_follow_this_version(ledger, stored)
            await _events_posted_again_change_nothing(ledger, before)
            await _decisions_are_explained(stack)
            await _a_new_event_leads_to_a_new_plan(ledger, before)
            await _touchpoints_come_due_once(ledger, before)
            await _deliveries_end_once(ledger, stored)
            await _nothing_was_refused(ledger)


ATTEMPTS = """
SELECT sum(jsonb_array_length(coalesce(tries, '[]')))
    + count(*) FILTER (WHERE state = 'sent' AND attempts > jsonb_array_length(coalesce(tries, '[]')))
FROM delivery
"""
"""Those that failed are stored with their delivery; one that succeeded is its state."""


async def _restore_and_migrate(stack: Stack) -> Snapshot:
    """The stored databases on a fresh server, migrated: every row that was stored is there."""
    server_url = stack.postgres.url
    await restore(server_url)
    assert await row_counts(server_url) == EXPECTED["rows"]
    before = await take_snapshot(server_url)
    assert before.plan_versions == EXPECTED["plan_versions"]
    assert before.positions == EXPECTED["positions"]
    assert before.deliveries == EXPECTED["deliveries"]
    assert before.released == set(EXPECTED["released"])
    statuses = Counter(status for status, _, _ in before.touchpoints.values())
    assert statuses == EXPECTED["touchpoints_by_status"]

    await adapt_to_server(server_url)
    await migrate(server_url)

    assert await take_snapshot(server_url) == before
    counts = await row_counts(server_url)
    for database, tables in EXPECTED["rows"].items():
        # Positions in the directory are forgotten, so that it is read again.
        for table in tables.keys() - {"change", "consumer_offset", "attempt"}:
            assert counts[database][table] == tables[table], f"{database}.{table}"
    attempts = await fetch(server_url, "notifier", ATTEMPTS)
    assert attempts[0][0] == EXPECTED["rows"]["drumbeat_notifier"]["attempt"]
    await restore_policy(server_url, stack.folder / "policies")
    return before


async def _forget_old_positions(stack: Stack) -> None:
    """The old broker's positions are never read again; the ledger would take them for unread records."""
    for service in DATABASES:
        for table in ("consumer_offset", "consumer_lease"):
            await fetch(
                stack.postgres.url, service, f"DELETE FROM {table} WHERE cluster = $1", EXPECTED["cluster"]
            )


async def _reads_work_as_before(stack: Stack) -> None:
    """The stored API key is accepted; accounts, calendar and feeds are read."""
    url = stack.processes["scheduler"].url
    headers = {"Authorization": f"Bearer {EXPECTED['api_key']}"}
    answer = await stack.client.get(f"{url}/v1/touchpoints?limit=1", headers=headers)
    assert answer.status_code == 200, answer.text
    changed = await stack.get("scheduler", "/v1/touchpoints", updated_since="2020-01-01T00:00:00Z", limit=500)
    assert len(changed["items"]) == 500
    for account_id, position in EXPECTED["positions"].items():
        account = await stack.get("rules_engine", f"/v1/accounts/{quote(account_id, safe='')}")
        assert [account["segment"], account["color"]] == [position[0], position[2]]
        assert account["plan"]["version"] >= EXPECTED["plan_versions"][account_id]
        assert account["plan"]["policy"] == EXPECTED["policy"]
    assert [item["hash"] for item in (await stack.get("rules_engine", "/v1/policies"))["items"]] == [
        EXPECTED["policy"]
    ]


async def _plans_follow_this_version(ledger: Ledger, before: Snapshot) -> Snapshot:
    """Every account is evaluated again, and this version may plan otherwise; what came due or ended stays as it was."""
    stack = ledger.stack
    await ledger.rows("rules_engine", "UPDATE account SET next_evaluation_at = $1", STOPPED_AT)
    await _quiescence(ledger)
    after = await take_snapshot(stack.postgres.url)
    for touchpoint_id, touchpoint in before.touchpoints.items():
        if touchpoint[0] != "planned":
            assert after.touchpoints[touchpoint_id] == touchpoint
    assert after.touchpoints.keys() >= before.touchpoints.keys()
    assert after.released >= before.released
    assert after.deliveries.items() >= before.deliveries.items()
    changed = {key for key, version in after.plan_versions.items() if version != before.plan_versions[key]}
    published = {record.key for record in _published(stack, "touchpoint.commands").values()}
    assert published == changed
    return after


async def _events_posted_again_change_nothing(ledger: Ledger, before: Snapshot) -> None:
    """Nor does evaluating every account again."""
    stack = ledger.stack
    commands = _published(stack, "touchpoint.commands")
    announcements = _published(stack, "touchpoint.events")
    counts = await row_counts(stack.postgres.url)
    await ledger.rows("rules_engine", "UPDATE account SET next_evaluation_at = $1", STOPPED_AT)
    events = stored_events()
    await stack.tell(*(sent for sent in events if not sent["source"].startswith(f"{OWN_SOURCE}/")))
    # The version before posted its sample under a source that is now taken from Kafka only.
    _produce(stack, [sent for sent in events if sent["source"].startswith(f"{OWN_SOURCE}/")])
    await _quiescence(ledger)

    after = await take_snapshot(stack.postgres.url)
    assert after == before
    again = await row_counts(stack.postgres.url)
    for database, table in (
        ("drumbeat_rules", "receipt"),
        ("drumbeat_rules", "decision"),
        ("drumbeat_scheduler", "early_outcome"),
        ("drumbeat_notifier", "feed"),
        ("drumbeat_notifier", "in_app"),
    ):
        assert again[database][table] == counts[database][table], table
    assert _published(stack, "touchpoint.commands") == commands
    assert _published(stack, "touchpoint.events") == announcements
    outcomes = read_topic(stack.kafka.bootstrap, "touchpoint.outcomes")
    assert outcomes, "the outcomes among the events"


def _produce(stack: Stack, events: Sequence[Mapping[str, Any]]) -> None:
    """Produce events straight to their topics, in structured mode."""
    producer = Producer({"bootstrap.servers": stack.kafka.bootstrap})
    for sent in events:
        headers: list[tuple[str, str | bytes | None]] = [("content-type", STRUCTURED)]
        producer.produce(route(sent["type"]), json.dumps(sent).encode(), key=sent["subject"], headers=headers)
    assert producer.flush(20) == 0


async def _decisions_are_explained(stack: Stack) -> None:
    """Every stored decision is listed and explained; where this version decides otherwise, the answer says so."""
    count = reproduced = 0
    for account_id, version in EXPECTED["plan_versions"].items():
        path = f"/v1/accounts/{quote(account_id, safe='')}"
        decisions: list[dict[str, Any]] = (await stack.get("rules_engine", f"{path}/decisions"))["items"]
        stored = [decision for decision in decisions if decision["plan_version"] <= version]
        assert stored[0]["plan_version"] == version
        for decision in stored:
            assert decision["policy"] == EXPECTED["policy"]
            rules = [reason["rule"] for reason in decision["reasons"][:1]]
            subject = {"rule": rules[0]} if rules else {"touchpoint_type": "check_in"}
            why = await stack.get("rules_engine", f"{path}/why", decision=decision["plan_version"], **subject)
            assert why["plan_version"] == decision["plan_version"]
            assert why["policy"] == EXPECTED["policy"]
            reproduced += why["reproduced"] is True
            count += 1
    assert count == EXPECTED["rows"]["drumbeat_rules"]["decision"]
    assert 0 < reproduced < count


async def _a_new_event_leads_to_a_new_plan(ledger: Ledger, before: Snapshot) -> None:
    """Only its account has new plans, only what they change is announced, and the same event again changes nothing."""
    stack = ledger.stack
    known_commands = _published(stack, "touchpoint.commands")
    known_announcements = _published(stack, "touchpoint.events")
    data = {"score": 5, "color": "red"}
    score = event("health.scored", "quill", data, id="after-upgrade", time=await stack.now())
    await ledger.post([score])
    await _quiescence(ledger)
    commands = _published(stack, "touchpoint.commands")
    announcements = _published(stack, "touchpoint.events")
    await ledger.post([score])
    await _quiescence(ledger)

    assert _published(stack, "touchpoint.commands") == commands
    assert _published(stack, "touchpoint.events") == announcements
    new_commands = [record for key, record in commands.items() if key not in known_commands]
    new_announcements = [record for key, record in announcements.items() if key not in known_announcements]
    assert {record.key for record in (*new_commands, *new_announcements)} == {"quill"}
    # Others of the account may move, and only move, into hours and weeks that the former release did not know.
    planned = {"check_in", "ad_hoc_call", "risk_action_plan", "escalation"}
    assert planned <= {record.data["touchpoint_type"] for record in new_announcements}
    others = [record for record in new_announcements if record.data["touchpoint_type"] not in planned]
    assert {record.type for record in others} <= {"drumbeat.touchpoint.moved.v1"}, others
    versions = [command.data["version"] for command in new_commands]
    assert versions[0] > before.plan_versions["quill"]
    after = await take_snapshot(stack.postgres.url)
    assert after.positions["quill"][2] == "red" != before.positions["quill"][2]
    assert after.plan_versions == {**before.plan_versions, "quill": max(versions)}
    (calendar,) = await ledger.rows(
        "scheduler", "SELECT version FROM account_calendar WHERE account_id = 'quill'"
    )
    assert calendar["version"] == max(versions)


async def _touchpoints_come_due_once(ledger: Ledger, before: Snapshot) -> None:
    stack = ledger.stack
    await stack.hurry(0)
    end = await stack.advance(timedelta(days=DAYS), step=STEP)
    await stack.hurry(1)
    await _quiescence(ledger)

    after = await take_snapshot(stack.postgres.url)
    assert after.touchpoints.keys() >= before.touchpoints.keys()
    released = after.released - before.released
    due = Counter(
        record.data["touchpoint_id"]
        for record in _published(stack, "touchpoint.events").values()
        if record.type == DUE
    )
    assert due.keys() - before.released == released
    assert set(due.values()) == {1}
    assert before.released <= after.released
    planned = {
        touchpoint_id
        for touchpoint_id, (status, due_at, _) in before.touchpoints.items()
        if status == "planned" and due_at <= end
    }
    assert len(planned) > 100
    unreleased = {after.touchpoints[touchpoint_id][0] for touchpoint_id in planned - released}
    assert len(planned & released) > len(planned) / 2
    assert unreleased <= {"planned", "cancelled", "settled", "overdue"}


async def _deliveries_end_once(ledger: Ledger, before: Snapshot) -> None:
    """Deliveries that had ended stay as they were; every other one ends with one outcome."""
    after = await take_snapshot(ledger.stack.postgres.url)
    ended_before = {key: state for key, state in before.deliveries.items() if state != "pending"}
    assert ended_before.items() <= after.deliveries.items()
    outcomes = Counter(
        record.data["delivery_id"]
        for record in _published(ledger.stack, "touchpoint.outcomes").values()
        if record.type == FINISHED
    )
    ended = {key for key, state in after.deliveries.items() if state != "pending"}
    rows = await ledger.rows("notifier", "SELECT id::text FROM delivery WHERE channel = 'calendar'")
    invitations = {row[0] for row in rows}
    assert outcomes.keys() == ended - ended_before.keys() - invitations
    assert set(outcomes.values()) == {1}
    assert before.deliveries.keys() - ended_before.keys() <= ended, "the mail that was held has ended"
    assert len(ended) > len(ended_before) + 10
    mails = await ledger.rows(
        "notifier",
        "SELECT DISTINCT message_id FROM delivery"
        " WHERE channel IN ('email', 'calendar') AND state = 'sent' AND NOT id::text = ANY($1)",
        list(ended_before),
    )
    assert len(ledger.stack.mail.messages) == len(mails)


async def _nothing_was_refused(ledger: Ledger) -> None:
    for service in DATABASES:
        assert await ledger.rows(service, "SELECT reason FROM dead_letter") == []
    assert await ledger.rows("rules_engine", "SELECT reason FROM parked") == []
    undecided = await ledger.rows(
        "rules_engine", "SELECT account_id FROM account WHERE undecided IS NOT NULL"
    )
    assert undecided == []


def _published(stack: Stack, topic: str) -> dict[str, Published]:
    """The records of a topic by id: a record may be repeated, always with the same id."""
    return {record.id: record for record in read_topic(stack.kafka.bootstrap, topic)}


async def _quiescence(ledger: Ledger) -> None:
    """Wait until nothing is in flight; messages that are held for later do not count."""

    async def is_quiet() -> bool:
        if (await ledger.unfinished()).keys() - {"pending deliveries"}:
            return False
        now = await ledger.stack.now()
        ready = "next_at <= $1 OR rouse_at <= $2"
        return not await ledger.rows(
            "notifier", f"SELECT 1 FROM delivery_queue WHERE {ready}", datetime.now(UTC), now
        )

    # Twice: between two passes a record may be in nobody's hands.
    for _ in range(2):
        await until(is_quiet, 120, "quiescence")
