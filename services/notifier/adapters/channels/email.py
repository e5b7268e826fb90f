"""Email over one SMTP relay: connections are kept, each recipient domain gets a bounded share of them.

Replies are mapped as RFC 5321 means them. A connection lost after the message was handed over is ambiguous:
it is tried again under the same Message-ID, and the attempt says so.
"""

import asyncio
import re
from collections import defaultdict
from contextlib import AsyncExitStack
from datetime import datetime
from enum import Enum

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
)

from services.notifier.adapters.channels.email_message import AddressRejected, build
from services.notifier.application.ports import Mail
from services.notifier.domain.delivery import Outcome, Receipt
from services.notifier.domain.message import HeaderInjection

CONNECTIONS, PER_DOMAIN = 16, 4
# A lease lasts 90 s: waiting for a turn and the whole attempt must fit into it.
TURN, ATTEMPT, TIMEOUT = 30.0, 40.0, 25.0
ENHANCED = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
NO_SUCH_MAILBOX = frozenset({550, 551, 553})


class Tls(Enum):
    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


class Mailer:
    """A pool of connections to the relay."""

    def __init__(  # noqa: PLR0913 - the settings of a mail relay are this many
        self,
        host: str,
        port: int,
        *,
        sender: str,
        redirect_to: str | None = None,
        username: str | None = None,
        password: str | None = None,
        tls: Tls = Tls.NONE,
    ) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._username, self._password = username, password
        self._sender, self._redirect_to = sender, redirect_to
        self._idle: list[aiosmtplib.SMTP] = []
        self._total = asyncio.Semaphore(CONNECTIONS)
        self._domains: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(PER_DOMAIN)
        )

    async def send(self, mail: Mail, *, at: datetime) -> Receipt:
        """One attempt at this real moment. Never raises for what the other side does."""
        try:
            recipient, wire = build(mail, sender=self._sender, redirect_to=self._redirect_to, at=at)
        except (AddressRejected, HeaderInjection) as problem:
            return Receipt(Outcome.REFUSED, str(problem), permanent=True, address_refused=True)
        async with AsyncExitStack() as turn:
            try:
                async with asyncio.timeout(TURN):
                    await turn.enter_async_context(self._domains[_domain(mail)])
                    await turn.enter_async_context(self._total)
            except TimeoutError:
                return Receipt(Outcome.UNREACHED, "no turn at the relay: it is slow")
            return await self._transact(recipient, wire)

    async def stop(self) -> None:
        idle, self._idle = self._idle, []
        for each in idle:
            each.close()

    async def _transact(self, recipient: str, mail: bytes) -> Receipt:
        client: aiosmtplib.SMTP | None = None
        handed_over = False
        try:
            async with asyncio.timeout(ATTEMPT):
                client = await self._connection()
                await client.mail(_envelope(self._sender))
                await client.rcpt(recipient)
                handed_over = True
                answer = await client.data(mail)
        except SMTPAuthenticationError as problem:
            receipt = Receipt(Outcome.UNREACHED, f"the relay refused our login: {problem.code}")
        except SMTPResponseException as problem:
            receipt = classify(problem.code, problem.message)
        except (SMTPException, OSError, ValueError) as problem:
            receipt = _lost(problem, handed_over=handed_over)
        else:
            receipt = Receipt(Outcome.DELIVERED, f"{answer.code} {answer.message}"[:200])
        await self._give_back(client, receipt.outcome)
        return receipt

    async def _connection(self) -> aiosmtplib.SMTP:
        while self._idle:
            client = self._idle.pop()
            if client.is_connected and await _alive(client):
                return client
            client.close()
        client = aiosmtplib.SMTP(
            hostname=self._host,
            port=self._port,
            username=self._username,
            password=self._password,
            use_tls=self._tls is Tls.IMPLICIT,
            start_tls=self._tls is Tls.STARTTLS,
            timeout=TIMEOUT,
        )
        await client.connect()
        return client

    async def _give_back(self, client: aiosmtplib.SMTP | None, outcome: Outcome) -> None:
        """A connection is used again only if it is known to be between two messages."""
        if client is None:
            return
        answered = outcome in (Outcome.DELIVERED, Outcome.DEFERRED, Outcome.REFUSED)
        if answered and client.is_connected and (outcome is Outcome.DELIVERED or await _alive(client)):
            self._idle.append(client)
        else:
            client.close()


async def _alive(client: aiosmtplib.SMTP) -> bool:
    try:
        await client.rset(timeout=5)
    except (SMTPException, OSError):
        return False
    return True


def _domain(mail: Mail) -> str:
    return mail.to.rpartition("@")[2].lower()


def _envelope(sender: str) -> str:
    from_header = re.search(r"<([^<>]+)>", sender)
    return from_header.group(1) if from_header else sender


def _lost(problem: Exception, *, handed_over: bool) -> Receipt:
    what = f"{type(problem).__name__}: {problem}"[:200]
    if handed_over:
        return Receipt(Outcome.AMBIGUOUS, f"no answer after the message was handed over ({what})")
    return Receipt(Outcome.UNREACHED, f"the relay could not be reached ({what})")


def classify(code: int, text: str) -> Receipt:
    """What an SMTP reply that is not 2xx means for the delivery and for the address."""
    detail = f"{code} {text}"[:200]
    if not 500 <= code <= 599:
        return Receipt(Outcome.DEFERRED, detail)
    enhanced = ENHANCED.search(text)
    if enhanced is None or enhanced.group(2) == "0":
        unknown_mailbox = code in NO_SUCH_MAILBOX
    else:
        unknown_mailbox = enhanced.group(2) == "1"
    return Receipt(Outcome.REFUSED, detail, permanent=True, address_refused=unknown_mailbox)
