"""What people of ours are told: at once where it is urgent, else in the mail of their day; and that they can act."""

import random
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from schemas.times import format_instant
from services.notifier.application.send_messages import send_messages
from services.notifier.domain.delivery import AttemptOutcome, Response
from tests.integration.notifier.conftest import GATHERED, Notifier, SetClock, touchpoint

pytestmark = pytest.mark.integration

TUESDAY = datetime(2026, 3, 3, 6, 30, tzinfo=UTC)  # 07:30 in Berlin
BERLIN = {"timezone": "Europe/Berlin"}
CHECK_IN: dict[str, Any] = {
    "owner": "csm",
    "channel": "call",
    "touchpoint_type": "check_in",
    "topic": "account",
}


RETRIED = "UPDATE delivery_queue SET next_at = clock_timestamp() WHERE attempts > 0"


def number(last: int) -> str:
    return f"{last:08d}-1111-4111-8111-111111111111"


def urgent(last: int, **more: Any) -> dict[str, Any]:
    deadline = format_instant(SetClock.now_is + timedelta(hours=24))
    return {**CHECK_IN, "touchpoint_id": number(last), "deadline": deadline, **more}


async def states(notifier: Notifier) -> dict[tuple[str, str | None], tuple[str, str | None]]:
    return {
        (row["touchpoint_id"], row["recipient"]["id"]): (row["state"], row["message_id"])
        for row in await notifier.deliveries()
        if row["channel"] == "email"
    }


async def test_urgent_work_of_one_account_is_one_mail_at_once_and_each_touchpoint_has_its_delivery(
    notifier: Notifier,
) -> None:
    await notifier.add_acme()
    await notifier.add_carl()

    for last in (1, 2, 3):
        await notifier.due(**urgent(last))
    await notifier.send_gathered()

    (mail,) = notifier.mailer.mails
    assert mail.to == "carl@vendor.example"
    assert mail.message.subject == "Now: 3 touchpoints, Acme & Sons"
    rows = await states(notifier)
    assert {state for state, _ in rows.values()} == {"sent"}
    assert {message_id for _, message_id in rows.values()} == {mail.delivery_id}
    assert len(rows) == 3
    feed = (await notifier.http.get("/v1/inbox", params={"csm_id": "carl"})).json()["items"]
    assert len(feed) == 3


async def test_the_figures_of_several_mails_are_asked_for_at_once(notifier: Notifier) -> None:
    await notifier.add_acme()
    await notifier.add_carl()
    for last, account in ((1, "acme"), (2, "globex"), (3, "initech")):
        await notifier.due(**urgent(last, account_id=account))

    await notifier.send_gathered()

    assert len(notifier.mailer.mails) == 3
    (wanted,) = [body for path, _, body in notifier.facts.requests if path == "/v1/figures"]
    assert {one["account_id"] for one in wanted["items"]} == {"acme", "globex", "initech"}


async def test_a_mail_that_is_tried_again_keeps_its_deliveries_and_its_message_id(notifier: Notifier) -> None:
    await notifier.add_acme()
    await notifier.add_carl()
    notifier.mailer.responses = [Response(AttemptOutcome.DEFERRED, "450 busy")]
    await notifier.due(**urgent(1))
    await notifier.due(**urgent(2))
    await notifier.send_gathered()

    await notifier.due(**urgent(3))  # after the first attempt: a mail of its own
    await notifier.ready_again()
    await notifier.send_gathered()

    first, *later = notifier.mailer.mails
    again = next(mail for mail in later if mail.delivery_id == first.delivery_id)
    assert len(later) == 2
    assert first.message.subject == again.message.subject == "Now: 2 touchpoints, Acme & Sons"
    assert {state for state, _ in (await states(notifier)).values()} == {"sent"}
    attempts = [len(row["attempts"]) for row in await notifier.deliveries() if row["channel"] == "email"]
    assert sorted(attempts) == [1, 2, 2]


async def test_after_a_lost_lease_the_mail_is_completed_once_with_the_same_deliveries(
    notifier: Notifier,
) -> None:
    await notifier.add_acme()
    await notifier.add_carl()
    await notifier.due(**urgent(1))
    await notifier.due(**urgent(2))
    await notifier.ready_again()
    slow, directory, now = await notifier.queue.claim_messages(50)
    await notifier.database.pool.execute("UPDATE delivery_queue SET lease_until = '2000-01-01Z'")

    await notifier.send_gathered()
    await notifier.queue.complete(await send_messages(slow, directory, now, sending=notifier.sending))

    assert len({mail.delivery_id for mail in notifier.mailer.mails}) == 1
    finished = [row for row in await notifier.finished() if row["channel"] == "email"]
    assert len(finished) == 2


