"""Policies are linted one at a time."""

import threading
import time
from asyncio import gather
from pathlib import Path
from typing import Any, cast

from services.cadence.lint import Finding
from services.cadence.policy import Location, Policy
from services.cadence.policy.load import SHIPPED, policy_texts
from services.chassis.database import Database
from services.rules_engine.adapters.configuration_repository import ConfigurationRepository
from services.rules_engine.adapters.policy_repository import PolicyRepository


async def test_policies_are_linted_one_at_a_time_whoever_asks() -> None:
    busy = threading.Lock()
    found = Finding("unused", Location("a.yaml", 1), "tips", "looked")

    def lint(_: Policy) -> list[Finding]:
        assert busy.acquire(blocking=False), "two at once"
        time.sleep(0.01)
        busy.release()
        return [found]

    configurations = ConfigurationRepository(Database(cast("Any", None)))
    policies = PolicyRepository(configurations, cast("Any", None), lint)
    files = {Path(name).name: text for name, text in policy_texts(SHIPPED).items()}
    checked = await gather(*(policies.check(files) for _ in range(4)))
    assert [result["findings"] for result in checked] == [[found.document()]] * 4
