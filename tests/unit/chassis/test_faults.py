"""Fault plans: read with care, passed without effect unless armed."""

from collections.abc import Generator

import pytest

from services.chassis import faults
from services.chassis.faults import FaultInjected, FaultPlanRejected, arm, fault


@pytest.fixture(autouse=True)
def _disarmed() -> Generator[None]:
    yield
    arm("")


def test_without_a_plan_every_point_is_passed() -> None:
    arm("")
    for point in faults.POINTS:
        fault(point)


def test_a_point_breaks_at_the_pass_that_was_named_and_only_there() -> None:
    arm(" relay.after_produce=raise@3 , sweep.before_commit=raise")
    fault("relay.after_produce")
    fault("relay.after_produce")
    with pytest.raises(FaultInjected, match="after_produce"):
        fault("relay.after_produce")
    fault("relay.after_produce")
    with pytest.raises(FaultInjected):
        fault("sweep.before_commit")
    fault("consumer.after_commit")


@pytest.mark.parametrize(
    "plan",
    [
        "nowhere=kill",
        "relay.after_produce",
        "relay.after_produce=",
        "relay.after_produce=explode",
        "relay.after_produce=kill@",
        "relay.after_produce=kill@0",
        "relay.after_produce=kill@soon",
        "relay.after_produce=kill@-1",
        "relay.after_produce=kill,nowhere=stop",
    ],
)
def test_a_plan_that_would_do_nothing_is_refused(plan: str) -> None:
    with pytest.raises(FaultPlanRejected, match="DRUMBEAT_FAULTS"):
        arm(plan)
