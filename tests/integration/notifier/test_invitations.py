"""Invitations by mail: one for each change, to whoever takes part, until the touchpoint is over."""

import email
from datetime import datetime, timedelta
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any, cast

import pytest
from icalendar import Calendar

from schemas.ids import derived_id
from schemas.times import format_instant
from services.chassis.faults import FaultInjected, arm
from services.chassis.mailbox import ParsedMailbox
from services.chassis.settings import Retention
from services.notifier.adapters.channels.email_message import Sender, build_email
from services.notifier.adapters.retention import prune_loop
from services.notifier.application.mail_ports import Mail
from services.notifier.domain.delivery import AttemptOutcome, Response
from tests.integration.notifier.conftest import ACME, NOON, Notifier, SetClock

pytestmark = pytest.mark.integration

REVIEW = "22222222-2222-4222-8222-222222222222"
CONTENT = Path(__file__).parents[3] / "services/cadence/policy/content"
LOST = Response(AttemptOutcome.AMBIGUOUS, "no answer after the message was handed over")
SOON = NOON + timedelta(days=8)


async def begin(notifier: Notifier, **account: Any) -> None:
    """An account that Carl leads, and a policy that puts reviews into calendars."""
    kinds = [
        {
            "touchpoint_type": "business_review",
            "owner": "csm",
            "channel": "meeting",
            "purpose": "",
            "invites": True,
        },
        {"touchpoint_type": "tips", "owner": "automation", "channel": "email", "purpose": ""},
    ]
    policy = {"policy": "p1", "touchpoint_types": kinds, "version": 1}
    await notifier.consume(
        notifier.record("directory.policy", "drumbeat.policy.directory.v1", "policy", policy, "policy:1")
    )
    await notifier.add_carl()
    await notifier.add_acme(csm_id="carl", **account)
    await notifier.add_content("invitation", (CONTENT / "en/invitation.md").read_text("utf-8"))


async def announce(
    notifier: Notifier, kind: str = "scheduled", at: datetime = SOON, sequence: int = 1, **more: Any
) -> None:
    fields: dict[str, Any] = {
        "touchpoint_id": REVIEW,
        "touchpoint_type": "business_review",
        "status": "cancelled" if kind == "cancelled" else "planned",
        "due_at": format_instant(at),
        "released_at": None,
        "deadline": None,
        "window": {"from": format_instant(at), "to": format_instant(at + timedelta(days=1))},
        "owner": "csm",
        "channel": "meeting",
        "topic": "account",
        "minutes": 60,
        "sequence": sequence,
        "agenda": ["Figures against goals", "Next steps"],
    }
    await notifier.consume(notifier.touchpoint(kind, **{**fields, **more}))


async def send(notifier: Notifier) -> list[Mail]:
    """Send what is ready, with what is gathered; the mails of this pass."""
    before = len(notifier.mailer.mails)
    await notifier.send_gathered()
    return notifier.mailer.mails[before:]


async def advance(notifier: Notifier, to: datetime) -> list[Mail]:
    SetClock.now_is = to
    await notifier.queue.wake_due()
    return await send(notifier)


def entry(mail: Mail) -> dict[str, Any]:
    """What a calendar reads of a mail."""
    assert mail.calendar is not None
    calendar = Calendar.from_ical(mail.calendar.content)
    event = cast("Any", calendar.events[0])
    attendees: list[Any] = event.get("ATTENDEE", [])
    attendees = attendees if isinstance(attendees, list) else [attendees]  # pyright: ignore[reportUnnecessaryIsInstance]
    return {
        "method": str(calendar["METHOD"]),
        "uid": str(event["UID"]),
        "sequence": event["SEQUENCE"],
        "starts": event["DTSTART"].dt,
        "ends": event["DTEND"].dt,
        "status": str(event["STATUS"]),
        "organizer": str(event["ORGANIZER"]),
        "attendees": {str(one): one.params["PARTSTAT"] for one in attendees},
    }


def changes(mails: list[Mail]) -> dict[str, tuple[str, int]]:
    return {mail.to: (entry(mail)["method"], entry(mail)["sequence"]) for mail in mails}


