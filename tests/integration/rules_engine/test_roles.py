"""Issue 15.3: taking events in and working at them as processes of their own."""

import pytest

from tests.integration.rules_engine.conftest import OpenEngine, fresh
from tests.stack import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120), pytest.mark.asyncio]


async def test_one_process_takes_events_in_while_another_works_at_them(open_engine: OpenEngine) -> None:
    async with open_engine() as running:
        stack = running.stack
        stack.kill("rules_engine")
        stack.environment["DRUMBEAT_RULES_ENGINE__ROLE"] = "ingest"
        await stack.run("rules_engine")
        waiting = await running.make_event("health.scored", fresh("account"), {"score": 80})
        await stack.tell(waiting)
        assert await running.receipt(waiting) is None

        stack.environment["DRUMBEAT_RULES_ENGINE__ROLE"] = "engine"
        stack.spawn("rules_engine#2")
        await stack.ready("rules_engine#2")
        receipt = await running.wait_until_folded(waiting)
        assert (receipt["unchanged"], len(receipt["decision_ids"])) == (False, 1)

        again = await running.make_event("health.scored", waiting["subject"], {"score": 81})
        await stack.tell(again)
        assert (await running.wait_until_folded(again))["unchanged"]
        assert await running.metric("drumbeat_records_consumed_total") == 0, (
            "by the process that only takes events in"
        )

        stack.kill("rules_engine#2")
        late = await running.make_event("health.scored", waiting["subject"], {"score": 82})
        await stack.tell(late)
        assert await running.receipt(late) is None
        stack.environment["DRUMBEAT_RULES_ENGINE__ROLE"] = "all"
        stack.spawn("rules_engine#2")

        async def folded() -> bool:
            found = await running.receipt(late)
            return found is not None and found["status"] == "folded"

        await until(folded, 60, "what waited in Kafka")
