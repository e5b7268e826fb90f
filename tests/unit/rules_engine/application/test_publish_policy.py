"""What publishing leans on: mistakes taken apart, ranks that moved, audiences read."""

import threading
import time
from asyncio import gather
from typing import Any, cast

import pytest

from services.cadence.announcements import audience_of
from services.cadence.policy import Policy
from services.chassis.database import Database
from services.rules_engine.adapters.configuration_repository import ConfigurationRepository
from services.rules_engine.adapters.policy_repository import PolicyRepository, mistake
from services.rules_engine.adapters.ranking_repository import moved
from services.rules_engine.application.publish_policy import Finding, Mistake, InvalidPolicy
from tests.unit.cadence.events import shipped


@pytest.mark.parametrize(
    ("error", "told"),
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
def test_a_mistake_is_taken_apart_by_its_place(error: str, told: Mistake) -> None:
    assert mistake(error) == told


def test_mistakes_are_told_with_their_place_where_they_have_one() -> None:
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
    assert [each.findings for each in checked] == [({"kind": "looked"},)] * 4


def test_ranks_move_when_there_were_none_or_one_changed_by_half_a_percent() -> None:
    held = [1_000.0, 2_000.0]
    assert moved([], held)
    assert moved(held, [])
    assert not moved(held, [1_001.0, 1_999.0])
    assert moved(held, [1_000.0, 2_020.0])
    assert moved([0.0, 0.0], [0.0, 1.0])
    assert not moved([0.0, 0.0], [0.0, 0.0])


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("arr is not null and arr >= 1", None),
        ("arr >= 1", "character 1: arr can be null here"),
        ("true and", "character"),
        ("arrr is null or industri is null", "character 17: unknown field"),
        ("(" * 2_000, "character"),
    ],
)
def test_an_audience_is_a_condition_or_everything_that_is_wrong_with_it(text: str, error: str | None) -> None:
    tree, found = audience_of(text)
    assert (tree is None) == (error is not None)
    assert found is None if error is None else error in str(found)
