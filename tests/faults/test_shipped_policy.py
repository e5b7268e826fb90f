"""The ledger with the shipped policy: many more touchpoints for each account, the same guarantees."""

import asyncio

import pytest

from tests.conftest import IS_SOAK
from tests.faults.conftest import MONDAY_MORNING, OpenStack
from tests.faults.stories import LEADS_TO, with_people
from tests.stack import SERVICES

ACCOUNTS = 15 if IS_SOAK else 5  # for each service that is killed

pytestmark = [pytest.mark.integration, pytest.mark.long, pytest.mark.timeout(300)]


async def test_kills_of_every_service_lose_and_repeat_nothing_under_the_shipped_policy(
    open_stack: OpenStack,
) -> None:
    async with open_stack(policy=None) as ledger:
        stack = ledger.stack
        for service in SERVICES:
            posting = asyncio.create_task(
                ledger.post(with_people(ACCOUNTS, MONDAY_MORNING), leads_to=LEADS_TO)
            )
            await asyncio.sleep(0.5)
            stack.kill(service)
            stack.spawn(service)
            await stack.ready(service)
            await posting

        await ledger.quiet(120)

        await ledger.check()
        assert stack.mail.messages
        due = await ledger.rows(
            "scheduler", "SELECT DISTINCT type FROM touchpoint WHERE released_at IS NOT NULL"
        )
        assert {"risk_action_plan", "escalation", "check_in", "welcome", "onboarding_step"} <= {
            row[0] for row in due
        }