async def test_the_rest_of_a_day_is_one_mail_at_half_past_seven_and_what_comes_due_later_adds_none(
    notifier: Notifier,
) -> None:
    await notifier.add_acme()
    await notifier.add_carl(**BERLIN)
    notifier.facts.figures["acme"] = {
        "conversation": {"at": "2026-02-20T10:00:00Z", "channel": "call", "notes": "They want the export."}
    }
    await notifier.due(**CHECK_IN, touchpoint_id=number(1))
    await notifier.open_days()
    await notifier.send_gathered()
    assert notifier.mailer.mails == []

    later = {**CHECK_IN, "touchpoint_id": number(2), "due_at": "2026-03-03T13:00:00Z"}
    notifier.calendar.add(touchpoint(**later, status="planned", sequence=1, agenda=["Numbers", "Next steps"]))
    SetClock.now_is = TUESDAY + timedelta(seconds=1)
    assert await notifier.open_days() == 1
    assert await notifier.open_days() == 0
    await notifier.send_gathered()
    SetClock.now_is = TUESDAY + timedelta(hours=7)
    await notifier.due(**later)
    await notifier.queue.wake_due()
    await notifier.send_gathered()

    (mail,) = notifier.mailer.mails
    assert mail.message.subject == "Your day: 2 touchpoints"
    for words in ("Acme & Sons", "14:00 CET", "Ann, champion", "Numbers", "They want the export.", "/a/"):
        assert words in mail.message.text
    rows = await states(notifier)
    assert set(rows) == {(number(1), "carl"), (number(2), "carl")}
    assert set(rows.values()) == {("sent", mail.delivery_id)}


async def test_without_anything_to_do_there_is_no_mail(notifier: Notifier) -> None:
    await notifier.add_carl(**BERLIN)
    SetClock.now_is = TUESDAY

    assert await notifier.open_days() == 1
    await notifier.send_gathered()

    assert notifier.mailer.mails == []


async def test_while_the_scheduler_is_away_the_mail_of_the_day_waits_until_noon(notifier: Notifier) -> None:
    await notifier.add_acme()
    await notifier.add_carl(**BERLIN)
    await notifier.due(**CHECK_IN)
    notifier.calendar.status = 503

    SetClock.now_is = TUESDAY + timedelta(hours=1)
    assert await notifier.open_days() == 0
    await notifier.queue.wake_due()
    await notifier.send_gathered()
    assert notifier.mailer.mails == []

    SetClock.now_is = TUESDAY + timedelta(hours=4.5)
    await notifier.queue.wake_due()
    await notifier.send_gathered()
    assert [mail.to for mail in notifier.mailer.mails] == ["carl@vendor.example"]


async def test_a_csm_whom_nobody_described_is_said_and_the_fallback_mailbox_told(notifier: Notifier) -> None:
    """Row 31."""
    await notifier.add_acme()
    await notifier.due(**urgent(1))
    await notifier.database.pool.execute(
        "UPDATE delivery_queue SET waits_until = clock_timestamp(), next_at = clock_timestamp() WHERE channel = 'email'"
    )

    await notifier.send_gathered()

    (mail,) = notifier.mailer.mails
    assert mail.to == "ops@vendor.example"
    assert "Nobody has this yet" in mail.message.text
    reasons = {
        row["recipient"]["id"]: row["reason"]
        for row in await notifier.deliveries()
        if row["channel"] == "email"
    }
    assert reasons["carl"] == "the CSM is unknown"
    assert set(reasons) == {"carl", "fallback"}


async def test_when_the_relay_knows_no_mailbox_of_the_owner_the_fallback_mailbox_is_told(
    notifier: Notifier,
) -> None:
    await notifier.add_acme()
    await notifier.add_carl()
    unknown = Response(AttemptOutcome.REFUSED, "550 5.1.1", is_permanent=True, is_unknown_address=True)
    notifier.mailer.responses = [unknown]

    await notifier.due(**urgent(1))
    await notifier.send_gathered()

    assert [mail.to for mail in notifier.mailer.mails] == ["carl@vendor.example", "ops@vendor.example"]