async def invitations(notifier: Notifier) -> dict[tuple[str | None, str], str]:
    """Recipient and state -> reason, of all deliveries to calendars."""
    rows = await notifier.deliveries(channel="calendar")
    return {(row["recipient"]["id"], row["state"]): row["reason"] for row in rows}


ANN_AND_BEN = ("ann@acme.example", "ben@acme.example")
CARL = "carl@vendor.example"


async def test_contacts_and_who_leads_it_are_invited_to_what_is_scheduled(notifier: Notifier) -> None:
    """S188."""
    await begin(notifier)
    await announce(notifier)
    mails = await send(notifier)

    assert changes(mails) == dict.fromkeys((*ANN_AND_BEN, CARL), ("REQUEST", 1))
    of_ann = next(mail for mail in mails if mail.to == "ann@acme.example")
    read = entry(of_ann)
    assert (read["uid"], read["starts"], read["status"]) == (REVIEW, SOON, "CONFIRMED")
    assert read["ends"] - read["starts"] == timedelta(hours=1)
    assert read["organizer"] == f"mailto:{CARL}"
    assert read["attendees"] == {
        f"mailto:{CARL}": "ACCEPTED",
        "mailto:ann@acme.example": "NEEDS-ACTION",
        "mailto:ben@acme.example": "NEEDS-ACTION",
    }
    assert of_ann.message.subject == "Invitation: Business review, Tuesday, 10 March 2026 at 13:00 CET"
    assert "Figures against goals" in of_ann.message.text
    assert of_ann.reply_to is not None
    assert of_ann.reply_to.address == CARL
    assert of_ann.unsubscribe_url is not None
    of_carl = next(mail for mail in mails if mail.to == CARL)
    assert (of_carl.reply_to, of_carl.unsubscribe_url) == (None, None)
    assert "Tuesday, 10 March 2026 at 12:00 UTC" in of_carl.message.text
    assert await notifier.finished() == [], "an invitation settles nothing and is no contact"


async def test_a_repeated_event_invites_nobody_again_and_other_types_nobody(notifier: Notifier) -> None:
    await begin(notifier)
    for _ in range(2):
        await announce(notifier)
        await send(notifier)
    await announce(notifier, touchpoint_type="tips", touchpoint_id="33333333-2222-4222-8222-222222222222")
    await announce(notifier, topic=None, touchpoint_id="44444444-2222-4222-8222-222222222222")
    by_mail: dict[str, Any] = {"owner": "automation", "channel": "email"}
    await announce(notifier, touchpoint_id="55555555-2222-4222-8222-222222222222", **by_mail)

    assert len(await send(notifier) + notifier.mailer.mails) == 3


async def test_a_move_is_an_update_and_nothing_that_a_calendar_shows_the_same(notifier: Notifier) -> None:
    """S189: never a second invitation."""
    await begin(notifier)
    await announce(notifier)
    await send(notifier)

    await announce(notifier, "moved", SOON + timedelta(days=1), sequence=3)
    mails = await send(notifier)
    assert changes(mails) == dict.fromkeys((*ANN_AND_BEN, CARL), ("REQUEST", 3))
    assert {entry(mail)["uid"] for mail in mails} == {REVIEW}
    assert mails[0].message.subject.startswith("Changed: ")

    await announce(
        notifier,
        "moved",
        SOON + timedelta(days=1),
        sequence=4,
        deadline=format_instant(SOON + timedelta(days=9)),
    )
    assert await send(notifier) == []
    assert (await invitations(notifier))["ann", "suppressed"] == "the calendar shows it already"


async def test_a_move_before_the_invitation_went_leaves_one_invitation(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier)
    await announce(notifier, "moved", SOON + timedelta(days=1), sequence=2)

    mails = await send(notifier)
    assert changes(mails) == dict.fromkeys((*ANN_AND_BEN, CARL), ("REQUEST", 2))
    assert all(mail.message.subject.startswith("Invitation: ") for mail in mails)
    assert (await invitations(notifier))["ann", "suppressed"] == "withdrawn: the touchpoint was moved"


