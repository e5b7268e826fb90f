"""Reminders through a notifier: mail to whoever leads it and to the audience, until it begins or changes (S169, S190)."""

from datetime import timedelta
from typing import Any

import pytest

from schemas.times import format_instant
from services.cadence.content.names import ContentName
from services.cadence.policy.load import shipped_contents
from tests.integration.notifier.conftest import ACME, NOON, Notifier, SetClock

pytestmark = pytest.mark.integration
REVIEW_AT = NOON + timedelta(hours=48)
TOUCHPOINT = "11111111-1111-4111-8111-111111111111"


async def prepare(notifier: Notifier) -> None:
    """Acme with Ann, who is written to in German, and Carl, who leads the account."""
    contacts = [{**ACME["contacts"][0], "language": "de"}]
    await notifier.add_acme(csm_id="carl", contacts=contacts)
    await notifier.add_carl(timezone="Europe/Berlin", phone="+49 30 1")
    for language in ("en", "de"):
        text = shipped_contents()[ContentName(language, "reminder", "customer")]
        await notifier.add_content("reminder", text, language=language)


def review(**more: Any) -> dict[str, Any]:
    return {
        "touchpoint_type": "business_review", "status": "planned", "owner": "csm", "channel": "meeting",
        "topic": "account", "audience": ["champion"], "due_at": format_instant(REVIEW_AT), "released_at": None,
        "deadline": None, "agenda": ["Numbers against goals"],
        **more,
    }  # fmt: skip


async def remind(notifier: Notifier, **more: Any) -> None:
    await notifier.consume(notifier.touchpoint("reminder", **review(**more)))


async def states(notifier: Notifier) -> dict[tuple[str, str], tuple[str, str]]:
    return {
        (one["recipient"]["id"], one["channel"]): (one["state"], one["reason"])
        for one in await notifier.deliveries()
    }


async def test_the_owner_and_the_audience_are_reminded_with_agenda_and_the_time_where_they_are(
    notifier: Notifier,
) -> None:
    await prepare(notifier)
    await remind(notifier)
    await notifier.send_gathered()

    by_address = {mail.to: mail for mail in notifier.mailer.mails}
    to_carl, to_ann = by_address["carl@vendor.example"], by_address["ann@acme.example"]
    assert to_carl.message.subject == "Reminder: Business review, Acme & Sons"
    assert "A reminder: it takes place soon" in to_carl.message.text
    assert "Planned for Wednesday, 4 March 2026 at 13:00 CET" in to_carl.message.text
    assert "Numbers against goals" in to_carl.message.text
    assert to_ann.message.subject == "Erinnerung: Ergebnisgespräch, Mittwoch, 4. März 2026 um 13:00 MEZ"
    assert "- Mit: Carl" in to_ann.message.text
    assert to_ann.reply_to is not None
    assert to_ann.reply_to.address == "carl@vendor.example"
    assert {state for state, _ in (await states(notifier)).values()} == {"sent"}
    assert set(await states(notifier)) == {("carl", "email"), ("carl", "in_app"), ("ann", "email")}


async def test_reminders_are_reported_as_reminders_and_repeated_events_change_nothing(
    notifier: Notifier,
) -> None:
    await prepare(notifier)
    await remind(notifier)
    await remind(notifier)
    await notifier.send_gathered()

    assert {one["touchpoint_type"] for one in await notifier.deliveries()} == {"reminder"}
    assert [one["touchpoint_type"] for one in await notifier.finished()] == ["reminder"] * 3
    assert len(notifier.mailer.mails) == 2


@pytest.mark.parametrize(
    ("kind", "changed"),
    [("moved", {"sequence": 4}), ("cancelled", {"sequence": 4, "status": "cancelled"})],
)
async def test_a_change_withdraws_what_is_not_sent(
    notifier: Notifier, kind: str, changed: dict[str, Any]
) -> None:
    await prepare(notifier)
    await remind(notifier)
    await notifier.consume(notifier.touchpoint(kind, **review(**changed)))
    await notifier.send_gathered()

    assert [mail.to for mail in notifier.mailer.mails if mail.to != "carl@vendor.example"] == []
    assert (await states(notifier))["ann", "email"][1].startswith("withdrawn: the touchpoint was")


@pytest.mark.parametrize(("outcome", "is_withdrawn"), [("completed", True), ("reopened", False)])
async def test_an_outcome_withdraws_the_reminders_of_its_touchpoint_alone(
    notifier: Notifier, outcome: str, *, is_withdrawn: bool
) -> None:
    await prepare(notifier)
    other = {"touchpoint_id": "22222222-1111-4111-8111-111111111111"}
    await remind(notifier)
    await remind(notifier, **other)
    await notifier.due(owner="csm", channel="call", topic="account", touchpoint_type="check_in")
    settled = {"touchpoint_id": TOUCHPOINT, "touchpoint_type": "business_review", "outcome": outcome}
    type_ = "drumbeat.touchpoint.settled.v1"
    await notifier.consume(
        notifier.record("touchpoint.outcomes", type_, "acme", settled, "s1"),
        notifier.record("touchpoint.outcomes", type_, "acme", {"outcome": 3}, "s2"),
    )

    found = [
        (one["touchpoint_id"], one["touchpoint_type"], one["state"]) for one in await notifier.deliveries()
    ]
    of_touchpoint = {state for id_, kind, state in found if id_ == TOUCHPOINT and kind == "reminder"}
    assert ("suppressed" in of_touchpoint) == is_withdrawn
    others = {state for id_, kind, state in found if id_ != TOUCHPOINT or kind != "reminder"}
    assert "suppressed" not in others
    assert await notifier.database.pool.fetchval("SELECT count(*) FROM dead_letter") == 0


async def test_what_waits_in_the_night_goes_in_the_morning_and_expires_once_it_has_begun(
    notifier: Notifier,
) -> None:
    SetClock.now_is = NOON + timedelta(hours=10)
    await prepare(notifier)
    early = {"touchpoint_id": "22222222-1111-4111-8111-111111111111"}
    await remind(notifier)
    await remind(notifier, due_at=format_instant(NOON + timedelta(hours=18)), **early)
    await notifier.send_gathered()
    assert (await states(notifier))["ann", "email"] == ("pending", "quiet hours")

    SetClock.now_is = NOON + timedelta(hours=20)
    await notifier.ready_again()
    await notifier.send_gathered()

    by_id = {
        one["touchpoint_id"]: one for one in await notifier.deliveries() if one["recipient"]["id"] == "ann"
    }
    assert by_id[TOUCHPOINT]["state"] == "sent"
    assert (by_id[early["touchpoint_id"]]["state"], by_id[early["touchpoint_id"]]["reason"]) == (
        "expired", "it began before the reminder was sent",
    )  # fmt: skip
