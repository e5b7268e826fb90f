"""F12: in random weeks no promise is broken without a warning before, or a colleague who took it.

10,000 weeks in `make soak`.
"""

from os import environ

import pytest

from tests.unit.calendar.random_weeks import Breach, RandomWeek

pytestmark = pytest.mark.timeout(1800)
WEEKS = 10_000 if environ.get("DRUMBEAT_SOAK") else 150


def test_f12_no_promise_is_broken_without_a_warning() -> None:
    undetected: list[tuple[int, Breach]] = []
    broken, kept, covered = 0, 0, 0
    for seed in range(WEEKS):
        week = RandomWeek(seed)
        week.run()
        undetected += [(seed, each) for each in week.breaches.values() if not each.is_detected]
        broken, kept, covered = (
            broken + len(week.breaches),
            kept + len(week.kept),
            covered + len(week.covered),
        )

    assert undetected == []
    # The weeks show all of it: promises kept, broken, and given to a colleague.
    assert broken > WEEKS / 4
    assert kept > WEEKS / 4
    assert covered > WEEKS / 50
