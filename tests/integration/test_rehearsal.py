"""Sixty days through all services: the service clock stands until all work of a day is done."""

import itertools
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.faults.ledger import Ledger
from tests.stack import Stack, event, receiving, until

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(300)]

MONDAY = datetime(2026, 3, 2, 10, tzinfo=UTC)
DAYS = 60
DAY = timedelta(days=1)


async def settle(stack: Stack, data: dict[str, Any]) -> None:
    """Report over HTTP that the CSM completed a touchpoint."""
    answer = await stack.client.post(
        f"{stack.processes['scheduler'].url}/v1/touchpoints/{data['touchpoint_id']}/settle",
        json={"outcome": "completed", "version": data["sequence"]},
    )
    assert answer.status_code == 200, answer.text


async def test_a_red_accounts_check_ins_come_due_weekly_for_sixty_days() -> None:
    with tempfile.TemporaryDirectory(prefix="drumbeat-rehearsal-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        folder.chmod(0o755)
        async with Stack(folder, rate=0, start=MONDAY) as stack, receiving() as receiver:
            await stack.run()
            await stack.post(
                "notifier",
                "/v1/subscriptions",
                {"url": receiver.url, "types": ["drumbeat.touchpoint.due.v1"]},
            )
            begin = await stack.now()
            await stack.tell(
                event(
                    "csm.described", "kim", {"name": "Kim", "email": "kim@example.com"}, id="kim", time=MONDAY
                ),
                event(
                    "account.described",
                    "acme",
                    {"name": "Acme", "arr": 250_000, "csm_id": "kim"},
                    id="acme",
                    time=MONDAY,
                ),
                event("health.scored", "acme", {"color": "red"}, id="red", time=MONDAY),
                event(
                    "account.described",
                    "calm",
                    {"name": "Calm", "arr": 40_000, "csm_id": "kim"},
                    id="calm",
                    time=MONDAY,
                ),
                event("health.scored", "calm", {"color": "green"}, id="green", time=MONDAY),
            )
            count = 0
            while await stack.now() < begin + timedelta(days=DAYS):
                due = [body for body in receiver.of("due") if body["data"]["touchpoint_type"] == "check_in"]
                for body in due[count:]:
                    if count % 2 == 0:
                        await settle(stack, body["data"])
                    count += 1
                await stack.advance(DAY, step=DAY)

            ledger = Ledger(stack, receiver)
            check_ins = _due_times(receiver.of("due"), "acme", "check_in")
            gaps = {later - earlier for earlier, later in itertools.pairwise(check_ins)}
            assert gaps == {timedelta(days=7)}, check_ins
            assert 8 <= len(check_ins) <= 10
            green = _due_times(receiver.of("due"), "calm", "check_in")
            assert 1 <= len(green) <= 3, green
            await until(
                lambda: ledger.rows("scheduler", "SELECT 1 FROM touchpoint WHERE status = 'overdue'"),
                20,
                "overdue",
            )
            statuses = {
                row[0]: row[1]
                for row in await ledger.rows(
                    "scheduler",
                    "SELECT status, count(*) FROM touchpoint WHERE account_id = 'acme' AND type = 'check_in' GROUP BY 1",
                )
            }
            assert statuses["settled"] >= 4
            for process in stack.processes.values():
                process.child.terminate()
                process.child.wait()
            assert await ledger.emitted()


def _due_times(bodies: list[dict[str, Any]], account: str, kind: str) -> list[datetime]:
    touchpoints = [
        body["data"]
        for body in bodies
        if body["data"]["account_id"] == account and body["data"]["touchpoint_type"] == kind
    ]
    assert len({data["touchpoint_id"] for data in touchpoints}) == len(touchpoints)
    return sorted(datetime.fromisoformat(data["due_at"]) for data in touchpoints)
