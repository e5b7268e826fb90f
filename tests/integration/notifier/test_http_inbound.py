"""Mail that comes in: a fact once, from who was written to, with a word to who leads the account."""

import asyncio
import re
from typing import Any

import pytest

from schemas.facts import InteractionLogged
from schemas.ids import derived_id
from schemas.outcomes import MessageEngaged
from services.chassis.dead_letters import Record
from services.chassis.settings import Retention
from services.notifier.adapters.retention import prune_loop
from tests.integration.notifier.conftest import ACME, NOON, Notifier, SetClock, touchpoint
from tests.integration.notifier.test_invitations import REVIEW, SOON, advance, announce, begin, send
from tests.unit.notifier.domain.test_inbound_mail import HOSTILE, changed
from tests.unit.notifier.inbound_mails import (
    absence_notice,
    apple_counter,
    exchange_bounce,
    gmail_reply,
    google_answer,
    outlook_answer,
    postfix_bounce,
    returned_mail,
    yahoo_complaint,
)

pytestmark = pytest.mark.integration

RFC822 = {"Content-Type": "message/rfc822"}


async def post(notifier: Notifier, mail: bytes) -> dict[str, Any]:
    answer = await notifier.http.post("/v1/inbound/mail", content=mail, headers=RFC822)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def mail_to_ann(notifier: Notifier, number: int = 1, **more: Any) -> dict[str, Any]:
    touchpoint_id = f"{number:08d}-1111-4111-8111-111111111111"
    await notifier.due(touchpoint_id=touchpoint_id, **more)
    await notifier.send_messages()
    rows = await notifier.deliveries(touchpoint_id=touchpoint_id)
    (only,) = [row for row in rows if row["recipient"]["kind"] == "contact"]
    return only


async def begin_with_mail(notifier: Notifier) -> str:
    """The delivery of a mail to Ann, whose account Carl leads."""
    await notifier.add_carl()
    await notifier.add_acme(csm_id="carl", contacts=ACME["contacts"][:1])
    return (await mail_to_ann(notifier))["id"]


async def engagements(notifier: Notifier) -> list[dict[str, Any]]:
    return [
        data
        for topic, _, headers, data in await notifier.outbox()
        if topic == "touchpoint.outcomes" and headers["ce_type"] == "drumbeat.message.engaged.v1"
    ]


async def contacts(notifier: Notifier) -> list[dict[str, Any]]:
    return [
        data
        for _, _, headers, data in await notifier.outbox()
        if headers["ce_type"] == "drumbeat.interaction.logged.v1"
    ]


