"""Mails between the relay and the database: at most one for each connection is in doubt, and opt-outs bind until DATA."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import cast

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session

from services.chassis.mailbox import ParsedMailbox
from services.devstack.embedded.postgres import EmbeddedPostgres
from services.notifier.adapters.channels.email import CONNECTIONS, Mailer
from services.notifier.adapters.channels.email_message import Sender
from services.notifier.domain.delivery import AttemptOutcome, Response
from services.notifier.entrypoints.service_mail_sender import service_mail_loop
from tests.conftest import PATIENCE
from tests.integration.notifier.conftest import ACME, Notifier, SetClock, refused_connections

pytestmark = pytest.mark.integration
SENDER = Sender(ParsedMailbox("Drumbeat", "beat@vendor.example"))
END_LEASES = "UPDATE delivery_queue SET lease_until = '2000-01-01Z' WHERE lease_until IS NOT NULL"


@dataclass
class Relay:
    """A mail server that waits before it answers DATA with 354, and again before it answers the message."""

    mails: list[bytes] = field(default_factory=list[bytes])
    asked: asyncio.Event = field(default_factory=asyncio.Event)
    may_take: asyncio.Event = field(default_factory=asyncio.Event)
    may_answer: asyncio.Event = field(default_factory=asyncio.Event)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.mails.append(cast("bytes", envelope.original_content))
        await self.may_answer.wait()
        return "250 kept"


class PausingSMTP(SMTP):
    """The protocol of `Relay`."""

    relay: Relay

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802
        self.relay.asked.set()
        await self.relay.may_take.wait()
        await super().smtp_DATA(arg)


@asynccontextmanager
async def relaying(relay: Relay) -> AsyncGenerator[Mailer]:
    loop = asyncio.get_running_loop()

    def protocol() -> SMTP:
        made = PausingSMTP(relay, loop=loop)
        made.relay = relay
        return made

    server = await loop.create_server(protocol, "127.0.0.1", 0)
    mailer = Mailer("127.0.0.1", server.sockets[0].getsockname()[1], sender=SENDER)
    yield mailer
    await mailer.stop()
    server.close()


async def opt_out(notifier: Notifier) -> None:
    answer = await notifier.http.put(
        "/v1/contacts/ann/preferences", json={"topics": {"education": {"opted_in": False}}}
    )
    assert answer.status_code == 200, answer.text


async def test_an_opt_out_that_is_taken_in_before_the_message_goes_binds(notifier: Notifier) -> None:
    """A2: the relay has been asked with DATA and has not answered 354 yet."""
    await notifier.add_acme(contacts=ACME["contacts"][:1])
    await notifier.due()
    relay = Relay()
    relay.may_answer.set()
    async with relaying(relay) as mailer:
        notifier.sending = replace(notifier.sending, mailer=mailer)
        sending = asyncio.create_task(notifier.send_messages())
        await relay.asked.wait()
        await opt_out(notifier)
        relay.may_take.set()
        await sending

    assert relay.mails == []
    (only,) = await notifier.deliveries()
    assert (only["state"], only["reason"]) == (
        "suppressed",
        "the contact opted out: education on all channels",
    )
    assert only["attempts"] == []
    assert only["ambiguous"] is False


async def test_without_an_opt_out_the_mail_goes_and_its_outcome_is_recorded(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=ACME["contacts"][:1])
    await notifier.due()
    relay = Relay()
    relay.may_answer.set()
    relay.may_take.set()
    async with relaying(relay) as mailer:
        notifier.sending = replace(notifier.sending, mailer=mailer)
        await notifier.send_messages()

    assert len(relay.mails) == 1
    (only,) = await notifier.deliveries()
    assert (only["state"], len(only["attempts"])) == ("sent", 1)


async def claim_many(notifier: Notifier, count: int) -> None:
    """As many mails to as many domains."""
    contacts = [
        {"contact_id": f"c{number}", "email": f"c@d{number}.example", "role": "champion"}
        for number in range(count)
    ]
    await notifier.add_acme(contacts=contacts)
    await notifier.due()


async def begun(notifier: Notifier) -> int:
    return await notifier.database.pool.fetchval("SELECT count(*) FROM delivery_queue WHERE is_begun")


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(20 * PATIENCE):
        while not condition():
            await asyncio.sleep(0.01)


async def test_a_sender_that_dies_leaves_one_mail_in_doubt_for_each_connection(notifier: Notifier) -> None:
    """A2: of fifty claimed mails those that never began are simply claimed again."""
    await claim_many(notifier, 50)
    relay = Relay()
    relay.may_take.set()
    async with relaying(relay) as mailer:
        notifier.sending = replace(notifier.sending, mailer=mailer)
        dying = asyncio.create_task(notifier.send_messages())
        await until(lambda: len(relay.mails) == CONNECTIONS)
        assert await begun(notifier) == CONNECTIONS
        dying.cancel()
        await asyncio.gather(dying, return_exceptions=True)
    await notifier.database.pool.execute(END_LEASES)

    claims, _, _ = await notifier.queue.claim_messages(50)

    assert len(claims) == 50
    assert sum(claim.ambiguous for claim in claims) == CONNECTIONS


async def test_outcomes_are_kept_while_the_database_is_away_and_written_when_it_returns(
    notifier: Notifier, migrated: EmbeddedPostgres
) -> None:
    """A2: at most one mail for each connection waits for its outcome to be written, and none is sent twice."""
    await claim_many(notifier, 30)
    relay = Relay()
    relay.may_take.set()
    async with relaying(relay) as mailer:
        notifier.sending = replace(notifier.sending, mailer=mailer)
        sending = asyncio.create_task(notifier.send_messages())
        await until(lambda: len(relay.mails) == CONNECTIONS)
        async with refused_connections(migrated):
            relay.may_answer.set()
            await asyncio.wait([sending], timeout=1)
            assert len(relay.mails) == CONNECTIONS
            assert not sending.done()
        await sending
        await notifier.database.pool.execute(END_LEASES)
        while await notifier.send_messages():
            pass

    assert len(relay.mails) == 30
    rows = await notifier.deliveries()
    assert {(row["state"], row["ambiguous"], len(row["attempts"])) for row in rows} == {("sent", False, 1)}


async def test_outcomes_of_service_mails_are_kept_too_and_no_other_one_goes_meanwhile(
    notifier: Notifier, migrated: EmbeddedPostgres
) -> None:
    """A2: these mails go one after the other, so at most one is in doubt."""
    people = [
        {**ACME["contacts"][0], "contact_id": name, "email": f"{name}@acme.example"}
        for name in ("ann", "ben", "cy")
    ]
    await notifier.add_acme(contacts=people)
    for person in people:
        await notifier.mailing.mails.request_link(person["email"])
    relay = Relay()
    relay.may_take.set()
    async with relaying(relay) as mailer:
        loop = service_mail_loop(replace(notifier.mailing, mailer=mailer), work="false")
        running = asyncio.create_task(loop.run())
        await until(lambda: len(relay.mails) == 1)
        async with refused_connections(migrated):
            relay.may_answer.set()
            await asyncio.sleep(1)
            assert len(relay.mails) == 1
        await until(lambda: len(relay.mails) == 3 and loop.is_at_rest())
        loop.stop()
        await running

    rows = await notifier.database.pool.fetch("SELECT state, attempts FROM service_mail")
    assert [tuple(row) for row in rows] == [("sent", 1)] * 3


async def test_a_mail_that_may_have_been_sent_does_not_expire_as_if_it_were_not(notifier: Notifier) -> None:
    """A13 (d)."""
    await notifier.add_acme(contacts=ACME["contacts"][:1])
    await notifier.due()
    notifier.mailer.responses = [
        Response(AttemptOutcome.AMBIGUOUS, "no answer after the message was handed over")
    ]
    await notifier.send_messages()
    SetClock.now_is = datetime(2027, 1, 1, tzinfo=UTC)

    await notifier.queue.wake_due()
    await notifier.send_messages()

    (only,) = await notifier.deliveries()
    assert only["state"] == "failed"
    assert only["reason"] == (
        "the deadline passed before it was sent: an earlier attempt may have reached the recipient"
    )
    assert only["ambiguous"] is True


async def test_a_withdrawn_mail_that_may_have_been_sent_says_so(notifier: Notifier) -> None:
    await notifier.add_acme(contacts=ACME["contacts"][:1])
    await notifier.due()
    notifier.mailer.responses = [
        Response(AttemptOutcome.AMBIGUOUS, "no answer after the message was handed over")
    ]
    await notifier.send_messages()

    await notifier.consume(notifier.touchpoint("cancelled", status="cancelled", sequence=4))

    (only,) = await notifier.deliveries(channel="email", state="suppressed")
    assert only["reason"] == (
        "withdrawn: the touchpoint was cancelled; an earlier attempt may have reached the recipient"
    )


async def test_what_cannot_be_recorded_stops_no_other_mail(notifier: Notifier) -> None:
    await claim_many(notifier, 2)
    unreadable = Response(AttemptOutcome.DELIVERED, "250 \x00")
    notifier.mailer.responses = [unreadable, Response(AttemptOutcome.DELIVERED, "250 kept")]

    await notifier.send_messages()

    assert sorted(row["state"] for row in await notifier.deliveries()) == ["pending", "sent"]
    assert await begun(notifier) == 1
