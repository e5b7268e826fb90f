"""What is open and has nobody gets a person as soon as there is one."""

from datetime import timedelta

import pytest

from schemas.vocabulary import Owner
from services.calendar.assignment import Leads
from services.calendar.reconciliation import reconcile
from services.calendar.reconciliation.context import ChangeKind, ReconcileContext, StoredCalendar
from services.calendar.touchpoint import Status, Touchpoint, move_by_hand
from tests.unit.calendar.plans import HOURS, NOW, by_hand, calendar, come_due, plan, rhythm

DAY = timedelta(days=1)
POOLED: Owner = "pooled_csm"


def owners_after(stored: StoredCalendar, leads: Leads, csm_id: str | None = None) -> dict[str, Touchpoint]:
    wanted = plan([rhythm(7, owner=POOLED, csm_id=csm_id)], version=2)
    changes = reconcile(ReconcileContext(wanted, stored, HOURS, NOW, NOW, leads)).changes
    return {change.touchpoint.id: change.touchpoint for change in changes if change.kind is ChangeKind.MOVE}


def unowned() -> StoredCalendar:
    return calendar(plan([rhythm(7, owner=POOLED, csm_id=None)]))


@pytest.mark.parametrize("overdue", [False, True])
def test_what_has_come_due_without_a_person_gets_one(overdue: bool) -> None:  # noqa: FBT001
    """S165."""
    stored = come_due(unowned(), NOW, overdue=overdue)
    (owed,) = [each for each in stored.touchpoints if each.status is not Status.PLANNED]

    moved = owners_after(stored, Leads({POOLED: "bob"}), "bob")

    assert (moved[owed.id].csm_id, moved[owed.id].sequence) == ("bob", owed.sequence + 1)
    assert {each.csm_id for each in moved.values()} == {"bob"}


def test_what_a_person_planned_or_moved_gets_one_and_keeps_its_date() -> None:
    stored = unowned()
    last = stored.touchpoints[-1]
    moved = move_by_hand(last, last.due_at + DAY)
    hand = by_hand(NOW + 3 * DAY)
    touchpoints = (*stored.touchpoints[:-1], moved, hand)

    after = owners_after(
        StoredCalendar(touchpoints, stored.series, {}), Leads({POOLED: "bob", "csm": "ada"}), "bob"
    )

    assert (after[moved.id].csm_id, after[moved.id].due_at) == ("bob", moved.due_at)
    assert (after[hand.id].csm_id, after[hand.id].due_at) == ("ada", hand.due_at)


def test_who_is_gone_hands_over_what_is_due_but_not_what_a_person_gave_them() -> None:
    stored = come_due(calendar(plan([rhythm(7, owner=POOLED, csm_id="cyd")])), NOW)
    leads = Leads({POOLED: "bob"}, {"cyd"})
    given = [each._replace(pinned=True) for each in stored.touchpoints]

    assert {each.csm_id for each in owners_after(stored, leads, "bob").values()} == {"bob"}
    assert owners_after(StoredCalendar(given, stored.series, {}), leads, "bob") == {}


def test_nobody_changes_hands_while_everybody_is_there() -> None:
    stored = come_due(calendar(plan([rhythm(7, owner=POOLED, csm_id="cyd")])), NOW)

    assert owners_after(stored, Leads({POOLED: "bob"}), "cyd") == {}
