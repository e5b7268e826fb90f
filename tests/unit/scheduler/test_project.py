"""Beyond the planned month a digital rhythm is projected, as it will be planned."""

from datetime import timedelta

from services.scheduler.application.project import projected
from services.scheduler.domain.plan import applied, converge
from services.scheduler.domain.touchpoint import Owner
from tests.unit.scheduler.wishes import EMPTY, NOW, PLACE, calendar, plan, rhythm

DAY = timedelta(days=1)
TIPS = rhythm(7, type="tips", owner=Owner.MARKETING, csm_id=None)


def test_projections_are_what_the_sweep_will_plan() -> None:
    held = calendar(plan([TIPS]))
    coming = list(projected("acme", held.series.values(), NOW, to=NOW + 60 * DAY))

    later = applied(held, converge(plan([TIPS]), held, PLACE, NOW + 30 * DAY))

    planned = {each.id: (each.due_at, each.deadline) for each in later.touchpoints}
    assert coming
    assert {each.id: (each.due_at, each.deadline) for each in coming}.items() <= planned.items()


def test_what_people_lead_is_planned_a_year_ahead_and_never_projected() -> None:
    held = calendar(plan([rhythm(7)]), EMPTY)

    assert list(projected("acme", held.series.values(), NOW, to=NOW + 700 * DAY)) == []


def test_no_projection_goes_on_for_ever() -> None:
    held = calendar(plan([rhythm(1, type="tips", owner=Owner.MARKETING)]))

    coming = list(projected("acme", held.series.values(), NOW, to=NOW + 100_000 * DAY))

    assert len(coming) <= 731
