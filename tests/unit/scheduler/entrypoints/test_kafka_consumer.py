"""What the scheduler makes of plans before it brings calendars to them."""

from datetime import timedelta

from services.calendar.plan import PlanCommand
from services.chassis.clock import ServiceClock
from services.scheduler.entrypoints.kafka_consumer import find_time
from tests.unit.calendar.plans import NOW, plan, rhythm

DAY = timedelta(days=1)


def command_of(decided_at: object) -> PlanCommand:
    return PlanCommand("acme", plan([rhythm(7)]).model_copy(update={"decided_at": decided_at}))


def test_a_plan_of_the_next_step_of_a_clock_that_stands_is_never_a_step_late() -> None:
    """F4: its rhythms begin in the step in which it was decided, whichever message comes first."""
    standing, running = (ServiceClock(NOW, NOW, rate) for rate in (0, 1))
    ahead = [command_of(NOW + DAY), command_of(NOW), PlanCommand("gone")]
    assert find_time(ahead, NOW, standing) == NOW + DAY
    assert find_time([command_of(NOW - DAY)], NOW, standing) == NOW
    assert find_time(ahead, NOW, running) == NOW