async def feed_of_carl(notifier: Notifier) -> list[dict[str, Any]]:
    answer = await notifier.http.get("/v1/inbox", params={"csm_id": "carl"})
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_reply_is_contact_and_is_told_to_who_leads_the_account(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    result = await post(notifier, gmail_reply(delivery_id))

    text = "Thanks, that helped. Could we talk about the import on Thursday? ✓\n\nAnn"
    assert result == {"kind": "reply", "counted": True, "delivery_id": delivery_id, "reason": None}
    (engaged,) = await engagements(notifier)
    assert (engaged["delivery_id"], engaged["kind"], engaged["text"]) == (delivery_id, "replied", text)
    (contact,) = await contacts(notifier)
    assert contact == {
        "channel": "email",
        "contact_id": "ann",
        "initiated_by": "customer",
        "at": "2026-03-02T12:00:00Z",
        "notes": text,
    }
    (entry,) = await feed_of_carl(notifier)
    assert entry["title"] == "Ann (Acme & Sons) answered: Tips"
    assert "Could we talk about the import" in entry["body"]
    assert await notifier.send_service_mails() == 1
    mail = notifier.mailer.mails[-1]
    assert (mail.to, mail.message.subject) == ("carl@vendor.example", entry["title"])
    assert "Could we talk about the import" in mail.message.text
    assert mail.reply_to is not None
    assert mail.reply_to.address == "ann@acme.example"


async def test_the_same_mail_posted_twice_changes_nothing(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    first = await post(notifier, gmail_reply(delivery_id))
    # It came a second way, with other lines of its transport.
    second = await post(notifier, b"Received: from elsewhere\r\n" + gmail_reply(delivery_id))

    assert first == second
    assert len(await engagements(notifier)) == len(await contacts(notifier)) == 1
    assert len(await feed_of_carl(notifier)) == 1
    assert await notifier.send_service_mails() == 1


async def test_what_did_not_count_may_count_later(notifier: Notifier) -> None:
    await notifier.add_carl()
    mail = postfix_bounce("99999999-9999-4999-8999-999999999999")
    first = await post(notifier, mail)

    assert (first["counted"], first["delivery_id"]) == (False, None)
    assert first == await post(notifier, mail)
    stored = await notifier.database.pool.fetch("SELECT kind, counted, reason FROM inbound_mail")
    assert [tuple(row) for row in stored] == [("bounce", False, "it names no mail that Drumbeat sent")]


async def test_a_reply_from_another_address_does_not_count(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    result = await post(notifier, gmail_reply(delivery_id, sender="eve@acme.example"))

    assert (result["counted"], result["delivery_id"]) == (False, delivery_id)
    assert result["reason"] == "it does not come from the address that the mail went to"
    assert await engagements(notifier) == await contacts(notifier) == await feed_of_carl(notifier) == []


async def test_a_reply_is_known_by_its_address_however_that_is_spelt(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    result = await post(notifier, gmail_reply(delivery_id, sender="Ann@ACME.example"))

    assert result["counted"]


@pytest.mark.parametrize("mail", [absence_notice, returned_mail])
async def test_what_programs_answer_is_ignored(notifier: Notifier, mail: Any) -> None:
    delivery_id = await begin_with_mail(notifier)
    result = await post(notifier, mail(delivery_id))

    assert (result["kind"], result["counted"]) == ("ignored", False)
    assert await engagements(notifier) == []


async def test_a_hard_bounce_is_a_fact_that_ends_mail_to_the_address(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    result = await post(notifier, postfix_bounce(delivery_id))

    assert (result["kind"], result["counted"]) == ("bounce", True)
    (engaged,) = await engagements(notifier)
    assert (engaged["kind"], engaged["bounce"]) == ("bounced", "hard")
    outcome = notifier.record(
        "touchpoint.outcomes", "drumbeat.message.engaged.v1", "acme", engaged, "inbound-1"
    )
    await notifier.consume(outcome)
    assert (await mail_to_ann(notifier, 2))["state"] == "suppressed"


async def test_a_bounce_of_another_address_does_not_count(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    result = await post(notifier, postfix_bounce(delivery_id, recipient="eve@acme.example"))

    assert not result["counted"]
    assert await engagements(notifier) == []


async def test_a_complaint_is_a_fact(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    result = await post(notifier, yahoo_complaint(delivery_id))

    assert (result["kind"], result["counted"]) == ("complaint", True)
    assert [one["kind"] for one in await engagements(notifier)] == ["complained"]


async def test_an_answer_to_an_invitation_is_a_fact_about_its_touchpoint(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier)
    await send(notifier)
    result = await post(notifier, outlook_answer(REVIEW))

    assert (result["kind"], result["counted"]) == ("calendar", True)
    (engaged,) = await engagements(notifier)
    assert (engaged["kind"], engaged["touchpoint_id"]) == ("accepted", REVIEW)
    assert await feed_of_carl(notifier) == []


async def test_who_declines_an_invitation_is_told_to_who_leads_it(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier)
    await send(notifier)
    result = await post(notifier, google_answer(REVIEW))

    assert result["counted"]
    (engaged,) = await engagements(notifier)
    assert (engaged["kind"], engaged["text"]) == ("declined", "On holiday")
    assert (engaged["touchpoint_type"], engaged["declined_by_all"]) == ("business_review", False)
    (entry,) = await feed_of_carl(notifier)
    assert entry["title"] == "Ann (Acme & Sons) declined: Business review"
    assert "stays planned" in entry["body"]


async def test_it_is_declined_by_all_once_everybody_invited_has_declined_its_newest_version(
    notifier: Notifier,
) -> None:
    """S141: the rules engine counts a decline when nobody of the customer comes."""
    await begin(notifier)
    await announce(notifier)
    await send(notifier)

    async def declines(address: str, sequence: int, message_id: str, answer: str = "DECLINED") -> Any:
        mail = google_answer(
            REVIEW, answer, sequence, sender=address, attendee=address, message_id=message_id
        )
        assert (await post(notifier, mail))["counted"]
        return (await engagements(notifier))[-1].get("declined_by_all")

    assert await declines("ben@acme.example", 1, "b1@g") is False  # Ann may come
    assert await declines("ann@acme.example", 1, "a1@g") is True
    assert await declines("ben@acme.example", 1, "b2@g", "ACCEPTED") is None
    assert await declines("ann@acme.example", 1, "a2@g") is False
    assert await declines("ben@acme.example", 1, "b3@g") is True
    await announce(notifier, "moved", at=SOON.replace(hour=15), sequence=2)
    await advance(notifier, NOON.replace(day=3))
    assert await declines("ann@acme.example", 2, "a3@g") is False  # Ben has not answered this version
    assert await declines("ben@acme.example", 2, "b4@g") is True


async def test_an_answer_counts_only_from_who_was_invited(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier)
    await send(notifier)
    from_eve = await post(notifier, google_answer(REVIEW, sender="eve@acme.example", message_id="c2@g"))
    for_ben = await post(notifier, google_answer(REVIEW, attendee="ben@acme.example", message_id="c3@g"))
    of_carl = await post(
        notifier,
        google_answer(
            REVIEW, sender="carl@vendor.example", attendee="carl@vendor.example", message_id="c4@g"
        ),
    )

    assert [from_eve["reason"], for_ben["reason"], of_carl["reason"]] == [
        "it does not come from the address that the mail went to",
        "it answers for another attendee than its sender",
        "it comes from a person of ours, not from the customer",
    ]
    assert await engagements(notifier) == []


async def test_an_answer_to_an_earlier_version_does_not_count(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier)
    await send(notifier)
    await announce(notifier, "moved", at=SOON.replace(hour=15), sequence=2)
    await advance(notifier, NOON.replace(day=3))
    late = await post(notifier, google_answer(REVIEW, "ACCEPTED"))
    newest = await post(notifier, google_answer(REVIEW, "ACCEPTED", 2, message_id="c2@g"))

    assert late["reason"] == "it answers version 1 of the invitation; version 2 was sent since"
    assert newest["counted"]
    assert len(await engagements(notifier)) == 1


async def test_another_time_is_proposed_with_a_link_that_moves_it_there(notifier: Notifier) -> None:
    await begin(notifier)
    await announce(notifier)
    await send(notifier)
    result = await post(notifier, apple_counter(REVIEW))

    assert result["counted"]
    assert await engagements(notifier) == []
    (entry,) = await feed_of_carl(notifier)
    assert "Proposed: Wednesday, 11 March 2026 at 09:00 UTC" in entry["body"]
    await notifier.send_service_mails()
    mail = notifier.mailer.mails[-1]
    assert mail.to == "carl@vendor.example"
    link = re.search(r"http://test(/a/\S+)", mail.message.text)
    assert link is not None
    assert link[1].endswith("?do=move&to=2026-03-11T09%3A00")
    notifier.calendar.add(
        touchpoint(touchpoint_id=REVIEW, touchpoint_type="business_review", status="planned", owner="csm")
    )
    page = await notifier.http.get(link[1])
    assert 'value="2026-03-11T09:00"' in page.text
    moved = await notifier.http.post(
        link[1].partition("?")[0], data={"act": "move", "to": "2026-03-11T09:00", "version": "3"}
    )
    assert moved.status_code == 200
    ((touchpoint_id, act, body),) = notifier.calendar.acts
    assert (touchpoint_id, act, body["to"]) == (REVIEW, "reschedule", "2026-03-11T09:00:00Z")


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (b"", RFC822, 400),
        (b" \r\n", RFC822, 400),
        (b"From: x", {"Content-Type": "application/json"}, 415),
        (b"x" * ((10 << 20) + 1), RFC822, 413),
    ],
)
async def test_what_is_no_mail_is_refused_with_a_problem_document(
    notifier: Notifier, content: bytes, headers: dict[str, str], status: int
) -> None:
    answer = await notifier.http.post("/v1/inbound/mail", content=content, headers=headers)

    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"


async def test_nobody_posts_mail_without_a_key(notifier: Notifier) -> None:
    headers = {**RFC822, "Authorization": "Bearer none"}
    answer = await notifier.http.post("/v1/inbound/mail", content=b"From: x", headers=headers)

    assert answer.status_code == 401


async def test_what_a_contact_wrote_is_erased_with_the_contact(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    await post(notifier, gmail_reply(delivery_id))
    await notifier.add_acme(
        version=2, csm_id="carl", contacts=[], erased_contacts=[derived_id("contact", "ann")]
    )

    for table in ("inbound_mail", "service_mail", "in_app"):
        assert await notifier.database.pool.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_what_was_told_is_kept_no_longer_than_until_it_is_sent(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    await post(notifier, gmail_reply(delivery_id))
    stored = "SELECT data::text LIKE '%the import%', state FROM service_mail"
    assert await notifier.database.pool.fetch(stored) == [(True, "pending")]
    await notifier.send_service_mails()

    assert await notifier.database.pool.fetch(stored) == [(False, "sent")]


async def test_a_reply_about_an_account_that_nobody_leads_is_told_to_the_mailbox(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=ACME["contacts"][:1])
    delivery_id = (await mail_to_ann(notifier))["id"]
    await post(notifier, gmail_reply(delivery_id))
    await notifier.send_service_mails()

    assert notifier.mailer.mails[-1].to == "ops@vendor.example"
    assert "Could we talk about the import" in notifier.mailer.mails[-1].message.text


async def test_who_leads_reads_it_in_their_language(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    await notifier.add_carl(language="de", version=2)
    await post(notifier, gmail_reply(delivery_id))
    (entry,) = await feed_of_carl(notifier)

    assert entry["title"] == "Ann (Acme & Sons) hat geantwortet: Tipps"


async def test_an_erased_account_takes_what_came_in_with_it(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    await post(notifier, gmail_reply(delivery_id))
    await notifier.consume(Record("touchpoint.events", 0, 99, b"acme", None, (), 0))

    for table in ("inbound_mail", "service_mail", "in_app"):
        assert await notifier.database.pool.fetchval(f"SELECT count(*) FROM {table}") == 0


async def test_what_came_in_moves_with_an_account_that_is_merged(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    await post(notifier, gmail_reply(delivery_id))
    await notifier.add_acme(version=2, merged_into="globex")

    assert await notifier.database.pool.fetchval("SELECT account_id FROM inbound_mail") == "globex"


async def test_old_receipts_are_deleted(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    await post(notifier, gmail_reply(delivery_id))
    await notifier.database.pool.execute(
        "UPDATE inbound_mail SET received_at = received_at - interval '401 days'"
    )
    await post(notifier, postfix_bounce(delivery_id))
    clock = SetClock(NOON, NOON, 1.0)
    await prune_loop(notifier.database, notifier.queue, clock, Retention()).run_once()

    kinds = await notifier.database.pool.fetch("SELECT kind FROM inbound_mail")
    assert [row[0] for row in kinds] == ["bounce"]


async def test_mail_is_taken_in_also_when_the_service_clock_is_ahead(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    SetClock.now_is = NOON.replace(year=2030)
    answer = await notifier.http.post("/v1/inbound/mail", content=gmail_reply(delivery_id), headers=RFC822)

    assert answer.json()["counted"]
    (contact,) = await contacts(notifier)
    assert contact["at"] == "2030-03-02T12:00:00Z"


async def test_one_mail_that_comes_several_ways_at_once_counts_once(notifier: Notifier) -> None:
    delivery_id = await begin_with_mail(notifier)
    results = await asyncio.gather(*(post(notifier, gmail_reply(delivery_id)) for _ in range(5)))

    assert all(result == results[0] for result in results)
    assert len(await engagements(notifier)) == len(await feed_of_carl(notifier)) == 1


async def test_no_bytes_about_a_mail_of_ours_lead_to_an_error(notifier: Notifier) -> None:
    await begin(notifier, contacts=ACME["contacts"][:1])
    await announce(notifier)
    delivery_id = (await mail_to_ann(notifier))["id"]
    await send(notifier)
    corpus = [
        gmail_reply(delivery_id),
        postfix_bounce(delivery_id),
        exchange_bounce(delivery_id),
        yahoo_complaint(delivery_id),
        google_answer(REVIEW),
        apple_counter(REVIEW),
    ]
    mails = [changed(corpus[seed % len(corpus)], seed) for seed in range(300)]
    hostile = [raw.replace(b"<a@b>", f"<{delivery_id}@b>".encode()) for raw in HOSTILE.values()]
    counted = 0
    for mail in [*mails, *(b"From: ann@acme.example\r\n" + raw for raw in hostile)]:
        counted += (await post(notifier, mail))["counted"]

    assert counted > 50  # most changes leave a mail what it was, and reach the database
    for engaged in await engagements(notifier):
        MessageEngaged.model_validate(engaged)
    for contact in await contacts(notifier):
        InteractionLogged.model_validate(contact)
