"""Mails out: the notifier's queue and mailer, beside aiosmtplib alone with the same mails, to one sink."""

import asyncio
import sys
from collections.abc import AsyncGenerator, Iterator
from contextlib import asynccontextmanager
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from pathlib import Path
from statistics import median

import aiosmtplib
import orjson

from schemas.times import format_instant
from services.chassis.clock import ServiceClock, real_now
from services.chassis.database import Database
from services.chassis.mail_settings import Email
from services.chassis.outbox import Outbox
from services.chassis.schema_versions import DATABASES
from services.chassis.settings import Settings
from services.devstack.embedded import processes
from services.notifier.adapters.delivery_queue import DeliveryQueue
from services.notifier.adapters.mail_recorder import MailRecorder
from services.notifier.application.claim_results import attempted
from services.notifier.application.hand_over_mail import hand_over_mail
from services.notifier.application.mail_ports import BeginningMail, Mail
from services.notifier.application.ports import ClaimResult, MessageClaim, Now
from services.notifier.domain.addresses import AddressKey
from services.notifier.domain.delivery import Response
from services.notifier.domain.message import Message
from services.notifier.entrypoints.workers import MESSAGES_AT_ONCE
from services.notifier.main import make_mailer
from tests.benchmarks.figures import Figure, ratio_of_rounds
from tests.stack import Stack, free_port, until

CONNECTIONS = 16
DOMAINS = 50
SENDER = "drumbeat@example.com"
DUE = "drumbeat.touchpoint.due.v1"
MESSAGE = Message(
    subject="Your usage of the last 30 days",
    text="42 people were active, 7 more than before.\n" * 20,
    html="<p>42 people were active, 7 more than before.</p>\n" * 40,
)
FEED = """
INSERT INTO feed (key, event_id, type, said_at, account_id, data)
SELECT md5('event-' || i)::uuid, 'event-' || i, $1, $2, 'acc-000001', $3 FROM generate_series(1, $4::int) i
"""
DELIVERIES = """
WITH made AS (
    INSERT INTO delivery (id, caused_at, event_key, message_id, touchpoint_id, touchpoint_type, account_id, channel,
        recipient_kind, recipient_id, state)
    SELECT u.id, $2, md5('event-' || i)::uuid, u.id, 'touchpoint-' || i, 'usage_report', 'acc-000001', 'email',
        'contact', 'contact-' || i, 'pending'
    FROM generate_series(1, $1::int) i, LATERAL (SELECT md5('delivery-' || i)::uuid AS id) u
    RETURNING *
)
INSERT INTO delivery_queue (delivery_id, caused_at, event_key, event_at, seq, message_id, account_id, channel,
    recipient_kind, recipient_id, touchpoint_id, touchpoint_type, next_at, created_at)
SELECT id, caused_at, event_key, caused_at, seq, message_id, account_id, channel, recipient_kind, recipient_id,
    touchpoint_id, touchpoint_type, clock_timestamp(), created_at FROM made
"""


def due_event() -> bytes:
    """The data of the event behind each mail."""
    now = format_instant(real_now())
    return orjson.dumps(
        {
            "touchpoint_id": "11111111-1111-4111-8111-111111111111",
            "account_id": "acc-000001",
            "touchpoint_type": "usage_report",
            "status": "due",
            "due_at": now,
            "window": {"from": now, "to": now},
            "owner": {"kind": "automation"},
            "channel": "email",
            "purpose": "Show what was used",
            "reason": {"rule": "monthly", "policy": "p1", "text": "A month has passed."},
            "sequence": 3,
        }
    )


