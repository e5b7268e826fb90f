"""Fault plans are checked, and a fault point has no effect unless a plan arms it."""

from collections.abc import Generator

import pytest

from services.chassis import faults
from services.chassis.faults import FaultInjected, FaultPlanRejected, arm, fault


@pytest.fixture(autouse=True)
def _disarmed() -> Generator[None]:
    yield
    arm("")


def test_without_a_plan_no_point_has_an_effect() -> None:
    arm(",".join(f"{point}=raise" for point in faults.POINTS))
    arm("")
    assert not any(raises(point) for point in faults.POINTS)


def raises(point: faults.Point) -> bool:
    try:
        fault(point)
    except FaultInjected:
        return True
    return False


def test_a_point_fails_at_the_pass_of_the_plan_and_at_no_other() -> None:
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
def test_an_invalid_plan_is_refused(plan: str) -> None:
    with pytest.raises(FaultPlanRejected, match="DRUMBEAT_FAULTS"):
        arm(plan)
