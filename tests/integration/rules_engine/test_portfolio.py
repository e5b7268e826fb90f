"""What concerns many accounts: ranks by revenue, and programs with their audience."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.rules_engine.conftest import Engine, OpenEngine
from tests.integration.rules_engine.policy_requests import SHIPPED_TEXT, policy_files, wait_until_evaluated
from tests.stack import until

pytestmark = [pytest.mark.integration, pytest.mark.timeout(180), pytest.mark.asyncio(loop_scope="module")]


def ranked_segments() -> dict[str, str]:
    """The shipped policy with segments by rank: the first 20%, the next 30%, the rest."""
    text = SHIPPED_TEXT
    for mark, share in ("100_000", 80), ("10_000", 50):
        condition = f"arr is not null and arr >= {mark}"
        assert condition in text
        text = text.replace(condition, f"arr_percentile is not null and arr_percentile >= {share}")
    return {"hybrid.yaml": text}


ON_PROGRAMS = """
timelines:
  - anchor: program
    when: program_kind is not null and program_kind == "webinar"
    steps:
      - rule: invite-to-a-webinar
        at: -14d
        touchpoint: webinar_invitation
        because: A webinar takes place on {takes_place_on}.
"""


class TestPortfolio:
    async def test_accounts_are_ranked_when_the_policy_reads_ranks(self, open_engine: OpenEngine) -> None:
        async with open_engine() as running:
            names = [f"rank-{number}" for number in range(19)]
            for number, name in enumerate(names):
                await running.post_event(
                    "account.described", name, {"name": name, "arr": 1_000 + 10 * number}
                )
            contract = {"contract_id": "c", "status": "active", "arr": 500_000}
            await running.post_event("contract.changed", "rank-top", contract)
            gone = {"contract_id": "d", "status": "churned", "arr": 900_000}
            await running.post_event("contract.changed", "rank-gone", gone)
            names.append("rank-top")

            answer = await running.request("PUT", "/v1/policies/current", json={"files": ranked_segments()})
            assert answer.status_code == 201, answer.text

            expected = ["small_business"] * 10 + ["mid_market"] * 6 + ["enterprise"] * 4

            async def are_ranked() -> bool:
                return [(await running.account(name))["segment"] for name in names] == expected

            await until(are_ranked, 30, "the segments by rank")

    async def test_a_program_reaches_its_audience_and_with_an_invalid_audience_nobody(
        self, open_engine: OpenEngine
    ) -> None:
        async with open_engine() as running:
            files = {**policy_files(30), "programs.yaml": ON_PROGRAMS}
            answer = await running.request("PUT", "/v1/policies/current", json={"files": files})
            assert answer.status_code == 201, answer.text
            await running.post_event("account.described", "big", {"name": "Big", "arr": 200_000})
            await running.post_event("account.described", "small", {"name": "Small", "arr": 20_000})
            at = (await running.now() + timedelta(days=10)).isoformat()
            webinar = {"kind": "webinar", "at": at, "title": "How to", "meaningful": True}
            await running.post_event(
                "program.announced", "*", {**webinar, "program_id": "w", "audience": "arr >= 1"}
            )

            async def shown(program: str) -> dict[str, Any] | None:
                items = (await running.get("/v1/programs"))["items"]
                return next((item for item in items if item["program_id"] == program), None)

            wrong = await until(lambda: shown("w"), 15, "the program")
            assert "character 1" in wrong["error"], "the condition does not test whether arr is known"

            async def is_counted() -> bool:
                metrics = (await running.request("GET", "/metrics")).text
                return "drumbeat_programs_unreadable 1.0" in metrics.splitlines()

            await until(is_counted, 15, "the metric")
            await wait_until_evaluated(running)
            assert await self.invited(running) == []

            condition = "arr is not null and arr >= 100_000"
            await running.post_event("program.announced", "*", {"program_id": "w", "audience": condition})

            async def any_invited() -> bool:
                return bool(await self.invited(running))

            await until(any_invited, 20, "an invitation")
            await wait_until_evaluated(running)
            assert await self.invited(running) == ["big"]
            corrected = await shown("w")
            assert corrected is not None
            assert (corrected["error"], corrected["audience"]) == (None, condition)
            assert (corrected["kind"], corrected["title"], corrected["meaningful"]) == (
                "webinar",
                "How to",
                True,
            )
            later = {
                **webinar,
                "program_id": "x",
                "at": (await running.now() + timedelta(days=12)).isoformat(),
            }
            await running.post_event("program.announced", "*", later)
            first = await running.get("/v1/programs", limit=1)
            second = await running.get("/v1/programs", limit=1, cursor=first["next_cursor"])
            ids = [page["items"][0]["program_id"] for page in (first, second)]
            assert (ids, second["next_cursor"]) == (["x", "w"], None)

    async def invited(self, running: Engine) -> list[str]:
        def is_invited(account: dict[str, Any]) -> bool:
            plan: dict[str, list[dict[str, Any]]] = account["plan"] or {"touchpoints": []}
            return any(
                touchpoint["touchpoint_type"] == "webinar_invitation" for touchpoint in plan["touchpoints"]
            )

        return [name for name in ("big", "small") if is_invited(await running.account(name))]