class Senders:
    """Both ways of sending, to one sink."""

    def __init__(self, database: Database, port: int, count: int) -> None:
        self._database = database
        self._port = port
        self._count = count

    async def ours(self) -> float:
        """Mails a second, from the first claim to the last outcome written down."""
        await self._fill()
        now = real_now()
        clock, key = ServiceClock(now, now, 1.0), AddressKey(bytes(32))
        queue = DeliveryQueue(self._database, Outbox("/bench"), clock, key, "bench")
        mailer = make_mailer(Settings(email=Email(host="127.0.0.1", port=self._port)), queue.written.add)

        recorder = MailRecorder(queue, reported=lambda: None)

        async def send(claim: MessageClaim) -> None:
            number = int(claim.delivery.id[:4], 16) % DOMAINS
            to = f"{claim.delivery.recipient.id}@customer-{number}.example"
            link = f"https://drumbeat.example.com/unsubscribe/{claim.delivery.id}"
            mail, at = Mail(claim.delivery.id, to, MESSAGE, link), real_now()

            def results_of(response: Response) -> list[ClaimResult]:
                return [attempted(claim, response, Now(at, at), to)]

            beginning = BeginningMail([claim], [claim.delivery.recipient.id or ""], to)
            left = await hand_over_mail(mail, beginning, (mailer, recorder), at, results_of=results_of)
            assert not left

        began = asyncio.get_running_loop().time()
        while True:
            claims, _, _ = await queue.claim_messages(MESSAGES_AT_ONCE)
            if not claims:
                break
            await asyncio.gather(*map(send, claims))
        seconds = asyncio.get_running_loop().time() - began
        await mailer.stop()
        sent = await self._database.pool.fetchval("SELECT count(*) FROM delivery WHERE state = 'sent'")
        assert sent == self._count, sent
        return self._count / seconds

    async def _fill(self) -> None:
        pool = self._database.pool
        now = real_now()
        await pool.execute("TRUNCATE delivery, delivery_queue, feed, outbox")
        await pool.execute(FEED, DUE, now, due_event(), self._count)
        await pool.execute(DELIVERIES, self._count, now)
        await pool.execute("VACUUM ANALYZE delivery, delivery_queue, feed")

    async def bare(self) -> float:
        """Mails a second over as many connections, built by the standard library and recorded nowhere."""
        numbers = iter(range(self._count))

        async def send(numbers: Iterator[int]) -> None:
            async with aiosmtplib.SMTP(hostname="127.0.0.1", port=self._port) as client:
                for number in numbers:
                    await client.send_message(_build(number))

        began = asyncio.get_running_loop().time()
        await asyncio.gather(*(send(numbers) for _ in range(CONNECTIONS)))
        return self._count / (asyncio.get_running_loop().time() - began)


def _build(number: int) -> EmailMessage:
    """As a script would build it, with the headers that a mail to a list needs (RFC 2369, RFC 8058)."""
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"] = SENDER, f"contact-{number}@customer-{number % DOMAINS}.example"
    mail["Subject"] = MESSAGE.subject
    mail["Date"] = format_datetime(real_now())
    mail["Message-ID"] = f"<{number}@drumbeat.example.com>"
    mail["List-Unsubscribe"] = f"<https://drumbeat.example.com/unsubscribe/{number}>"
    mail["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    mail.set_content(MESSAGE.text)
    mail.add_alternative(MESSAGE.html, subtype="html")
    return mail


@asynccontextmanager
async def mail_sink(folder: Path) -> AsyncGenerator[int]:
    """The sink of `make run` in a process of its own; answers its port."""
    port = free_port()
    command = [sys.executable, "-m", "services.devstack.embedded.smtp", "--port", str(port)]
    child = processes.spawn([*command, "--folder", str(folder / "mail")], log=folder / "sink.log")

    async def listens() -> bool:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            return False
        writer.close()
        return True

    try:
        await until(listens, 30, "the mail sink listens")
        yield port
    finally:
        await asyncio.to_thread(processes.kill, child)


async def run(stack: Stack, *, quick: bool) -> list[Figure]:
    """Rounds of either sender in turn; the first of each only warms up."""
    database = await Database.open(stack.postgres.url, DATABASES["notifier"])
    rounds, count = (1, 300) if quick else (5, 1_500)
    async with mail_sink(stack.folder) as port:
        senders = Senders(database, port, count)
        ours, bare = [await senders.ours()], [await senders.bare()]
        for _ in range(rounds):
            ours.append(await senders.ours())
            bare.append(await senders.bare())
    await database.close()
    return [
        Figure(
            "mails to one relay", median(ours[1:]), median(bare[1:]), ratio_of_rounds(ours[1:], bare[1:]), "/s",
            f"aiosmtplib alone, {CONNECTIONS} connections", at_least=0.7, more={"ours": ours[1:], "bare": bare[1:]},
        )
    ]  # fmt: skip