async def test_a_cancellation_goes_to_whoever_has_an_invitation_and_only_to_those(notifier: Notifier) -> None:
    opt_out = {"contact_id": "ben", "topic": "account", "opted_in": False}
    provenance = {"time": "2026-03-01T00:00:00Z", "source": "crm", "id": "1"}
    await begin(notifier, preferences=[{**opt_out, **provenance}])
    await announce(notifier)
    await send(notifier)

    await announce(notifier, "cancelled", sequence=2)
    mails = await send(notifier)
    assert changes(mails) == dict.fromkeys(("ann@acme.example", CARL), ("CANCEL", 2))
    assert {entry(mail)["status"] for mail in mails} == {"CANCELLED"}
    assert mails[0].message.subject.startswith("Cancelled: ")
    await announce(notifier, "cancelled", sequence=2)
    assert await send(notifier) == []


async def test_what_is_cancelled_before_the_invitation_went_tells_nobody(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier)
    await announce(notifier, "cancelled", sequence=2)

    assert await send(notifier) == []
    assert (await invitations(notifier))["ann", "suppressed"] == "withdrawn: the touchpoint was cancelled"


async def test_an_invitation_in_doubt_is_cancelled_too(notifier: Notifier) -> None:
    await begin(notifier, contacts=ACME["contacts"][:1])
    await announce(notifier)
    notifier.mailer.responses = [LOST, LOST]
    await send(notifier)

    await announce(notifier, "cancelled", sequence=2)
    assert changes(await send(notifier)) == dict.fromkeys(("ann@acme.example", CARL), ("CANCEL", 2))


async def test_an_invitation_that_the_relay_refused_is_not_cancelled(notifier: Notifier) -> None:
    await begin(notifier, contacts=ACME["contacts"][:1])
    await announce(notifier)
    refused = Response(AttemptOutcome.REFUSED, "550 no such user", is_permanent=True)
    notifier.mailer.responses = [refused, refused]
    await send(notifier)

    await announce(notifier, "cancelled", sequence=2)
    assert await send(notifier) == []


async def test_whoever_is_not_invited_any_more_gets_a_cancellation_with_the_move(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier)
    await send(notifier)
    contacts = [ACME["contacts"][0], {**ACME["contacts"][1], "left": True}]
    await notifier.add_acme(version=2, csm_id="carl", contacts=contacts)

    await announce(notifier, "moved", SOON + timedelta(days=1), sequence=2)
    assert changes(await send(notifier)) == {
        "ann@acme.example": ("REQUEST", 2),
        "ben@acme.example": ("CANCEL", 2),
        CARL: ("REQUEST", 2),
    }


async def test_another_leader_invites_anew_and_the_former_one_is_let_go(notifier: Notifier) -> None:
    await begin(notifier, contacts=ACME["contacts"][:1])
    await announce(notifier)
    await send(notifier)
    dora = {"csm_id": "dora", "name": "Dora", "email": "dora@vendor.example", "version": 1}
    await notifier.consume(
        notifier.record("directory.csms", "drumbeat.csm.directory.v1", "dora", dora, "dora:1")
    )

    await announce(
        notifier,
        "moved",
        sequence=2,
        owner={"kind": "csm", "csm_id": "dora"},
        previous_owner={"kind": "csm", "csm_id": "carl"},
    )
    mails = {mail.to: entry(mail) for mail in await send(notifier) if mail.calendar is not None}
    assert {to: one["method"] for to, one in mails.items()} == {
        "ann@acme.example": "REQUEST",
        "dora@vendor.example": "REQUEST",
        CARL: "CANCEL",
    }
    assert mails["ann@acme.example"]["organizer"] == "mailto:dora@vendor.example"
    assert mails[CARL]["organizer"] == f"mailto:{CARL}"
    (of_carl,) = [
        mail for mail in notifier.mailer.mails if mail.to == CARL and entry_or_none(mail) == "CANCEL"
    ]
    assert of_carl.message.subject.startswith("Without you: ")


def entry_or_none(mail: Mail) -> str | None:
    return mail.calendar.method if mail.calendar is not None else None


async def test_what_is_far_ahead_waits_until_six_months_before(notifier: Notifier) -> None:
    await begin(notifier)
    far = NOON + timedelta(days=301)
    await announce(notifier, at=far)
    assert await send(notifier) == []
    assert (await invitations(notifier))["ann", "pending"] == "goes six months before its time"
    await notifier.database.pool.execute("DELETE FROM feed")  # events are kept for six weeks

    assert await advance(notifier, far - timedelta(days=184)) == []
    mails = await advance(notifier, far - timedelta(days=182, hours=4))
    assert changes(mails) == dict.fromkeys((*ANN_AND_BEN, CARL), ("REQUEST", 1))


