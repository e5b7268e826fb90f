"""What an outage does to touchpoints that should have come due meanwhile."""

from datetime import timedelta

import pytest

from schemas.vocabulary import Misfire, Owner
from services.calendar.misfire import MisfirePolicy, check_misfire
from services.calendar.touchpoint import Closure, Origin
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


def test_a_type_says_itself_what_an_outage_does_to_it() -> None:
    person, machine = OCCURRENCE._replace(owner="csm"), OCCURRENCE._replace(owner="automation")
    latest, every = MisfirePolicy("fire_latest"), MisfirePolicy("fire_all")
    skip = MisfirePolicy("skip", timedelta(hours=47))

    assert check_misfire(person, NOW, superseded=True, policy=latest) is not None
    assert check_misfire(person, NOW, superseded=False, policy=latest) is None
    assert check_misfire(machine, NOW, superseded=True, policy=every) is None
    assert check_misfire(ONE_OFF, NOW, superseded=False, policy=every) is None

    skipped = check_misfire(person, NOW, superseded=False, policy=skip)

    assert skipped is not None
    assert skipped.note == "expired: skipped after an outage: 2 d late, and its type allows 47 h"


@pytest.mark.parametrize("action", ["skip", "fire_latest"])
def test_what_is_late_within_its_grace_is_released(action: Misfire) -> None:
    policy = MisfirePolicy(action, timedelta(days=2))

    assert check_misfire(OCCURRENCE._replace(owner="automation"), NOW, superseded=True, policy=policy) is None
    assert check_misfire(ONE_OFF, NOW, superseded=False, policy=policy) is not None


@pytest.mark.parametrize("origin", [Origin.HAND, Origin.CALENDAR])
def test_no_policy_skips_what_a_person_planned_or_what_the_calendar_escalates(origin: Origin) -> None:
    planned = OCCURRENCE._replace(origin=origin)

    assert check_misfire(planned, NOW, superseded=True, policy=MisfirePolicy("skip")) is None
