"""What an outage does to touchpoints that should have come due meanwhile."""

from datetime import timedelta

import pytest

from schemas.vocabulary import Owner
from services.calendar.touchpoint import Closure, Origin, check_misfire
from tests.unit.calendar.plans import NOW, by_hand

OCCURRENCE = by_hand(NOW - timedelta(days=2))._replace(origin=Origin.RHYTHM, deadline=NOW - timedelta(days=1))
ONE_OFF = OCCURRENCE._replace(origin=Origin.ONE_OFF)


@pytest.mark.parametrize("owner", ["csm", "pooled_csm", "sales"])
def test_what_people_owe_is_released_late(owner: Owner) -> None:
    assert check_misfire(OCCURRENCE._replace(owner=owner), NOW, superseded=True) is None


@pytest.mark.parametrize("owner", ["automation", "marketing"])
def test_of_a_digital_rhythm_only_the_newest_is_released(owner: Owner) -> None:
    occurrence = OCCURRENCE._replace(owner=owner)

    cancellation = check_misfire(occurrence, NOW, superseded=True)

    assert cancellation is not None
    assert cancellation.closure is Closure.EXPIRED
    assert check_misfire(occurrence, NOW, superseded=False) is None


def test_a_one_off_past_its_deadline_expires() -> None:
    cancellation = check_misfire(ONE_OFF, NOW, superseded=False)

    assert cancellation is not None
    assert "deadline passed at 2026-03-01T10:00:00Z" in cancellation.text


def test_a_one_off_past_its_window_expires() -> None:
    windowed = ONE_OFF._replace(deadline=None, end_at=NOW - timedelta(hours=1))

    cancellation = check_misfire(windowed, NOW, superseded=False)

    assert cancellation is not None
    assert "window ended at 2026-03-02T09:00:00Z" in cancellation.text


def test_a_one_off_still_within_its_window_is_released_late() -> None:
    windowed = ONE_OFF._replace(deadline=None, end_at=NOW + timedelta(hours=1))

    assert check_misfire(windowed, NOW, superseded=False) is None


def test_what_a_person_planned_by_hand_is_released_late() -> None:
    assert check_misfire(OCCURRENCE._replace(origin=Origin.HAND), NOW, superseded=False) is None