async def test_a_contact_gets_five_invitations_a_morning_the_soonest_first(notifier: Notifier) -> None:
    await begin(notifier, contacts=ACME["contacts"][:1])
    for number in range(7, 0, -1):
        at = NOON + timedelta(days=20 * number)
        await announce(notifier, at=at, touchpoint_id=f"{number:08}-2222-4222-8222-222222222222")
    # NOON is 13:00 in Berlin: the next morning begins at 07:30, quiet hours end at 08:00.
    assert [mail.to for mail in await send(notifier)] == []

    sent = [
        [
            entry(mail)["uid"][7]
            for mail in await advance(notifier, datetime.fromisoformat(f"2026-03-{day}T07:00Z"))
            if mail.to != CARL
        ]
        for day in ("03", "04", "05")
    ]
    assert [sorted(uids) for uids in sent] == [["1", "2", "3", "4", "5"], ["6", "7"], []]
    assert len([mail for mail in notifier.mailer.mails if mail.to == CARL]) == 7


async def test_on_a_fast_clock_the_morning_may_have_passed(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier, at=NOON + timedelta(days=60))

    assert changes(await advance(notifier, NOON + timedelta(days=1))) == dict.fromkeys(
        (*ANN_AND_BEN, CARL), ("REQUEST", 1)
    )


async def test_updates_and_cancellations_do_not_wait_for_a_morning(notifier: Notifier) -> None:
    await begin(notifier)
    far = NOON + timedelta(days=60)
    await announce(notifier, at=far)
    await advance(notifier, NOON + timedelta(days=1))

    await announce(notifier, "moved", far + timedelta(days=1), sequence=2)
    assert len(await send(notifier)) == 3
    await announce(notifier, "cancelled", far + timedelta(days=1), sequence=3)
    assert len(await send(notifier)) == 3


async def test_quiet_hours_of_the_contact_hold_what_is_soon(notifier: Notifier) -> None:
    await begin(notifier)
    SetClock.now_is = NOON.replace(hour=22)
    await announce(notifier)

    assert [mail.to for mail in await send(notifier)] == [CARL]
    mails = await advance(notifier, NOON + timedelta(hours=19))
    assert sorted(mail.to for mail in mails) == sorted(ANN_AND_BEN)


async def test_an_opt_out_between_planning_and_sending_binds(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier)
    await notifier.http.put("/v1/contacts/ann/preferences", json={"topics": {"account": {"opted_in": False}}})

    mails = {mail.to: entry(mail) for mail in await send(notifier)}
    assert sorted(mails) == ["ben@acme.example", CARL]
    assert "mailto:ann@acme.example" not in mails["ben@acme.example"]["attendees"]
    assert (await invitations(notifier))["ann", "suppressed"].startswith("the contact opted out")


async def test_a_pause_without_end_binds_and_one_that_ends_in_time_holds_the_invitation(
    notifier: Notifier,
) -> None:
    await begin(notifier)
    await announce(notifier)
    pause = {
        "contact_id": "ann",
        "reason": "crisis",
        "time": "2026-03-01T00:00:00Z",
        "source": "crm",
        "id": "1",
    }
    until = format_instant(NOON + timedelta(days=2))
    pauses = [pause, {**pause, "contact_id": "ben", "until": until, "id": "2"}]
    await notifier.add_acme(version=2, csm_id="carl", pauses=pauses)

    assert [mail.to for mail in await send(notifier)] == [CARL]
    found = await invitations(notifier)
    assert found["ann", "suppressed"] == found["ben", "pending"] == "outreach is paused: crisis"
    assert [mail.to for mail in await advance(notifier, NOON + timedelta(days=2))] == ["ben@acme.example"]


async def test_on_hold_contacts_are_not_invited_and_the_reason_is_stored(notifier_on_hold: Notifier) -> None:
    notifier = notifier_on_hold
    await begin(notifier)
    await announce(notifier)

    (mail,) = await send(notifier)
    assert (mail.to, list(entry(mail)["attendees"])) == (CARL, [f"mailto:{CARL}"])
    assert (await invitations(notifier))[None, "expired"] == "customer messages are on hold"


