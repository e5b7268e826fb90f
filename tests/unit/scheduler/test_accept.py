"""What makes a plan worth a look at the calendar."""

from dataclasses import replace
from datetime import time, timedelta
from zoneinfo import ZoneInfo

from services.scheduler.application.accept import extend_at, shape_of
from services.scheduler.domain.calendar import Hours
from services.scheduler.domain.plan import Context
from services.scheduler.domain.touchpoint import Owner
from tests.unit.scheduler.wishes import NOW, PLACE, UTC_ZONE, calendar, face, one_off, plan, rhythm


def test_a_new_reason_of_a_rhythm_or_a_new_contact_is_no_news() -> None:
    before = shape_of(plan([rhythm(7)]), PLACE)

    assert shape_of(plan([rhythm(7, face=face(reason='{"text":"new"}'))], version=2), PLACE) == before
    assert shape_of(plan([rhythm(7, last_touch_at=NOW)], version=2), PLACE) == before


def test_all_that_moves_a_touchpoint_is_news() -> None:
    ada_early = Context(UTC_ZONE, PLACE.default, {"ada": Hours(UTC_ZONE, start=time(7))})
    shapes = {
        shape_of(plan([rhythm(7)]), PLACE),
        shape_of(plan([rhythm(8)]), PLACE),
        shape_of(plan([rhythm(7, owner=Owner.SALES)]), PLACE),
        shape_of(plan([rhythm(7, csm_id="bob")]), PLACE),
        shape_of(plan([rhythm(7)], [one_off()]), PLACE),
        shape_of(plan([rhythm(7)], [one_off(days=11)]), PLACE),
        shape_of(plan([rhythm(7)]), ada_early),
        shape_of(plan([rhythm(7)]), replace(PLACE, zone=ZoneInfo("Asia/Tokyo"))),
    }

    assert len(shapes) == 8


def test_an_account_is_looked_at_again_when_its_horizon_wants_the_next_occurrence() -> None:
    human = calendar(plan([rhythm(7)]))
    digital = calendar(plan([rhythm(7, owner=Owner.AUTOMATION, csm_id=None)]))

    assert extend_at(human.series.values(), PLACE) == NOW + timedelta(days=53 * 7 - 365)
    assert extend_at(digital.series.values(), PLACE) == NOW + timedelta(days=5)
    assert extend_at([], PLACE) is None
