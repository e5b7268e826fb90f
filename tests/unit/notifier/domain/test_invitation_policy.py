"""Who gets an invitation, an update or a cancellation: every decision for every reader has a reason."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.directory import ContactRecord, CsmRecord
from services.notifier.domain.decision import Action, Reason
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import CANCELLED, MOVED, SCHEDULED, Event
from services.notifier.domain.invitation import Invitation
from services.notifier.domain.invitation_policy import (
    decide_invitation,
    decide_invitations,
    find_attendees,
    times_of,
)
from services.notifier.domain.people import Account, Pause
from services.notifier.domain.situation import Situation
from tests.unit.notifier.events import NOON, due
from tests.unit.notifier.invites import review

ANN = ContactRecord(contact_id="ann", email="ann@acme.example", role="champion")
BEN = ContactRecord(contact_id="ben", email="ben@acme.example", role="admin")
CARL = CsmRecord(csm_id="carl", email="carl@vendor.example", version=1)
TO_ANN, TO_BEN = Recipient(RecipientKind.CONTACT, "ann"), Recipient(RecipientKind.CONTACT, "ben")
TO_CARL = Recipient(RecipientKind.CSM, "carl")
AT = NOON + timedelta(days=7)


def situation(*contacts: ContactRecord, **more: Any) -> Situation:
    account = Account("acme", "Acme", contacts=contacts or (ANN, BEN), csm_id="carl")
    fields: dict[str, Any] = {"account": account, "csms": {"carl": CARL}, "invites": True, **more}
    return Situation(**fields)


def event(kind: str = SCHEDULED, at: datetime = AT, **more: object) -> Event:
    return replace(review(at, **more), type=kind)


def actions(about: Event, among: Situation) -> dict[Recipient, tuple[Action, Reason]]:
    decisions = decide_invitations(about, among, NOON)
    return {one.recipient: (one.decision.action, one.decision.reason) for one in decisions}


READY = (Action.SEND, Reason.READY)
SHOWN = Invitation(1, AT, AT + timedelta(hours=1), "carl")


def test_the_audience_and_who_leads_it_are_invited() -> None:
    assert actions(event(), situation()) == {TO_ANN: READY, TO_BEN: READY, TO_CARL: READY}
    assert actions(event(audience=("champion",)), situation()) == {TO_ANN: READY, TO_CARL: READY}
    assert find_attendees(event(), situation(), NOON) == [TO_ANN, TO_BEN, TO_CARL]


def test_nobody_is_invited_to_what_is_no_appointment_or_over() -> None:
    assert actions(event(), situation(invites=False)) == {}
    assert actions(event(at=NOON), situation()) == {}
    assert not due().concerns_calendars
    assert not replace(event(topic=None), type=SCHEDULED).concerns_calendars
    assert not event(MOVED, status="due").concerns_calendars


def test_a_type_that_is_not_invited_to_any_more_still_updates_who_has_it() -> None:
    moved = event(MOVED, AT + timedelta(days=1))
    among = situation(invites=False, invitations={TO_ANN: SHOWN})
    assert actions(moved, among) == {TO_ANN: READY}


@pytest.mark.parametrize(
    "change", [{"at": AT + timedelta(hours=1)}, {"minutes": 30}, {"owner": {"kind": "csm", "csm_id": "dora"}}]
)
def test_a_move_goes_where_a_calendar_shows_a_difference(change: dict[str, Any]) -> None:
    among = situation(invitations={TO_ANN: SHOWN})
    assert actions(event(MOVED), among)[TO_ANN] == (Action.SUPPRESS, Reason.UNCHANGED)
    assert actions(event(MOVED, **change), among)[TO_ANN] == READY
    assert actions(event(), among)[TO_ANN] == READY, "planned again: its cancellation may wait"
    doubtful = situation(invitations={TO_ANN: Invitation(1)})
    assert actions(event(MOVED), doubtful)[TO_ANN] == READY


def test_a_cancellation_of_before_does_not_follow_what_was_planned_again() -> None:
    among = situation(invitations={TO_ANN: replace(SHOWN, sequence=9)})
    decided = decide_invitation(event(CANCELLED, sequence=8), TO_ANN, among, NOON)
    assert (decided.method, decided.decision.reason) == ("CANCEL", Reason.WITHDRAWN)
    assert decide_invitation(event(CANCELLED, sequence=9), TO_ANN, among, NOON).decision.action is Action.SEND


@pytest.mark.parametrize(
    ("ann", "more", "reason"),
    [
        (ANN.model_copy(update={"left": True}), {}, Reason.NOT_INVITED),
        (ANN.model_copy(update={"email": None}), {}, Reason.NO_ADDRESS_YET),
        (ANN, {"unknown_addresses": frozenset({"ann@acme.example"})}, Reason.UNKNOWN_ADDRESS),
        (ANN, {"mail_hold": "no organisation"}, Reason.MAIL_ON_HOLD),
        (ANN, {"live": False}, Reason.ON_HOLD),
        (ANN, {"withdrawal_reason": "the touchpoint was moved"}, Reason.WITHDRAWN),
    ],
)
def test_whoever_may_not_be_written_to_is_not_invited(
    ann: ContactRecord, more: dict[str, Any], reason: Reason
) -> None:
    decided = decide_invitation(event(), TO_ANN, situation(ann, BEN, **more), NOON)
    assert (decided.method, decided.decision.reason) == ("REQUEST", reason)
    assert decided.decision.action is not Action.SEND
    assert (
        TO_ANN not in find_attendees(event(), situation(ann, BEN, **more), NOON) or reason is Reason.WITHDRAWN
    )


@pytest.mark.parametrize(
    ("days", "method", "action"),
    [(None, "CANCEL", Action.SEND), (3, "REQUEST", Action.WAIT), (9, "CANCEL", Action.SEND)],
)
def test_a_pause_that_ends_in_time_holds_an_update_any_other_takes_the_date_back(
    days: int | None, method: str, action: Action
) -> None:
    until = None if days is None else NOON + timedelta(days=days)
    account = Account("acme", "Acme", contacts=(ANN,), pauses=(Pause("ann", until, "crisis"),))
    among = situation(account=account, invitations={TO_ANN: SHOWN})
    decided = decide_invitation(event(MOVED, AT + timedelta(hours=1)), TO_ANN, among, NOON)
    assert (decided.method, decided.decision.action) == (method, action)
    if action is Action.WAIT:
        assert decided.decision.send_after == until


def test_without_minutes_it_takes_half_an_hour() -> None:
    content: Any = event(minutes=0).content
    assert times_of(content) == (AT, AT + timedelta(minutes=30))