async def test_where_nobody_can_be_invited_the_reason_is_stored_and_nobody_else_is_told(
    notifier: Notifier,
) -> None:
    await begin(notifier, contacts=[{"contact_id": "ann", "name": "Ann", "role": "champion"}])
    await announce(notifier)

    assert [mail.to for mail in await send(notifier)] == [CARL]
    assert (await invitations(notifier))["ann", "pending"] == "waiting for an email address"
    await advance(notifier, SOON + timedelta(days=2))
    assert (await invitations(notifier))["ann", "expired"] == "its time came before it was sent"


async def test_what_waits_for_contacts_ends_when_its_time_has_come(notifier: Notifier) -> None:
    await begin(notifier, contacts=[])
    await announce(notifier)
    assert [mail.to for mail in await send(notifier)] == [CARL]
    assert (await invitations(notifier))[None, "pending"] == "waiting for data about the recipient"

    await advance(notifier, SOON)
    assert (await invitations(notifier))[None, "expired"] == "its time came before it was sent"


async def test_what_nobody_leads_yet_waits_for_who_does(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier, owner={"kind": "csm"})
    assert await send(notifier) == []
    assert (await invitations(notifier))[None, "suppressed"] == "nobody leads it yet"

    await announce(notifier, "moved", sequence=2, previous_owner={"kind": "csm"}, changed_by="plan")
    mails = [mail for mail in await send(notifier) if mail.calendar is not None]
    assert changes(mails) == dict.fromkeys((*ANN_AND_BEN, CARL), ("REQUEST", 2))


async def test_what_is_planned_again_is_invited_to_again(notifier: Notifier) -> None:
    """Whether its cancellation went or waits."""
    await begin(notifier)
    await announce(notifier)
    await send(notifier)
    await announce(notifier, "cancelled", sequence=2)
    await announce(notifier, sequence=3)
    mails = await send(notifier)
    assert {("ann@acme.example", ("REQUEST", 3)), (CARL, ("REQUEST", 3))} <= {
        (mail.to, (entry(mail)["method"], entry(mail)["sequence"])) for mail in mails
    }

    await announce(notifier, "cancelled", sequence=4)
    assert changes(await send(notifier)) == dict.fromkeys((*ANN_AND_BEN, CARL), ("CANCEL", 4))
    await announce(notifier, sequence=5)
    assert changes(await send(notifier)) == dict.fromkeys((*ANN_AND_BEN, CARL), ("REQUEST", 5))


STEPS = (
    "consumer.before_commit",
    "sender.after_claim",
    "sender.after_begin",
    "sender.after_send",
    "sender.before_commit",
    "sender.after_commit",
)
"""At each of these the process may be gone: the event is taken in, its deliveries are claimed, each mail is begun (nobody
knows from then on what the calendar has), handed over to the relay, and recorded."""


@pytest.mark.parametrize("point", STEPS)
@pytest.mark.parametrize("kind", ["scheduled", "moved", "cancelled"])
async def test_a_crash_between_any_two_steps_leaves_one_mail_a_change(
    notifier: Notifier, kind: str, point: str
) -> None:
    """A mail that may have been sent is sent again with the same Message-ID and sequence; no sequence falls."""
    await begin(notifier, contacts=ACME["contacts"][:1])
    if kind != "scheduled":
        await announce(notifier)
        await send(notifier)
    sequence = 1 if kind == "scheduled" else 2
    at = SOON if kind == "scheduled" else SOON + timedelta(days=1)
    crashes = 0
    for number in (1, 2):
        arm(f"{point}=raise@{number}")
        try:
            await announce(notifier, kind, at, sequence=sequence)
            await send(notifier)
        except (FaultInjected, ExceptionGroup):
            crashes += 1
        finally:
            arm("")
        await notifier.queue.take_over_leases()
    # What fails as outcomes are recorded is logged by the recorder, and recorded again.
    assert crashes > 0 or point in ("sender.before_commit", "sender.after_commit")
    await announce(notifier, kind, at, sequence=sequence)
    await send(notifier)

    of_change = [mail for mail in notifier.mailer.mails if entry(mail)["sequence"] == sequence]
    assert {mail.to for mail in of_change} == {"ann@acme.example", CARL}
    assert len({mail.delivery_id for mail in of_change}) == 2, "one invitation a change"
    method = "CANCEL" if kind == "cancelled" else "REQUEST"
    assert {entry(mail)["method"] for mail in of_change} == {method}
    for to in ("ann@acme.example", CARL):
        sequences = [entry(mail)["sequence"] for mail in notifier.mailer.mails if mail.to == to]
        assert sequences == sorted(sequences)
    rows = await notifier.deliveries(channel="calendar")
    assert {row["state"] for row in rows} == {"sent"}


