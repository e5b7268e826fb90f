"""Messages that are approved first: the draft, who is asked, and what a decision, an expiry and an opt-out do to it."""

import re
from datetime import timedelta
from typing import Any

import pytest

from services.notifier.domain.decision import Reason
from services.notifier.domain.delivery import AttemptOutcome, Response
from tests.integration.notifier.conftest import ACME, NOON, Notifier, SetClock

pytestmark = pytest.mark.integration

APPROVED = {"touchpoint_type": "tips", "approve": True}
ANN = ACME["contacts"][:1]
LINK = re.compile(r"http://test/a/([^?\s]+)\?do=approve")


async def prepare(notifier: Notifier, **more: Any) -> None:
    await notifier.add_policy({**APPROVED, **more})
    await notifier.add_carl(timezone="UTC")
    await notifier.add_acme(csm_id="carl", contacts=[{**one, "timezone": "UTC"} for one in ACME["contacts"]])


async def drafts(notifier: Notifier, **query: str) -> list[dict[str, Any]]:
    answer = await notifier.http.get("/v1/drafts", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def reasons(notifier: Notifier) -> dict[str, tuple[str, str | None]]:
    """State and reason by contact."""
    return {row["recipient"]["id"]: (row["state"], row["reason"]) for row in await notifier.deliveries()}


async def the_draft(notifier: Notifier, **more: Any) -> dict[str, Any]:
    await prepare(notifier)
    await notifier.due(**more)
    await notifier.send_messages()
    (draft,) = await drafts(notifier)
    return draft


async def test_a_message_waits_as_one_draft_and_one_mail_asks_who_leads_the_account(
    notifier: Notifier,
) -> None:
    """U9: before mail to a customer, the CSM approves it."""
    draft = await the_draft(notifier)

    assert notifier.mailer.mails == []
    waiting = ("pending", "waits for approval by Carl")
    assert await reasons(notifier) == {"ann": waiting, "ben": waiting}
    assert (draft["state"], draft["csm_id"], draft["contact_ids"]) == ("pending", "carl", ["ann", "ben"])
    assert draft["subject"] == "A tipAcme & Sons"

    assert await notifier.send_draft_mails() == 1
    (mail,) = notifier.mailer.mails
    assert mail.to == "carl@vendor.example"
    assert mail.message.subject == "Please approve: Tips, Acme & Sons"
    assert "To Ann and Ben" in mail.message.text
    assert "Hello Ann," in mail.message.text
    assert f"http://console/drafts/{draft['id']}" in mail.message.text
    assert await notifier.send_draft_mails() == 0
    assert await notifier.send_messages() == 0


async def test_an_approved_message_goes_as_it_was_edited_and_names_each_recipient(notifier: Notifier) -> None:
    draft = await the_draft(notifier)
    path = f"/v1/drafts/{draft['id']}"
    detail = (await notifier.http.get(path)).json()
    assert detail["subject"] == "A tip{{ account.name | otherwise: }}"
    assert "Hello {{ contact.first_name | otherwise: there }}," in detail["body"]
    assert "Hello Ben," in detail["recipients"][1]["text"]

    body = "Dear {{ contact.first_name }}: **three** steps for {{ account.name }}."
    edit = {"subject": "Faster imports", "body": body, "version": 1}
    edited = (await notifier.http.put(path, json=edit)).json()
    assert edited["draft"]["version"] == 2
    assert "<strong>three</strong>" in edited["recipients"][0]["html"]
    stale = await notifier.http.put(path, json=edit)
    assert (stale.status_code, "version 2" in stale.json()["detail"]) == (409, True)
    assert (await notifier.http.post(f"{path}/approve", json={"version": 1})).status_code == 409

    approved = await notifier.http.post(f"{path}/approve", json={"version": 2, "actor_id": "carl"})
    assert approved.json()["state"] == "approved"
    await notifier.add_content("tips", '---\nsubject: "Another"\n---\nAnother text.\n', version=2)
    await notifier.send_messages()

    assert [mail.message.subject for mail in notifier.mailer.mails] == ["Faster imports", "Faster imports"]
    texts = {mail.to: mail.message.text for mail in notifier.mailer.mails}
    assert "Dear Ann: three steps for Acme & Sons." in texts["ann@acme.example"]
    assert "Dear Ben: three steps" in texts["ben@acme.example"]
    assert "Another" not in texts["ann@acme.example"]
    assert {state for state, _ in (await reasons(notifier)).values()} == {"sent"}
    again = await notifier.http.post(f"{path}/reject", json={"reason": "too late"})
    assert (again.status_code, "approved already" in again.json()["detail"]) == (409, True)
    actions = [data["action"] for topic, _, _, data in await notifier.outbox() if topic == "audit.entries"]
    assert actions == ["draft.edited", "draft.approved"]


@pytest.mark.parametrize(
    ("subject", "body", "problem"),
    [
        ("Hello", "One\n\nTwo {{ usage.actve_users }}", "body:3:5: "),
        ("For {{ nobody.knows }}", "One", "subject:1:5: "),
        ("Hello", "<b>One</b>", "body:1:1: raw HTML is not allowed"),
        ("Hello", "{{ program.title }}", "program.title"),
    ],
)
async def test_an_edit_that_cannot_be_sent_is_refused_with_its_place(
    notifier: Notifier, subject: str, body: str, problem: str
) -> None:
    draft = await the_draft(notifier)
    edit = {"subject": subject, "body": body, "version": 1}
    answer = await notifier.http.put(f"/v1/drafts/{draft['id']}", json=edit)
    assert (answer.status_code, problem in answer.json()["detail"]) == (422, True), answer.text
    (unchanged,) = await drafts(notifier, state="pending")
    assert unchanged["version"] == 1


async def test_a_rejected_message_is_not_sent_and_says_who_decided_and_why(notifier: Notifier) -> None:
    draft = await the_draft(notifier)
    body = {"reason": "we speak on Monday", "actor_id": "carl"}
    await notifier.http.post(f"/v1/drafts/{draft['id']}/reject", json=body)
    await notifier.send_messages()

    rejected = ("suppressed", "not approved: Carl: we speak on Monday")
    assert await reasons(notifier) == {"ann": rejected, "ben": rejected}
    assert {data["cause"] for data in await notifier.finished()} == {"approval"}
    assert await notifier.send_draft_mails() == 0, "nobody is asked about what is decided"


async def test_a_link_in_the_mail_shows_the_draft_and_only_a_form_decides(notifier: Notifier) -> None:
    await the_draft(notifier)
    await notifier.send_draft_mails()
    found = LINK.search(notifier.mailer.mails[0].message.text)
    assert found is not None
    link = f"/a/{found[1]}"

    for do in ("", "?do=approve", "?do=reject"):
        page = await notifier.http.get(f"{link}{do}", headers={"authorization": ""})
        assert (page.status_code, "Hello Ann," in page.text) == (200, True)
    (still,) = await drafts(notifier)
    assert still["state"] == "pending"
    assert "Why not (optional)" in page.text

    done = await notifier.http.post(link, data={"act": "approve", "version": "1"})
    assert (done.status_code, "Approved." in done.text) == (200, True)
    (approved,) = await drafts(notifier)
    assert (approved["state"], approved["actor"], approved["reason"]) == ("approved", "carl", "Carl")
    again = await notifier.http.post(link, data={"act": "reject", "version": "1"})
    assert (again.status_code, "before you" in again.text) == (409, True)
    assert (await notifier.http.get(f"{link}x")).status_code == 404


async def test_what_nobody_approves_in_time_expires_and_its_csm_hears_of_it(notifier: Notifier) -> None:
    await prepare(notifier, approve_hours=48)
    await notifier.due()
    await notifier.send_messages()
    await notifier.send_draft_mails()
    (draft,) = await drafts(notifier)
    assert draft["approve_until"] == "2026-03-04T12:00:00Z"

    SetClock.now_is = NOON + timedelta(days=2)
    late = await notifier.http.post(f"/v1/drafts/{draft['id']}/approve")
    assert (late.status_code, "ended at" in late.json()["detail"]) == (409, True)
    await notifier.queue.wake_due()
    await notifier.send_messages()

    expired = ("expired", f"{Reason.NOT_APPROVED} 2026-03-04T12:00:00Z")
    assert await reasons(notifier) == {"ann": expired, "ben": expired}
    (draft,) = await drafts(notifier, state="expired")
    assert await notifier.send_draft_mails() == 1
    mail = notifier.mailer.mails[-1]
    assert (mail.to, mail.message.subject) == ("carl@vendor.example", "Not sent: Tips, Acme & Sons")
    assert "do=approve" not in mail.message.text


async def test_a_withdrawn_touchpoint_withdraws_its_draft(notifier: Notifier) -> None:
    draft = await the_draft(notifier)
    await notifier.consume(notifier.touchpoint("cancelled", status="cancelled", sequence=4))

    withdrawn = ("suppressed", "withdrawn: the touchpoint was cancelled")
    assert await reasons(notifier) == {"ann": withdrawn, "ben": withdrawn}
    answer = await notifier.http.post(f"/v1/drafts/{draft['id']}/approve")
    assert (answer.status_code, "withdrawn already" in answer.json()["detail"]) == (409, True)
    assert await notifier.send_draft_mails() == 0


async def test_who_opts_out_between_approval_and_sending_gets_nothing_and_quiet_hours_hold(
    notifier: Notifier,
) -> None:
    SetClock.now_is = NOON + timedelta(hours=9)  # 21:00: the draft is written at once, the mail goes at eight
    draft = await the_draft(notifier)
    await notifier.http.post(f"/v1/drafts/{draft['id']}/approve")
    await notifier.send_messages()
    assert {reason for _, reason in (await reasons(notifier)).values()} == {"quiet hours"}

    settings = {"topics": {"education": {"opted_in": False}}}
    assert (await notifier.http.put("/v1/contacts/ann/preferences", json=settings)).status_code == 200
    SetClock.now_is = NOON + timedelta(hours=20)
    await notifier.queue.wake_due()
    await notifier.send_messages()

    states = await reasons(notifier)
    assert states["ben"][0] == "sent"
    assert (states["ann"][0], str(states["ann"][1])[:21]) == ("suppressed", "the contact opted out")
    assert [mail.to for mail in notifier.mailer.mails] == ["ben@acme.example"]


async def test_each_language_is_a_draft_of_its_own_and_one_mail_asks_for_both(notifier: Notifier) -> None:
    await notifier.add_policy(APPROVED)
    await notifier.add_content("tips", '---\nsubject: "Ein Tipp"\n---\nGuten Tag.\n', language="de")
    await notifier.add_carl()
    contacts = [ANN[0], {**ACME["contacts"][1], "language": "de"}]
    await notifier.add_acme(csm_id="carl", contacts=contacts)
    await notifier.due()
    await notifier.send_messages()

    found = {draft["language"]: draft["contact_ids"] for draft in await drafts(notifier)}
    assert found == {"en": ["ann"], "de": ["ben"]}
    assert await notifier.send_draft_mails() == 2
    (mail,) = notifier.mailer.mails
    assert ("Guten Tag." in mail.message.text, "Hello Ann," in mail.message.text) == (True, True)


async def test_without_a_csm_the_mailbox_is_asked_and_a_mail_that_fails_is_tried_again(
    notifier: Notifier,
) -> None:
    await notifier.add_policy(APPROVED)
    await notifier.add_acme(contacts=ANN)
    await notifier.due()
    await notifier.send_messages()
    assert await reasons(notifier) == {"ann": ("pending", "waits for approval by ops@vendor.example")}
    notifier.mailer.responses = [Response(AttemptOutcome.DEFERRED, "450 later")]

    assert [await notifier.send_draft_mails() for _ in range(3)] == [1, 1, 0]
    assert [mail.to for mail in notifier.mailer.mails] == ["ops@vendor.example"] * 2
    (draft,) = await drafts(notifier)
    assert draft["csm_id"] is None


async def test_an_approval_while_a_sender_decides_is_not_lost(notifier: Notifier) -> None:
    draft = await the_draft(notifier)
    await notifier.ready_again()
    claims, directory, now = await notifier.queue.claim_messages(50)
    await notifier.http.post(f"/v1/drafts/{draft['id']}/approve")
    from services.notifier.application.send_messages import send_messages  # noqa: PLC0415

    await notifier.queue.complete(await send_messages(claims, directory, now, sending=notifier.sending))
    await notifier.send_messages()
    assert {state for state, _ in (await reasons(notifier)).values()} == {"sent"}


async def test_an_erased_contact_is_in_no_draft_and_the_others_get_theirs(notifier: Notifier) -> None:
    draft = await the_draft(notifier)
    edit = {"subject": "For Ann", "body": "Ann said that imports are slow.", "version": 1}
    await notifier.http.put(f"/v1/drafts/{draft['id']}", json=edit)
    from schemas.ids import derived_id  # noqa: PLC0415

    await notifier.add_acme(
        version=2,
        csm_id="carl",
        contacts=[{**ACME["contacts"][1], "timezone": "UTC"}],
        erased_contacts=[derived_id("contact", "ann")],
    )
    assert await drafts(notifier) == []
    await notifier.send_messages()
    (new,) = await drafts(notifier)
    assert (new["contact_ids"], new["version"], new["subject"]) == (["ben"], 1, "A tipAcme & Sons")


async def test_a_list_counts_what_waits_and_filters(notifier: Notifier) -> None:
    await the_draft(notifier)
    answer = (await notifier.http.get("/v1/drafts", params={"csm_id": "carl", "state": "approved"})).json()
    assert (answer["items"], answer["pending"]) == ([], 1)
    answer = (await notifier.http.get("/v1/drafts", params={"account_id": "other"})).json()
    assert (answer["items"], answer["pending"]) == ([], 0)
    missing = await notifier.http.get("/v1/drafts/11111111-1111-4111-8111-111111111111")
    assert missing.status_code == 404