async def test_a_contact_without_an_address_gets_the_mail_when_the_address_arrives(
    notifier: Notifier,
) -> None:
    """Row 28."""
    without = {"contact_id": "ann", "name": "Ann", "role": "champion"}
    await notifier.add_acme(contacts=[without])
    await notifier.due(audience=["champion"])
    (waiting,) = await notifier.deliveries()
    assert (waiting["state"], waiting["reason"]) == ("pending", "waiting for an email address")

    await notifier.add_acme(version=2, contacts=[{**without, "email": "ann@acme.example"}])
    await notifier.send_gathered()

    assert [mail.to for mail in notifier.mailer.mails] == ["ann@acme.example"]


async def test_a_change_of_owner_is_told_to_both_at_once_and_a_cancellation_the_next_morning(
    notifier: Notifier,
) -> None:
    await notifier.add_acme()
    await notifier.add_carl(**BERLIN)
    dora = {"csm_id": "dora", "name": "Dora", "email": "dora@vendor.example", "language": "de", "version": 2}
    await notifier.consume(
        notifier.record("directory.csms", "drumbeat.csm.directory.v1", "dora", dora, "dora:1")
    )
    for last in (1, 2):
        moved = {
            **CHECK_IN,
            "touchpoint_id": number(last),
            "previous_owner": {"kind": "csm", "csm_id": "dora"},
        }
        await notifier.consume(notifier.touchpoint("moved", **moved))
    await notifier.send_gathered()

    by_person = {mail.to: mail.message for mail in notifier.mailer.mails}
    assert set(by_person) == {"carl@vendor.example", "dora@vendor.example"}
    assert "Dora had it before" in by_person["carl@vendor.example"].text
    assert "Carl" in by_person["dora@vendor.example"].text

    notifier.mailer.mails.clear()
    cancelled = {**CHECK_IN, "touchpoint_id": number(1), "status": "cancelled", "sequence": 4}
    await notifier.consume(notifier.touchpoint("cancelled", **cancelled, note="Renewed early"))
    SetClock.now_is = TUESDAY
    await notifier.open_days()
    await notifier.send_gathered()

    told = {mail.to: mail.message.text for mail in notifier.mailer.mails}
    assert "Cancelled: Renewed early" in told["carl@vendor.example"]


async def test_from_the_mail_a_person_acts_and_takes_it_back(notifier: Notifier) -> None:
    await notifier.add_acme()
    await notifier.add_carl()
    await notifier.due(**urgent(1))
    await notifier.send_gathered()
    (mail,) = notifier.mailer.mails
    link = re.search(r"http://test(/a/\S+)\?do=done", mail.message.text)
    assert link is not None
    notifier.calendar.add(touchpoint(**urgent(1)))

    for csm_id, name in (("zoe", "amy"), ("bea", "Zed"), ("ann", None)):
        colleague = {"csm_id": csm_id, "name": name, "version": 1}
        await notifier.consume(
            notifier.record("directory.csms", "drumbeat.csm.directory.v1", csm_id, colleague, csm_id)
        )
    choices = re.findall(r"<option[^>]*>(\w+)<", (await notifier.http.get(f"{link[1]}?do=assign")).text)
    assert choices == ["amy", "Zed"]

    shown = await notifier.http.get(f"{link[1]}?do=done")
    assert shown.status_code == 200
    assert shown.headers["Cache-Control"] == "no-store"
    assert "Check-in: Acme &amp; Sons" in shown.text
    assert notifier.calendar.acts == []

    form = {"act": "done", "version": "3", "notes": "They want the export."}
    done = await notifier.http.post(link[1], data=form)
    assert "Done: it took place." in done.text
    body = {"outcome": "completed", "version": 3, "notes": "They want the export."}
    assert notifier.calendar.acts == [(number(1), "settle", body)]
    settled = await notifier.http.get(link[1])
    assert "This took place already." in settled.text
    assert "<form" not in settled.text

    undo = re.search(r'name="version" value="([^"]+)"', done.text)
    assert undo is not None
    back = await notifier.http.post(link[1], data={"act": "undo", "version": undo[1]})
    assert "Taken back" in back.text
    assert notifier.calendar.acts[-1] == (number(1), "undo", {"version": 4})


