"""Contact budgets on a real database: what has no room waits and ends with a reason, calls count, replicas share room."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from schemas.ids import derived_id
from schemas.times import format_instant
from services.chassis.outbox import Outbox
from services.notifier.adapters.delivery_queue import DeliveryQueue
from services.notifier.adapters.engagement_repository import delivered_messages
from services.notifier.application.send_messages import send_messages
from services.notifier.domain.delivery import AttemptOutcome, Response
from tests.integration.notifier.conftest import ACME, ADDRESSES, NOON, Notifier, SetClock

pytestmark = pytest.mark.integration

DAY = timedelta(days=1)
ANN = ACME["contacts"][:1]
WAITS = "waits for room in the contact budget: person-week, at most 2 in 7 days"
WORD = """---
subject: "A word about {{ touchpoint.name }}"
---
Hello {{ contact.first_name | otherwise: there }}, all is well.
"""


async def set_policy(notifier: Notifier, **more: Any) -> None:
    budgets = [{"name": "person-week", "per": "person", "at_most": 2, "within_hours": 168}]
    kind = {"owner": "automation", "channel": "email", "purpose": "a word"}
    types = [
        {"touchpoint_type": name, **kind, **more.pop(name, {})}
        for name in ("tips", "usage_report", "webinar")
    ]
    data = {"policy": "p1", "touchpoint_types": types, "contact_budgets": budgets, "version": 7, **more}
    await notifier.consume(
        notifier.record("directory.policy", "drumbeat.policy.directory.v1", "policy", data, "policy:7")
    )


async def prepared(notifier: Notifier, contacts: Any = ANN, **policy: Any) -> None:
    await notifier.add_acme(contacts=contacts)
    await notifier.add_content("usage_report", WORD)
    await set_policy(notifier, **policy)


def number(count: int) -> dict[str, Any]:
    return {"touchpoint_id": f"{count:08}-1111-4111-8111-111111111111"}


async def send(notifier: Notifier, count: int, **more: Any) -> None:
    await notifier.due(**number(count), **more)
    await notifier.send_messages()


async def go_to(notifier: Notifier, moment: Any) -> None:
    SetClock.now_is = moment
    await notifier.queue.wake_due()
    await notifier.send_messages()


async def states(notifier: Notifier) -> list[tuple[str, str | None]]:
    return [(row["state"], row["reason"]) for row in reversed(await notifier.deliveries())]


async def call(notifier: Notifier, kind: str, at: Any, sequence: int, **more: Any) -> None:
    status = "cancelled" if kind == "cancelled" else "planned"
    fields = {
        "touchpoint_type": "check_in",
        "channel": "call",
        "topic": "account",
        "status": status,
        "owner": "csm",
    }
    times = {"due_at": format_instant(at), "released_at": None, "sequence": sequence}
    await notifier.consume(notifier.touchpoint(kind, **{**number(90), **fields, **times, **more}))


async def test_what_has_no_room_waits_and_is_sent_when_there_is_f6(notifier: Notifier) -> None:
    await prepared(notifier)
    await send(notifier, 1)
    SetClock.now_is = NOON + DAY
    await send(notifier, 2)
    SetClock.now_is = NOON + 2 * DAY
    await send(notifier, 3)
    assert (await states(notifier))[2] == ("pending", WAITS)
    assert len(notifier.mailer.mails) == 2
    assert await notifier.send_messages() == 0, "what waits is not looked at again before its time"

    await go_to(notifier, NOON + 7 * DAY - timedelta(seconds=1))
    assert len(notifier.mailer.mails) == 2
    await go_to(notifier, NOON + 7 * DAY)
    assert [state for state, _ in await states(notifier)] == ["sent", "sent", "sent"]


async def test_what_finds_no_room_in_time_expires_with_the_budget_as_its_reason(notifier: Notifier) -> None:
    await prepared(notifier)
    for count in (1, 2):
        await send(notifier, count)
    deadline = format_instant(NOON + 3 * DAY)
    await send(notifier, 3, deadline=deadline)
    await send(notifier, 4, deadline=None)

    await go_to(notifier, NOON + 3 * DAY)
    reason = WAITS.replace("waits for room in the contact budget", "the contact budget had no room in time")
    assert (await states(notifier))[2:] == [("expired", reason), ("expired", reason)]
    assert [row["cause"] for row in await notifier.finished()][2:] == ["contact_budget", "contact_budget"]


async def test_a_policy_that_leaves_more_room_sends_what_waits(notifier: Notifier) -> None:
    await prepared(notifier)
    for count in (1, 2, 3):
        await send(notifier, count)
    assert [state for state, _ in await states(notifier)] == ["sent", "sent", "pending"]

    budget = {"name": "person-week", "per": "person", "at_most": 3, "within_hours": 168}
    await set_policy(notifier, contact_budgets=[budget], version=8)
    await notifier.send_messages()
    assert [state for state, _ in await states(notifier)] == ["sent", "sent", "sent"]


async def test_a_planned_call_takes_room_until_it_is_cancelled(notifier: Notifier) -> None:
    await prepared(notifier)
    await call(notifier, "scheduled", NOON + 2 * DAY, 1)
    await send(notifier, 1)
    await send(notifier, 2)
    assert (await states(notifier))[1] == ("pending", WAITS)
    assert len(notifier.mailer.mails) == 1

    await call(notifier, "cancelled", NOON + 2 * DAY, 2)
    await notifier.send_messages()
    assert [state for state, _ in await states(notifier)] == ["sent", "sent"]


async def test_a_call_counts_for_its_audience_and_a_webinar_for_nobody(notifier: Notifier) -> None:
    await prepared(notifier, webinar={"group": True})
    await call(notifier, "scheduled", NOON + DAY, 1, audience=["decision_maker"])
    webinar = {**number(91), "touchpoint_type": "webinar"}
    await call(notifier, "scheduled", NOON + DAY, 1, **webinar)
    await send(notifier, 1)
    await send(notifier, 2)
    assert [state for state, _ in await states(notifier)] == ["sent", "sent"]


async def test_a_call_that_was_missed_frees_its_room_and_one_that_was_held_counts(notifier: Notifier) -> None:
    await prepared(notifier)
    await call(notifier, "scheduled", NOON, 1)
    held = {
        "touchpoint_id": number(90)["touchpoint_id"],
        "touchpoint_type": "check_in",
        "outcome": "completed",
    }
    settled = "drumbeat.touchpoint.settled.v1"
    await notifier.consume(notifier.record("touchpoint.outcomes", settled, "acme", held, "s1"))
    await send(notifier, 1)
    await send(notifier, 2)
    assert [state for state, _ in await states(notifier)] == ["sent", "pending"]

    missed = {**held, "outcome": "missed"}
    await notifier.consume(notifier.record("touchpoint.outcomes", settled, "acme", missed, "s2"))
    await notifier.send_messages()
    assert [state for state, _ in await states(notifier)] == ["sent", "sent"]


async def test_escalations_never_wait_and_count(notifier: Notifier) -> None:
    """F6: a T-7 renewal escalation is never displaced."""
    await prepared(notifier)
    for count in range(1, 4):
        await send(notifier, count, precedence="escalation")
    await send(notifier, 4)
    assert [state for state, _ in await states(notifier)] == ["sent", "sent", "sent", "pending"]


async def test_an_account_counts_a_message_to_several_people_once(notifier: Notifier) -> None:
    budget = {"name": "account-week", "per": "account", "at_most": 1, "within_hours": 168}
    await prepared(notifier, ACME["contacts"], contact_budgets=[budget])
    await send(notifier, 1)
    await send(notifier, 2)
    assert [state for state, _ in await states(notifier)] == ["sent", "sent", "pending", "pending"]


async def test_mails_to_one_person_that_are_ready_together_are_one_mail_and_one_contact(
    notifier: Notifier,
) -> None:
    await prepared(notifier)
    await notifier.due(**number(1), precedence="preference")
    await notifier.due(**number(2), touchpoint_type="usage_report", topic="account", precedence="floor")
    await notifier.send_messages()

    (mail,) = notifier.mailer.mails
    assert mail.message.subject == "A word about Usage report, and more"
    assert mail.message.text.index("all is well") < mail.message.text.index("import faster in three steps")
    assert "Stop account updates" in mail.message.text
    assert "Stop tips and guides" in mail.message.text
    rows = await notifier.deliveries()
    assert {row["message_id"] for row in rows} == {mail.delivery_id}, "the id in its Message-ID"
    assert [row["state"] for row in rows] == ["sent", "sent"]
    assert (
        await notifier.database.pool.fetchval("SELECT count(*) FROM counted_message WHERE state = 'made'")
        == 1
    )

    async with notifier.database.transaction() as connection:
        known = await delivered_messages(connection, [mail.delivery_id])
    assert {message.recipient.id for message in known.values()} == {"ann"}

    # Its one-click link ends both topics.
    link = (mail.unsubscribe_url or "").removeprefix("http://test")
    assert (await notifier.http.post(link)).status_code == 200
    topics = (await notifier.http.get("/v1/contacts/ann/preferences")).json()["topics"]
    ended = {name for name, topic in topics.items() if topic["opted_in"] is False}
    assert {"account", "education"} <= ended


async def test_what_was_claimed_with_others_and_goes_alone_goes_at_once_and_then_there_is_rest(
    notifier: Notifier,
) -> None:
    await prepared(notifier, contact_budgets=[])
    await notifier.add_content("survey", WORD)
    for count, kind in enumerate(("tips", "usage_report", "survey", "survey")):
        await notifier.due(
            **number(count), touchpoint_type=kind, topic="surveys" if kind == "survey" else "account"
        )
    passes = 0
    while await notifier.send_messages():
        passes += 1
    assert passes <= 2
    assert [state for state, _ in await states(notifier)] == ["sent"] * 4
    assert len(notifier.mailer.mails) == 3
    rows = await notifier.deliveries()
    assert len({row["message_id"] for row in rows}) == 3


async def test_what_waits_for_the_same_room_goes_in_one_mail(notifier: Notifier) -> None:
    await prepared(notifier)
    for count in (1, 2):
        await send(notifier, count)
    SetClock.now_is = NOON + DAY
    await send(notifier, 3)
    await send(notifier, 4, touchpoint_type="usage_report", topic="account")
    assert len(notifier.mailer.mails) == 2

    await go_to(notifier, NOON + 7 * DAY)
    assert len(notifier.mailer.mails) == 3
    assert notifier.mailer.mails[-1].message.subject.endswith(", and more")


async def test_a_send_window_is_waited_for_by_the_clock_of_the_recipient(notifier: Notifier) -> None:
    window = {"days": ["wed"], "from": "09:00", "to": "11:00"}
    await prepared(notifier, tips={"send_window": window})
    await send(notifier, 1)
    assert await states(notifier) == [("pending", "waits for the send window")]

    wednesday_at_nine_in_berlin = NOON + 2 * DAY - timedelta(hours=4)
    await go_to(notifier, wednesday_at_nine_in_berlin - timedelta(minutes=1))
    assert notifier.mailer.mails == []
    await go_to(notifier, wednesday_at_nine_in_berlin)
    assert [state for state, _ in await states(notifier)] == ["sent"]


async def test_two_replicas_never_take_the_same_room(notifier: Notifier) -> None:
    """Each has claimed a message of its own when there is room for one."""
    await prepared(notifier)
    await send(notifier, 1)
    queues: list[DeliveryQueue] = []
    works: list[Any] = []
    for count in (2, 3):
        queues.append(
            DeliveryQueue(
                notifier.database,
                Outbox("/drumbeat/notifier"),
                SetClock(NOON, NOON, 1.0),
                ADDRESSES,
                f"r{count}",
            )
        )
        await notifier.due(**number(count))
        works.append(await queues[-1].claim_messages(50))
        assert len(works[-1][0]) == 1

    async def send_one(queue: DeliveryQueue, work: Any) -> None:
        sending = replace(notifier.sending, reservations=queue)
        await queue.complete(await send_messages(*work, sending=sending))

    await asyncio.gather(*(send_one(queue, work) for queue, work in zip(queues, works, strict=True)))
    assert sorted(state for state, _ in await states(notifier)) == ["pending", "sent", "sent"]


async def test_room_that_a_call_leaves_goes_to_the_most_urgent_whoever_claims_first(
    notifier: Notifier,
) -> None:
    """Moved away, the call leaves room for one of two messages; another replica claims the less urgent one first."""
    await prepared(notifier)
    await notifier.add_content("survey", WORD)
    await call(notifier, "scheduled", NOON + DAY, 1)
    await send(notifier, 1)
    await send(notifier, 2, precedence="default", touchpoint_type="survey", topic="surveys")
    await send(notifier, 3, precedence="floor")
    assert [state for state, _ in await states(notifier)] == ["sent", "pending", "pending"]

    await call(notifier, "moved", NOON + 30 * DAY, 2)
    hold = "UPDATE delivery_queue SET next_at = next_at + interval '{}' WHERE touchpoint_id = '{}'"
    urgent = number(3)["touchpoint_id"]
    await notifier.database.pool.execute(hold.format("1 hour", urgent))
    await notifier.send_messages()
    assert [state for state, _ in await states(notifier)] == ["sent", "pending", "pending"]

    await notifier.database.pool.execute(hold.format("-1 hour", urgent))
    await notifier.send_messages()
    assert [state for state, _ in await states(notifier)] == ["sent", "pending", "sent"]
    await go_to(notifier, NOON + timedelta(minutes=1))
    assert [state for state, _ in await states(notifier)] == ["sent", "pending", "sent"]


async def test_a_sender_that_dies_after_it_reserved_leaves_its_room_taken(notifier: Notifier) -> None:
    await prepared(notifier)
    await send(notifier, 1)
    await notifier.due(**number(2))
    claims, directory, now = await notifier.queue.claim_messages(50)

    class Died(Exception):
        pass

    class DiesInReserve:
        async def reserve_programs(self, uses: Any) -> set[str]:
            return await notifier.queue.reserve_programs(uses)

        async def reserve_room(self, uses: Any) -> Any:
            await notifier.queue.reserve_room(uses)
            raise Died

    with pytest.raises(Died):
        await send_messages(
            claims, directory, now, sending=replace(notifier.sending, reservations=DiesInReserve())
        )
    await send(notifier, 3)
    assert [state for state, _ in await states(notifier)] == ["sent", "pending", "pending"]

    await notifier.database.pool.execute("UPDATE delivery_queue SET lease_until = '2000-01-01'")
    await notifier.send_messages()
    assert [state for state, _ in await states(notifier)] == ["sent", "sent", "pending"]
    assert len(notifier.mailer.mails) == 2


async def test_what_the_relay_refuses_frees_its_room_and_what_is_in_doubt_does_not(
    notifier: Notifier,
) -> None:
    await prepared(notifier)
    await send(notifier, 1)
    notifier.mailer.responses = [Response(AttemptOutcome.REFUSED, "550 no", is_permanent=True)]
    await send(notifier, 2)
    await send(notifier, 3)
    assert [state for state, _ in await states(notifier)] == ["sent", "failed", "sent"]

    await notifier.database.pool.execute("TRUNCATE counted_message")
    await send(notifier, 4)
    notifier.mailer.responses = [Response(AttemptOutcome.AMBIGUOUS, "no answer")]
    await send(notifier, 5)
    await send(notifier, 6)
    assert (await states(notifier))[-1] == ("pending", WAITS)


async def test_what_may_have_arrived_counts_also_when_it_is_not_tried_again(notifier: Notifier) -> None:
    await prepared(notifier)
    await send(notifier, 1)
    await notifier.due(**number(2), deadline=format_instant(NOON + DAY))
    claims, directory, now = await notifier.queue.claim_messages(50)

    class DiesWhileItSends:
        async def send(self, *_: Any, handover: Any, **__: Any) -> Any:
            await handover.begin()
            raise asyncio.CancelledError

    sending = replace(notifier.sending, mailer=DiesWhileItSends())
    with pytest.raises(asyncio.CancelledError):
        await send_messages(claims, directory, now, sending=sending)
    await notifier.database.pool.execute("UPDATE delivery_queue SET lease_until = '2000-01-01'")

    await go_to(notifier, NOON + DAY)
    assert (await states(notifier))[1][0] == "failed"
    await send(notifier, 3)
    assert (await states(notifier))[2] == ("pending", WAITS)


async def test_a_draft_takes_no_room_until_it_is_approved_and_then_goes_alone(notifier: Notifier) -> None:
    await prepared(notifier, tips={"approve": True})
    later = {"deadline": format_instant(NOON + 10 * DAY)}
    await send(notifier, 1, **later)
    assert (await states(notifier))[0][1] == "waits for approval by ops@vendor.example"
    usage = {"touchpoint_type": "usage_report", "topic": "account", **later}
    await send(notifier, 2, **usage)
    await send(notifier, 3, **usage)
    assert [state for state, _ in await states(notifier)] == ["pending", "sent", "sent"]

    (draft,) = (await notifier.http.get("/v1/drafts")).json()["items"]
    assert (await notifier.http.post(f"/v1/drafts/{draft['id']}/approve", json={})).status_code == 200
    await notifier.send_messages()
    await send(notifier, 4, **usage)
    assert [(await states(notifier))[place] for place in (0, 3)] == [("pending", WAITS)] * 2

    await go_to(notifier, NOON + 7 * DAY)
    assert [state for state, _ in await states(notifier)] == ["sent"] * 4
    subjects = sorted(mail.message.subject for mail in notifier.mailer.mails[2:])
    assert subjects == ["A tipAcme & Sons", "A word about Usage report"]


async def test_an_erased_contact_is_nobody_in_what_is_counted(notifier: Notifier) -> None:
    await prepared(notifier)
    await send(notifier, 1)
    await call(notifier, "scheduled", NOON + DAY, 1)
    counted = "SELECT person IS NULL, contact_id FROM counted_message"
    assert [tuple(row) for row in await notifier.database.pool.fetch(counted)] == [(False, "ann")]

    await notifier.add_acme(2, contacts=[], erased_contacts=[derived_id("contact", "ann")])
    assert [tuple(row) for row in await notifier.database.pool.fetch(counted)] == [(True, None)]
