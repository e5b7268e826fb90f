"""What customers are written: from content, with figures of other services, once a program; else a reason says why."""

import asyncio
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Self

import pytest

from services.chassis.outbox import Outbox
from services.notifier.adapters.delivery_queue import DeliveryQueue
from services.notifier.application.ports import ClaimResult, MessageClaim, Now
from services.notifier.application.send_messages import send_messages
from services.notifier.application.send_to_customers import FACTS_AGAIN, IN_ANOTHER
from services.notifier.domain.delivery import AttemptOutcome, Response
from services.notifier.domain.situation import Directory
from tests.integration.notifier.conftest import ACME, ADDRESSES, NOON, Notifier, SetClock

pytestmark = pytest.mark.integration

REPORT = """---
subject: "Value report for {{ account.name }}"
needs: [usage.active_users]
---
You have {{ usage.active_users | one: # active user | other: # active users }}
({{ usage.active_users_change }}) until {{ usage.ends_on }}.

What comes next:

{{ coming.list }}
"""
NEWSLETTER = """---
subject: "{{ program.title }}"
program: newsletter
needs: [program.title, program.body]
---
{{ program.body }}

[Read on]({{ program.url }})
"""
USAGE = {
    "begins_on": "2026-02-01",
    "ends_on": "2026-03-01",
    "active_users": 42.0,
    "active_users_before": 40.0,
}
ANN = {**ACME, "contacts": ACME["contacts"][:1]}


def other(number: int) -> dict[str, Any]:
    return {"touchpoint_id": f"{number:08}-1111-4111-8111-111111111111"}


async def outcome(notifier: Notifier) -> tuple[str, str]:
    latest = (await notifier.deliveries())[0]
    return latest["state"], latest["reason"]


async def test_a_report_has_the_figures_of_its_account_in_the_language_of_its_reader(
    notifier: Notifier,
) -> None:
    """S128, S174: asked for once for a whole batch, with the key of the deployment."""
    await notifier.add_acme(csm_id="carl", language="de", contacts=ANN["contacts"])
    await notifier.add_carl(phone="+49 30 1", booking_url="https://book.example/carl")
    await notifier.add_content("value_report", REPORT)
    german = "Aktiv: {{ usage.active_users }} ({{ usage.active_users_change }}), {{ csm.name }}."
    await notifier.add_content("value_report", f'---\nsubject: "Bericht"\n---\n{german}\n', language="de")
    notifier.facts.figures["acme"] = {"usage": USAGE}

    await notifier.due(touchpoint_type="value_report", topic="account", **other(1))
    await notifier.due(touchpoint_type="value_report", topic="account", **other(2))
    await notifier.send_messages()

    (mail,) = notifier.mailer.mails
    assert mail.message.subject == "Bericht \u2013 und mehr"
    assert mail.message.text.count("Aktiv: 42") == 2
    assert "Aktiv: 42 (+5\u00a0%), Carl." in mail.message.text
    assert '<html lang="de" dir="ltr">' in mail.message.html
    assert "Sie erhalten Kontoinformationen, weil Acme & Sons mit Northwind arbeitet" in mail.message.text
    assert mail.reply_to is not None
    assert (mail.reply_to.name, mail.reply_to.address) == ("Carl", "carl@vendor.example")
    ((path, authorization, body),) = notifier.facts.requests
    assert (path, authorization) == ("/v1/figures", "Bearer db_test_key")
    assert [item["account_id"] for item in body["items"]] == ["acme", "acme"]


async def test_without_figures_a_report_waits_and_then_expires_with_that_reason(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=ANN["contacts"])
    await notifier.add_content("value_report", REPORT)
    notifier.facts.status = 503
    await notifier.due(touchpoint_type="value_report", topic="account")

    await notifier.send_messages()
    (waiting,) = await notifier.deliveries()
    assert waiting["state"] == "pending"
    assert waiting["reason"].startswith("figures are not available yet: ")
    assert waiting["attempts"] == []
    assert await notifier.send_messages() == 0, f"asked again before {FACTS_AGAIN}"

    SetClock.now_is = NOON + timedelta(days=7)
    await notifier.ready_again()
    await notifier.send_messages()

    state, reason = await outcome(notifier)
    assert (state, reason[:29]) == ("expired", "figures are not available yet")
    assert notifier.mailer.mails == []


