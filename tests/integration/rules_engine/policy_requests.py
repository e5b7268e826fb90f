"""Requests about policies that several tests make."""

from typing import Any

from services.cadence.policy.load import SHIPPED, policy_texts
from tests.integration.rules_engine.conftest import Engine, fresh
from tests.stack import until

SHIPPED_TEXT = "\n".join(policy_texts(SHIPPED).values())
CHECK_IN = "rule: mid-market-pooled-check-in\n    touchpoint: check_in\n    segment: mid_market\n    every: "


def policy_files(days: int) -> dict[str, str]:
    """The shipped policy with another interval for the check-ins of mid-market accounts."""
    head, match, tail = SHIPPED_TEXT.partition(CHECK_IN)
    assert match, "the shipped policy has no such rule any more"
    rest = tail.split("\n", 1)[1]
    return {"cadence.yaml": f"{head}{CHECK_IN}{days}d\n{rest}"}


async def publish(running: Engine, days: int, **more: Any) -> dict[str, Any]:
    answer = await running.request("PUT", "/v1/policies/current", json={"files": policy_files(days), **more})
    assert answer.is_success, answer.text
    return answer.json()


async def current_policy(running: Engine) -> dict[str, Any]:
    """Without the findings of the linter, which are there as soon as it is through."""
    policy = await running.get("/v1/policies/current")
    policy.pop("findings", None)
    return policy


def check_in_days(account: dict[str, Any]) -> int | None:
    """Days between check-ins; None when the plan has none."""
    plan: dict[str, list[dict[str, Any]]] = account["plan"] or {"rhythms": []}
    return next(
        (rhythm["every_days"] for rhythm in plan["rhythms"] if rhythm["touchpoint_type"] == "check_in"), None
    )


async def wait_until_evaluated(running: Engine) -> dict[str, Any]:
    """Wait until every account is evaluated under the policy in force; returns the progress."""

    async def none_behind() -> dict[str, Any] | None:
        progress = await running.get("/v1/policies/progress")
        return progress if progress["behind"] == 0 else None

    return await until(none_behind, 30, "every account evaluated under the policy in force")


async def restart(running: Engine, **settings: str) -> None:
    """Restart the engine with changed settings."""
    stack = running.stack
    child = stack.processes["rules_engine"].child
    child.terminate()
    child.wait()
    stack.environment.update(settings)
    await stack.run("rules_engine")


async def mid_market_account(running: Engine, stem: str) -> str:
    """Create a mid-market account; returns its id."""
    name = fresh(stem)
    await running.post_event("account.described", name, {"name": name, "arr": 50_000})
    return name
