"""What is invited to in a simulation is what readers of events would know."""

from datetime import timedelta

from services.calendar.touchpoint import Origin
from services.simulation.invitations import Invitations
from tests.unit.cadence.events import shipped
from tests.unit.calendar.plans import NOW, by_hand

DAY = timedelta(days=1)
NEAR = by_hand(NOW + 100 * DAY)._replace(type="business_review", origin=Origin.RHYTHM, pinned=False)
FAR = NEAR._replace(id="far", due_at=NOW + 300 * DAY)


def invitations() -> Invitations:
    return Invitations(shipped())


def test_what_stood_before_is_invited_to_when_it_is_near() -> None:
    assert invitations().contains(NEAR, NOW, is_changed=False)
    assert not invitations().contains(FAR, NOW, is_changed=False)
    assert not invitations().contains(NEAR._replace(type="newsletter"), NOW, is_changed=False)


def test_what_has_just_changed_is_invited_to_once_it_was_announced() -> None:
    known = invitations()
    assert not known.contains(NEAR, NOW, is_changed=True)
    known.announce(NEAR, NOW)
    assert known.contains(NEAR, NOW, is_changed=True)
    assert not known.contains(NEAR._replace(due_at=NEAR.due_at + DAY), NOW, is_changed=True)


def test_what_the_leveller_moves_is_invited_to_where_it_is() -> None:
    known = invitations()
    known.announce(NEAR, NOW)
    known.announce(FAR, NOW)
    for each in (NEAR, FAR):
        known.announce_move(each._replace(due_at=each.due_at + DAY))
    assert known.contains(NEAR._replace(due_at=NEAR.due_at + DAY), NOW, is_changed=False)
    assert not known.contains(NEAR, NOW, is_changed=False)
    assert not known.contains(FAR._replace(due_at=FAR.due_at + DAY), NOW, is_changed=False)


def test_what_is_known_stays_known_when_it_moves_far_away() -> None:
    known, moved = invitations(), FAR._replace(id=NEAR.id)
    known.announce(NEAR, NOW)
    known.announce_move(moved)
    assert known.contains(moved, NOW, is_changed=False)