async def test_figures_that_come_in_time_are_sent_with_what_comes_next(notifier: Notifier) -> None:
    """S59."""
    await notifier.add_acme(contacts=ANN["contacts"])
    await notifier.add_content("value_report", REPORT)
    notifier.facts.status = 500
    await notifier.due(touchpoint_type="value_report", topic="account")
    await notifier.send_messages()

    notifier.facts.status, notifier.facts.figures["acme"] = 200, {"usage": USAGE}
    review = {
        "type": "business_review",
        "due_at": "2026-03-10T09:00:00Z",
        "channel": "meeting",
        "topic": "account",
    }
    internal = {**review, "type": "escalation", "topic": None}
    notifier.facts.coming["acme"] = [internal, review]
    await notifier.ready_again()
    await notifier.send_messages()

    (mail,) = notifier.mailer.mails
    assert "You have 42 active users (+5%) until 1 March 2026." in mail.message.text
    assert "- Business review: Tuesday, 10 March 2026 at 10:00 CET" in mail.message.text
    assert "scalation" not in mail.message.text
    assert [row["state"] for row in await notifier.deliveries()] == ["sent"]


async def test_without_something_to_say_nothing_is_sent_and_the_reason_names_it(notifier: Notifier) -> None:
    """S173: no file, no value that the content needs."""
    await notifier.add_acme(contacts=ANN["contacts"])
    await notifier.add_content("value_report", REPORT)

    await notifier.due(touchpoint_type="of_their_own", **other(1))
    await notifier.send_messages()
    assert await outcome(notifier) == ("expired", "no content: no content for customers about of_their_own")

    await notifier.due(touchpoint_type="value_report", **other(2))
    await notifier.send_messages()
    assert await outcome(notifier) == ("expired", "no content: en/value_report: usage.active_users not known")
    assert notifier.mailer.mails == []
    assert [row["cause"] for row in await notifier.finished()] == ["no_content", "no_content"]


async def test_a_newsletter_is_sent_once_to_each_contact_and_the_next_one_again(notifier: Notifier) -> None:
    """S218."""
    await notifier.add_acme(contacts=ANN["contacts"])
    await notifier.add_content("newsletter", NEWSLETTER)
    march = {"program_id": "march", "kind": "newsletter", "title": "March", "body": {"en": "All **new**."}}
    notifier.facts.figures["acme"] = {"program": march}

    for number in (1, 2):
        await notifier.due(touchpoint_type="newsletter", **other(number))
        await notifier.send_messages()

    assert [mail.message.subject for mail in notifier.mailer.mails] == ["March"]
    assert await outcome(notifier) == (
        "expired",
        "no content: the contact got march already, and nothing newer is announced",
    )
    notifier.facts.figures["acme"] = {"program": {**march, "program_id": "april", "title": "April"}}
    await notifier.due(touchpoint_type="newsletter", **other(3))
    await notifier.send_messages()
    assert [mail.message.subject for mail in notifier.mailer.mails] == ["March", "April"]


async def test_two_of_one_batch_do_not_present_one_program_twice(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=ANN["contacts"])
    await notifier.add_content("newsletter", NEWSLETTER)
    march = {"program_id": "march", "kind": "newsletter", "title": "March", "body": {"en": "New."}}
    notifier.facts.figures["acme"] = {"program": march}

    for number in (1, 2):
        await notifier.due(touchpoint_type="newsletter", **other(number))
    await notifier.send_messages()

    assert len(notifier.mailer.mails) == 1
    assert sorted(row["state"] for row in await notifier.deliveries()) == ["expired", "sent"]


@dataclass
class Replica:
    """A sender of its own with one claim, on the database of a notifier."""

    notifier: Notifier
    queue: DeliveryQueue
    work: tuple[list[MessageClaim], Directory, Now]

    @classmethod
    async def claim(cls, notifier: Notifier, owner: str) -> Self:
        outbox, clock = Outbox("/drumbeat/notifier"), SetClock(NOON, NOON, 1.0)
        queue = DeliveryQueue(notifier.database, outbox, clock, ADDRESSES, owner)
        made = cls(notifier, queue, await queue.claim_messages(1))
        assert len(made.work[0]) == 1
        return made

    async def send(self) -> list[ClaimResult]:
        sending = replace(self.notifier.sending, reservations=self.queue)
        return await send_messages(*self.work, sending=sending)


