"""What waits for an approval waits until somebody decides, and is never sent without one (U9)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.directory import ContactRecord, CsmRecord, PreferenceRecord
from services.notifier.domain.approval import Approval, DraftState, MessageHandling
from services.notifier.domain.decision import Action, Reason
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.delivery_policy import decide_delivery, decide_recipients
from services.notifier.domain.owner_policy import FALLBACK, find_approver
from services.notifier.domain.people import Account
from services.notifier.domain.situation import Directory, Situation
from tests.unit.notifier.events import NOON, due

ANN = ContactRecord(contact_id="ann", email="ann@acme.example", timezone="UTC")
TO_ANN = Recipient(RecipientKind.CONTACT, "ann")
UNTIL = NOON + timedelta(hours=30)
ACME = Account("acme", zones=("UTC",), contacts=(ANN,), csm_id="carl")
APPROVED_FIRST = MessageHandling(approve=True)
moments = st.datetimes(datetime(2026, 1, 5, 12), datetime(2026, 1, 8), timezones=st.just(UTC))  # noqa: DTZ001


def situation(state: DraftState | None, **more: object) -> Situation:
    approval = None if state is None else Approval(state, UNTIL, "Carl", "Carl: not now")
    known = {"account": ACME, "handling": APPROVED_FIRST, "approval": approval, **more}
    return Situation(**known)  # pyright: ignore[reportArgumentType]


@given(state=st.sampled_from(DraftState), now=moments, has_opted_out=st.booleans())
def test_only_an_approved_message_goes_at_any_moment_u9(
    *, state: DraftState, now: datetime, has_opted_out: bool
) -> None:
    refusals = [PreferenceRecord(contact_id="ann", opted_in=False, time=NOON, source="s", id="1")]
    around = situation(state, preferences=refusals if has_opted_out else [])
    decision = decide_delivery(due(), TO_ANN, "email", around, now)

    if decision.action is Action.SEND:
        assert state is DraftState.APPROVED
        assert not has_opted_out
    if state is DraftState.APPROVED and not has_opted_out:
        assert decision.action is Action.SEND
        quiet = now.hour >= 20 or now.hour < 8
        assert (decision.send_after is not None) == quiet
    if state is DraftState.PENDING and not has_opted_out:
        waits = now < UNTIL
        assert decision.action is (Action.WAIT if waits else Action.EXPIRE)
        assert decision.text == (
            "waits for approval by Carl" if waits else "nobody approved it until 2026-01-06T18:00:00Z"
        )


def test_a_draft_is_written_in_quiet_hours_too_and_only_where_the_policy_says_so() -> None:
    night = NOON + timedelta(hours=10)
    assert decide_delivery(due(), TO_ANN, "email", situation(None), night).send_after is None
    usual = situation(None, handling=MessageHandling())
    assert decide_delivery(due(), TO_ANN, "email", usual, night).send_after == NOON + timedelta(hours=20)


def test_a_rejection_and_a_withdrawal_have_their_reasons() -> None:
    rejected = decide_delivery(due(), TO_ANN, "email", situation(DraftState.REJECTED), NOON)
    assert (rejected.action, rejected.text) == (Action.SUPPRESS, "not approved: Carl: not now")
    withdrawn = decide_delivery(due(), TO_ANN, "email", situation(DraftState.WITHDRAWN), NOON)
    assert withdrawn.reason is Reason.WITHDRAWN


@given(st.none() | st.integers(1, 24_000), moments, moments)
def test_a_draft_never_waits_longer_than_its_message_is_worth_sending(
    hours: int | None, written_at: datetime, worth_until: datetime
) -> None:
    until = MessageHandling(approve=True, approve_hours=hours).approve_until(written_at, worth_until)
    assert until <= worth_until
    assert hours is None or until <= written_at + timedelta(hours=hours)


def test_the_csm_is_asked_else_their_manager_else_the_mailbox_else_nobody() -> None:
    carl = CsmRecord(csm_id="carl", email="carl@vendor.example", manager_id="mara", version=1)
    mara = CsmRecord(csm_id="mara", email="mara@vendor.example", role="manager", version=1)
    around = situation(None, csms={"carl": carl, "mara": mara}, fallback_to="ops@vendor.example")
    assert find_approver(around) == Recipient(RecipientKind.CSM, "carl")
    silent = replace(around, unknown_addresses=frozenset({"carl@vendor.example"}))
    assert find_approver(silent) == Recipient(RecipientKind.CSM, "mara")
    assert find_approver(replace(around, csms={})) == FALLBACK
    assert find_approver(replace(around, csms={}, fallback_to=None)) is None


@pytest.mark.parametrize("owner", ["automation", "csm"])
def test_what_a_person_leads_is_told_to_the_person_whatever_the_policy_hands_off(owner: str) -> None:
    directory = Directory(
        accounts={"acme": ACME},
        handlings={"tips": MessageHandling(hand_off="Sequencer")},
    )
    event = due(owner)
    decisions = decide_recipients(event, directory.situation_of(event), NOON)
    recipients = {one.recipient for one in decisions}
    assert (Recipient(RecipientKind.CONTACT, None) in recipients) == (owner == "automation")
