"""What an outage does to what should have come due meanwhile."""

from datetime import timedelta

import pytest

from services.scheduler.domain.touchpoint import Closure, Origin, Owner, misfire
from tests.unit.scheduler.wishes import NOW


@pytest.mark.parametrize("owner", [Owner.CSM, Owner.POOLED_CSM, Owner.SALES])
def test_what_people_owe_is_released_late(owner: Owner) -> None:
    assert misfire(Origin.RHYTHM, owner, NOW, superseded=True) is None


@pytest.mark.parametrize("owner", [Owner.AUTOMATION, Owner.MARKETING])
def test_of_the_machines_rhythm_only_the_newest_goes_out(owner: Owner) -> None:
    verdict = misfire(Origin.RHYTHM, owner, NOW, superseded=True)

    assert verdict is not None
    assert verdict.closure is Closure.EXPIRED
    assert misfire(Origin.RHYTHM, owner, NOW, superseded=False) is None


def test_a_one_off_past_its_time_expires() -> None:
    verdict = misfire(Origin.ONE_OFF, Owner.CSM, NOW - timedelta(days=1), superseded=False)

    assert verdict is not None
    assert "2026-03-01" in verdict.text


def test_what_a_person_planned_by_hand_is_released_late() -> None:
    assert misfire(Origin.HAND, Owner.CSM, NOW, superseded=False) is None
