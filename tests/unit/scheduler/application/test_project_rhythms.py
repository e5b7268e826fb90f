"""Beyond the planned month a digital rhythm is projected, as it will be planned."""

from datetime import timedelta

from services.scheduler.application.project_rhythms import project_rhythms
from tests.unit.calendar.plans import EMPTY, HOURS, NOW, apply_changes, calendar, plan, reconciled, rhythm

DAY = timedelta(days=1)
TIPS = rhythm(7, touchpoint_type="tips", owner="marketing", csm_id=None)


def test_projections_are_what_will_be_planned() -> None:
    stored = calendar(plan([TIPS]))
    coming = list(project_rhythms("acme", stored.series.values(), NOW, to=NOW + 60 * DAY))

    later = apply_changes(stored, reconciled(plan([TIPS]), stored, HOURS, NOW + 30 * DAY))

    planned = {each.id: (each.due_at, each.deadline) for each in later.touchpoints}
    assert coming
    assert {each.id: (each.due_at, each.deadline) for each in coming}.items() <= planned.items()


def test_what_people_lead_is_planned_a_year_ahead_and_never_projected() -> None:
    stored = calendar(plan([rhythm(7)]), EMPTY)

    assert list(project_rhythms("acme", stored.series.values(), NOW, to=NOW + 700 * DAY)) == []


def test_no_projection_goes_on_for_ever() -> None:
    stored = calendar(plan([rhythm(1, touchpoint_type="tips", owner="marketing")]))

    coming = list(project_rhythms("acme", stored.series.values(), NOW, to=NOW + 100_000 * DAY))

    assert len(coming) <= 731
