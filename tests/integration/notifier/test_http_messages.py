"""A mail as it was sent is kept, shown, sent again through the policy, and erased with its people."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from schemas.ids import derived_id
from services.chassis.dead_letters import Record
from services.notifier.adapters import directory_repository
from services.notifier.application.send_messages import send_messages
from services.notifier.domain.situation import Directory
from tests.integration.notifier.conftest import Notifier

pytestmark = pytest.mark.integration
ANN: dict[str, Any] = {
    "contact_id": "ann",
    "email": "ann@acme.example",
    "role": "champion",
    "source": "/crm",
    "time": "2026-02-01T10:00:00Z",
    "id": "1",
}
PROOF = "m8-7XBEl2XxYaZUIOexxiDaJJwBbImYyYWUzZmJk"
MAIL = (
    "Subject: Hello Ann\r\nTo: ann@acme.example\r\n"
    f"List-Unsubscribe: <https://us.example/v1/unsubscribe/{PROOF}>\r\n\r\n"
    f"The figures of March: https://us.example/p/{PROOF}\r\nDone: https://us.example/a/{PROOF}?do=done\r\n"
).encode()


async def send_and_keep(notifier: Notifier) -> dict[str, Any]:
    """A delivery to Ann that was sent, with its mail."""
    await notifier.add_acme(contacts=[ANN])
    await notifier.due()
    claims, directory, now = await notifier.queue.claim_messages(50)
    for claim in claims:
        notifier.queue.written.add(claim.delivery.id, MAIL)
    await notifier.queue.complete(await send_messages(claims, directory, now, sending=notifier.sending))
    (sent,) = [item for item in await notifier.deliveries() if item["state"] == "sent"]
    return sent


async def stored(notifier: Notifier) -> int:
    return await notifier.database.pool.fetchval("SELECT count(*) FROM written_message")


async def test_the_mail_is_shown_as_it_was_sent(notifier: Notifier) -> None:
    sent = await send_and_keep(notifier)

    message = (await notifier.http.get(f"/v1/deliveries/{sent['id']}/message")).json()

    assert message["subject"] == "Hello Ann"
    assert message["text"].splitlines() == [
        "The figures of March: https://us.example/p/...",
        "Done: https://us.example/a/...?do=done",
    ]
    assert PROOF not in str(message)  # who may read it may not act for Ann
    assert message["headers"]["To"] == "ann@acme.example"
    one = (await notifier.http.get(f"/v1/deliveries/{sent['id']}")).json()
    assert one == sent
    unknown = await notifier.http.get("/v1/deliveries/00000000-0000-4000-8000-000000000000/message")
    assert unknown.status_code == 404


async def test_sending_again_is_a_new_delivery_that_an_opt_out_still_stops(notifier: Notifier) -> None:
    sent = await send_and_keep(notifier)
    path = f"/v1/deliveries/{sent['id']}/resend"

    again = await notifier.http.post(path)
    assert again.status_code == 202
    await notifier.send_messages()
    new = (await notifier.http.get(f"/v1/deliveries/{again.json()['id']}")).json()
    assert (new["state"], new["recipient"]) == ("sent", sent["recipient"])
    assert new["message_id"] != sent["message_id"]
    assert len(notifier.mailer.mails) == 2

    opted_out = {"topics": {"education": {"opted_in": False}}}
    await notifier.http.put(f"/v1/contacts/{sent['recipient']['id']}/preferences", json=opted_out)
    third = (await notifier.http.post(path)).json()["id"]
    assert third != again.json()["id"]
    pending = await notifier.http.post(f"/v1/deliveries/{third}/resend")
    assert (pending.status_code, pending.json()["title"]) == (409, "Cannot be sent again")
    await notifier.send_messages()
    assert (await notifier.http.get(f"/v1/deliveries/{third}")).json()["state"] == "suppressed"
    assert len(notifier.mailer.mails) == 2


async def test_mails_are_erased_with_the_account(notifier: Notifier) -> None:
    await send_and_keep(notifier)
    assert await stored(notifier) == 1

    await notifier.consume(notifier.record("touchpoint.events", "", "acme", {}, "")._replace(value=None))

    assert await stored(notifier) == 0


async def test_mails_are_erased_with_a_contact_of_their_account(notifier: Notifier) -> None:
    await send_and_keep(notifier)

    await notifier.consume(notifier.record("directory.accounts", "", "acme", {}, "")._replace(value=None))

    assert await stored(notifier) == 0


def erase_account(notifier: Notifier) -> Record:
    return notifier.record("touchpoint.events", "", "acme", {}, "")._replace(value=None)


def erase_people(notifier: Notifier) -> Record:
    return notifier.record("directory.accounts", "", "acme", {}, "")._replace(value=None)


def erase_ann(notifier: Notifier) -> Record:
    data = {"account_id": "acme", "version": 2, "erased_contacts": [derived_id("contact", "ann")]}
    return notifier.record("directory.accounts", "drumbeat.account.directory.v1", "acme", data, "acme:2")


@pytest.mark.parametrize("erase", [erase_account, erase_people, erase_ann])
@pytest.mark.parametrize("owner", ["automation", "csm"])
async def test_a_mail_that_was_on_its_way_at_the_erasure_is_not_kept(
    notifier: Notifier, erase: Callable[[Notifier], Record], owner: str
) -> None:
    """To the contact, or to somebody of ours about the account of the contact."""
    await notifier.add_acme(contacts=[ANN])
    await notifier.add_carl()
    await notifier.due(owner=owner, precedence="escalation")
    claims, directory, now = await notifier.queue.claim_messages(50)
    assert claims
    for claim in claims:
        notifier.queue.written.add(claim.message_id, MAIL)
    results = await send_messages(claims, directory, now, sending=notifier.sending)

    await notifier.consume(erase(notifier))
    await notifier.queue.complete(results)

    assert await stored(notifier) == 0


@pytest.mark.parametrize("erase", [erase_account, erase_people, erase_ann])
async def test_a_mail_whose_claim_was_under_way_at_the_erasure_is_not_kept(
    notifier: Notifier, monkeypatch: pytest.MonkeyPatch, erase: Callable[[Notifier], Record]
) -> None:
    """The sender read the people before the erasure and commits its lease while the erasure runs."""
    await notifier.add_acme(contacts=[ANN])
    await notifier.add_carl()
    await notifier.due(owner="csm", precedence="escalation")
    has_read, may_go_on = asyncio.Event(), asyncio.Event()
    load = directory_repository.load_directory

    async def read_and_wait(*arguments: Any) -> Directory:
        directory = await load(*arguments)
        has_read.set()
        await may_go_on.wait()
        return directory

    monkeypatch.setattr(directory_repository, "load_directory", read_and_wait)
    claiming = asyncio.create_task(notifier.queue.claim_messages(50))
    await has_read.wait()
    erasing = asyncio.create_task(notifier.consume(erase(notifier)))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(erasing), 0.5)
    may_go_on.set()
    claims, directory, now = await claiming
    await erasing

    assert claims
    for claim in claims:
        notifier.queue.written.add(claim.message_id, MAIL)
    await notifier.queue.complete(await send_messages(claims, directory, now, sending=notifier.sending))

    assert await stored(notifier) == 0


async def test_a_mail_that_is_claimed_after_an_erasure_is_kept(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=[ANN])
    await notifier.add_carl()
    await notifier.due(owner="csm", precedence="escalation")
    await notifier.queue.claim_messages(50)
    await notifier.consume(erase_ann(notifier))
    await notifier.database.pool.execute("UPDATE delivery_queue SET lease_until = '2000-01-01T00:00:00Z'")

    claims, directory, now = await notifier.queue.claim_messages(50)
    notifier.queue.written.add(claims[0].message_id, MAIL)
    await notifier.queue.complete(await send_messages(claims, directory, now, sending=notifier.sending))

    assert await stored(notifier) == 1


async def test_people_are_listed_with_their_names_page_by_page(notifier: Notifier) -> None:
    await notifier.add_carl()
    page = (await notifier.http.get("/v1/people", params={"limit": 1})).json()
    assert [(person["csm_id"], person["name"], person["role"]) for person in page["items"]] == [
        ("carl", "Carl", "csm")
    ]
    assert page["next_cursor"] is None


async def test_deliveries_are_filtered_by_channel(notifier: Notifier) -> None:
    await send_and_keep(notifier)
    assert {item["channel"] for item in await notifier.deliveries(channel="email")} == {"email"}
    assert await notifier.deliveries(channel="sms") == []