async def test_an_erased_account_leaves_no_invitation(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier)
    await send(notifier)
    count = "SELECT count(*) FROM invitation"
    assert await notifier.database.pool.fetchval(count) == 3
    await notifier.consume(notifier.record("touchpoint.events", "", "acme", {}, "")._replace(value=None))

    assert await notifier.database.pool.fetchval(count) == 0


async def test_an_erased_contact_leaves_no_invitation_and_a_merge_takes_the_others_along(
    notifier: Notifier,
) -> None:
    await begin(notifier)
    await announce(notifier)
    await send(notifier)
    erased = [derived_id("contact", "ann")]
    await notifier.add_acme(version=2, csm_id="carl", contacts=ACME["contacts"][1:], erased_contacts=erased)
    merged = {"account_id": "acme", "merged_into": "globex", "version": 3}
    kind = "drumbeat.account.directory.v1"
    await notifier.consume(notifier.record("directory.accounts", kind, "acme", merged, "acme:3"))

    rows = await notifier.database.pool.fetch(
        "SELECT recipient_id, account_id FROM invitation ORDER BY recipient_id"
    )
    assert [tuple(row) for row in rows] == [("ben", "globex"), ("carl", "globex")]


async def test_invitations_to_what_is_long_over_are_pruned(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier)
    await send(notifier)
    prune = prune_loop(notifier.database, notifier.queue, SetClock(NOON, NOON, 1.0), Retention())
    count = "SELECT count(*) FROM invitation"
    for days, left in ((39, 3), (41, 0)):
        SetClock.now_is = SOON + timedelta(days=days)
        await prune.run_once()
        assert await notifier.database.pool.fetchval(count) == left


async def test_the_whole_mail_has_the_calendar_as_an_alternative_and_as_a_file(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier)
    (mail, *_) = await send(notifier)
    sender = Sender(ParsedMailbox("Northwind", "hello@vendor.example"))
    _, content = build_email(mail, sender=sender, at=NOON)
    read = email.message_from_bytes(content, _class=EmailMessage, policy=default)

    types = [part.get_content_type() for part in read.walk() if not part.is_multipart()]
    assert types == ["text/plain", "text/html", "text/calendar", "application/ics"]
    (part,) = [part for part in read.walk() if part.get_content_type() == "text/calendar"]
    assert (part.get_param("method"), part.get_param("charset")) == ("REQUEST", "utf-8")
    (file,) = read.iter_attachments()
    assert file.get_filename() == "invite.ics"
    assert mail.calendar is not None
    assert file.get_content() == mail.calendar.content
    assert part.get_payload(decode=True) == mail.calendar.content


async def test_an_invitation_is_previewed_for_an_account_and_a_language(notifier: Notifier) -> None:
    await begin(notifier)
    await notifier.add_content("invitation", (CONTENT / "de/invitation.md").read_text("utf-8"), language="de")
    wanted = {"touchpoint_type": "invitation", "account_id": "acme"}

    shown = (await notifier.http.get("/v1/preview", params=wanted)).json()
    assert shown["subject"] == "Invitation: Business review, Monday, 16 March 2026 at 13:00 CET"
    assert "- Carl\n- Ann\n- Ben" in shown["text"]
    german = (await notifier.http.get("/v1/preview", params={**wanted, "language": "de"})).json()
    assert german["subject"].startswith("Einladung: ")
    sent = await notifier.http.post("/v1/preview/send", json={**wanted, "to": "me@vendor.example"})
    assert sent.json()["state"] == "sent"
    (mail,) = notifier.mailer.mails
    assert mail.calendar is None, "a test changes no calendar"
    unknown = await notifier.http.get("/v1/preview", params={**wanted, "account_id": "zoe"})
    assert unknown.status_code == 404