async def test_a_page_says_what_is_true_now_and_a_wrong_link_is_told_so(notifier: Notifier) -> None:
    await notifier.add_acme()
    await notifier.add_carl()
    await notifier.due(**urgent(1))
    await notifier.send_gathered()
    link = re.search(r"http://test(/a/\S+)\?do=done", notifier.mailer.mails[0].message.text)
    assert link is not None
    notifier.calendar.add(touchpoint(**urgent(1), sequence=5))

    stale = await notifier.http.post(link[1], data={"act": "done", "version": "3"})
    assert stale.status_code == 409
    assert "Somebody changed this before you" in stale.text
    missing = await notifier.http.post(link[1], data={"act": "move", "version": "5", "to": "tomorrow"})
    assert missing.status_code == 422
    assert "New date and time" in missing.text
    early = await notifier.http.post(
        link[1], data={"act": "move", "version": "5", "to": "0001-01-01T00:00+14:00"}
    )
    assert early.status_code == 422
    many = {f"field-{number}": "x" for number in range(30)}
    assert (await notifier.http.post(link[1], data={"act": "done", **many})).status_code == 422
    notifier.calendar.status = 503
    away = await notifier.http.get(link[1])
    assert away.status_code == 503
    wrong = await notifier.http.get(f"{link[1][:-4]}AAAA")
    assert wrong.status_code == 404
    assert "This link does not work" in wrong.text
    assert notifier.calendar.acts == []


async def happen(step: str, last: int, dice: random.Random, notifier: Notifier) -> None:
    match step:
        case "urgent":
            await notifier.due(**urgent(last))
        case "usual":
            await notifier.due(**CHECK_IN, touchpoint_id=number(last))
        case "planned":
            due_at = format_instant(SetClock.now_is + timedelta(hours=dice.randrange(1, 30)))
            data = {**CHECK_IN, "touchpoint_id": number(last), "due_at": due_at}
            notifier.calendar.add(touchpoint(**data, status="planned", sequence=1))
        case "lose":
            await notifier.database.pool.execute(GATHERED)
            await notifier.queue.claim_messages(50)
            await notifier.database.pool.execute("UPDATE delivery_queue SET lease_until = '2000-01-01Z'")
        case "later":
            SetClock.now_is += timedelta(hours=dice.randrange(1, 20))
            await notifier.open_days()
            await notifier.queue.wake_due()
        case _:
            return


@pytest.mark.parametrize("seed", range(6))
async def test_whatever_happens_a_mail_is_whole_and_a_touchpoint_is_told_once_a_day(
    notifier: Notifier, seed: int
) -> None:
    """Rows of one mail share its message; nobody is mailed twice for one touchpoint and day."""
    dice = random.Random(seed)
    await notifier.add_acme()
    await notifier.add_carl(**BERLIN)
    failures = (AttemptOutcome.DEFERRED, AttemptOutcome.UNREACHED)
    for last in range(1, 13):
        await happen(
            dice.choice(("urgent", "usual", "planned", "lose", "later", "send")), last, dice, notifier
        )
        if dice.random() < 0.4:
            notifier.mailer.responses.append(Response(dice.choice(failures), "450 busy"))
        await notifier.database.pool.execute(GATHERED)
        await notifier.send_messages()
    for _ in range(8):
        SetClock.now_is += timedelta(hours=12)
        await notifier.open_days()
        await notifier.queue.wake_due()
        await notifier.database.pool.execute(RETRIED)
        await notifier.send_gathered()

    touchpoints_of = {
        mail.delivery_id: frozenset(re.findall(r"/a/(\S+)\?do=skip", mail.message.text))
        for mail in notifier.mailer.mails
    }
    rows = [row for row in await notifier.deliveries() if row["channel"] == "email"]
    by_message: dict[str, set[str]] = {}
    for row in rows:
        by_message.setdefault(row["message_id"], set()).add(row["touchpoint_id"])
    assert {row["state"] for row in rows} <= {"sent", "expired"}
    assert len({(row["touchpoint_id"], row["recipient"]["id"]) for row in rows}) == len(rows)
    sent = {row["message_id"] for row in rows if row["state"] == "sent"}
    assert sent <= set(touchpoints_of)
    assert all(len(touchpoints_of[message_id]) == len(by_message[message_id]) for message_id in sent)
