"""Mistakes are split by their place, and policies are linted one at a time."""

import threading
import time
from asyncio import gather
from typing import Any, cast

import pytest

from services.cadence.policy import Policy
from services.chassis.database import Database
from services.rules_engine.adapters.configuration_repository import ConfigurationRepository
from services.rules_engine.adapters.policy_repository import PolicyRepository, mistake
from services.rules_engine.application.publish_policy import Finding, InvalidPolicy, Mistake
from tests.unit.cadence.events import shipped


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            "a.yaml:3:7: enterprise-check-in.when: unknown field 'arrr'; did you mean 'arr'?",
            Mistake("a.yaml", 3, 7, "enterprise-check-in.when", "unknown field 'arrr'; did you mean 'arr'?"),
        ),
        ("/my: files/b.yaml:1:1: YAML: tabs: no", Mistake("/my: files/b.yaml", 1, 1, "", "YAML: tabs: no")),
        ("c.yaml:12:1: the file says nothing", Mistake("c.yaml", 12, 1, "", "the file says nothing")),
        ("a policy has 1 to 200 files", Mistake("", 1, 1, "", "a policy has 1 to 200 files")),
    ],
)
def test_a_mistake_is_split_by_its_place(error: str, expected: Mistake) -> None:
    assert mistake(error) == expected


def test_mistakes_are_listed_with_their_place_where_they_have_one() -> None:
    found = [Mistake("a.yaml", 3, 7, "x.when", "no"), Mistake("", 1, 1, "", "there may be more mistakes")]
    assert str(InvalidPolicy(found)) == "a.yaml:3:7: no\nthere may be more mistakes"


async def test_policies_are_linted_one_at_a_time_whoever_asks() -> None:
    busy = threading.Lock()

    def lint(_: Policy) -> list[Finding]:
        assert busy.acquire(blocking=False), "two at once"
        time.sleep(0.01)
        busy.release()
        return [{"kind": "looked"}]

    configurations = ConfigurationRepository(Database(cast("Any", None)))
    policies = PolicyRepository(configurations, cast("Any", None), lambda _: shipped(), lint)
    checked = await gather(*(policies.check({"a.yaml": ""}) for _ in range(4)))
    assert [result.findings for result in checked] == [({"kind": "looked"},)] * 4