async def two_claims_of_one_program(notifier: Notifier) -> tuple[Replica, Replica]:
    await notifier.add_acme(contacts=ANN["contacts"])
    await notifier.add_content("newsletter", NEWSLETTER)
    march = {"program_id": "march", "kind": "newsletter", "title": "March", "body": {"en": "New."}}
    notifier.facts.figures["acme"] = {"program": march}
    for number in (1, 2):
        await notifier.due(touchpoint_type="newsletter", **other(number))
    # As after a pass that claimed them together: programs go as mails of their own.
    await notifier.database.pool.execute("UPDATE delivery_queue SET fold_key = NULL")
    return await Replica.claim(notifier, "test:1"), await Replica.claim(notifier, "test:2")


async def states(notifier: Notifier) -> list[tuple[str, str | None]]:
    return sorted((row["state"], row["reason"]) for row in await notifier.deliveries())


GOT_MARCH = "no content: the contact got march already, and nothing newer is announced"


@pytest.mark.parametrize("completes_first", [False, True])
async def test_two_replicas_at_one_moment_present_a_program_once(
    notifier: Notifier, *, completes_first: bool
) -> None:
    """S218: also where one was completed after the other had read which programs the contact got."""
    one, two = await two_claims_of_one_program(notifier)

    if completes_first:
        await one.queue.complete(await one.send())
        await two.queue.complete(await two.send())
    else:
        results = await asyncio.gather(one.send(), two.send())
        for replica, sent in zip((one, two), results, strict=True):
            await replica.queue.complete(sent)

    assert len(notifier.mailer.mails) == 1
    assert ("pending", IN_ANOTHER) in await states(notifier)
    await notifier.ready_again()
    await notifier.send_messages()
    assert len(notifier.mailer.mails) == 1
    assert ("expired", GOT_MARCH) in await states(notifier)
    assert await notifier.database.pool.fetchval("SELECT count(*) FROM program_reservation") == 0


async def test_where_the_sending_of_a_program_fails_another_delivery_presents_it(notifier: Notifier) -> None:
    one, two = await two_claims_of_one_program(notifier)
    notifier.mailer.responses = [Response(AttemptOutcome.DEFERRED, "450 busy")]

    await one.queue.complete(await one.send())
    await two.queue.complete(await two.send())

    assert [state for state, _ in await states(notifier)] == ["pending", "sent"]
    await notifier.ready_again()
    await notifier.send_messages()
    assert ("expired", GOT_MARCH) in await states(notifier)


async def test_a_program_that_may_have_arrived_is_not_presented_with_another_delivery(
    notifier: Notifier,
) -> None:
    one, two = await two_claims_of_one_program(notifier)
    notifier.mailer.responses = [Response(AttemptOutcome.AMBIGUOUS, "no answer to the message")]

    await one.queue.complete(await one.send())
    await two.queue.complete(await two.send())

    assert ("pending", IN_ANOTHER) in await states(notifier)
    assert len(notifier.mailer.mails) == 1


async def test_content_is_the_latest_version_and_goes_with_its_tombstone(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=ANN["contacts"])
    await notifier.add_content("tips", '---\nsubject: "Second"\n---\nB.\n', version=3)
    await notifier.add_content("tips", '---\nsubject: "First"\n---\nA.\n', version=2)
    await notifier.due(**other(1))
    await notifier.send_messages()
    assert [mail.message.subject for mail in notifier.mailer.mails] == ["Second"]

    gone = notifier.record("directory.content", "drumbeat.content.directory.v1", "en/tips", {}, "gone")
    await notifier.consume(gone._replace(value=None))
    await notifier.due(**other(2))
    await notifier.send_messages()
    assert (await outcome(notifier))[0] == "expired"


async def test_a_delivery_shows_the_id_of_its_message(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=ANN["contacts"])
    await notifier.due()
    await notifier.send_messages()

    (only,) = await notifier.deliveries()
    assert only["message_id"] == only["id"] == notifier.mailer.mails[0].delivery_id
