"""Email over one SMTP relay: connections are reused, and each recipient domain gets a bounded share of them.

Replies are read as RFC 5321 and RFC 3463 define them. A connection lost after the message was handed over is
ambiguous: the mail is sent again under the same Message-ID, and the attempt is recorded as ambiguous.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from datetime import datetime
from enum import Enum

import aiosmtplib
from aiosmtplib.errors import (
    SMTPAuthenticationError,
    SMTPDataError,
    SMTPException,
    SMTPResponseException,
    SMTPServerDisconnected,
)
from aiosmtplib.response import SMTPResponse
from aiosmtplib.typing import SMTPStatus

from services.chassis.mail_settings import NO_RELAY
from services.chassis.outages import OUTAGES
from services.notifier.adapters.channels.email_message import AddressRejected, Sender, build_email
from services.notifier.adapters.channels.traced_attempts import trace_attempt
from services.notifier.application.mail_ports import Handover, Mail
from services.notifier.domain.address_refusal import refuses_address
from services.notifier.domain.delivery import AttemptOutcome, Response
from services.notifier.domain.message import HeaderInjection

CONNECTIONS, PER_DOMAIN = 16, 4
# A lease lasts 90 s: waiting for a connection and the whole attempt must fit into it.
WAIT_SECONDS, ATTEMPT_SECONDS, REPLY_SECONDS = 30.0, 40.0, 25.0
REPORTER, RELAY = "mail", "mail relay"
NOT_HANDED_OVER = "the mail was not handed over"
LINE_END, LEADING_DOT = re.compile(rb"\r\n|\r|\n"), re.compile(rb"(?m)^\.")


OnWritten = Callable[[str, bytes], None]
"""Takes the id of a mail and the whole message, before it goes to the relay."""


def _keep_nothing(_: str, __: bytes) -> None:
    """For tests and tools that need no copy."""


class Tls(Enum):
    NONE = "none"
    STARTTLS = "starttls"
    IMPLICIT = "implicit"


class Mailer:
    """Implements the port `Mailer` with a pool of connections to the relay; without a host no attempt reaches one."""

    def __init__(  # noqa: PLR0913 - a mail relay has this many settings
        self,
        host: str | None,
        port: int,
        *,
        sender: Sender,
        username: str | None = None,
        password: str | None = None,
        tls: Tls = Tls.NONE,
        on_written: OnWritten = _keep_nothing,
    ) -> None:
        self._host, self._port, self._tls = host, port, tls
        self._username, self._password = username, password
        self._sender = sender
        self._on_written = on_written
        self._idle: list[aiosmtplib.SMTP] = []
        self._total = asyncio.Semaphore(CONNECTIONS)
        self._domains: defaultdict[str, asyncio.Semaphore] = defaultdict(
            lambda: asyncio.Semaphore(PER_DOMAIN)
        )

    async def send(self, mail: Mail, *, at: datetime, handover: Handover | None = None) -> Response:
        """Make one attempt at this real moment. Never raises for what the other side does."""

        def attempt(_: Mapping[str, str]) -> Awaitable[Response]:
            return self._send(mail, at, handover)

        relay = {"server.address": self._host or "", "server.port": self._port}
        return await trace_attempt("send mail", mail.delivery_id, relay, attempt)

    async def _send(self, mail: Mail, at: datetime, handover: Handover | None) -> Response:
        try:
            recipient, content = build_email(mail, sender=self._sender, at=at)
        except (AddressRejected, HeaderInjection) as problem:
            return Response(AttemptOutcome.REFUSED, str(problem), is_permanent=True, is_unknown_address=True)
        self._on_written(mail.delivery_id, content)
        if self._host is None:
            return Response(AttemptOutcome.UNREACHED, NO_RELAY)
        async with AsyncExitStack() as shares:
            try:
                async with asyncio.timeout(WAIT_SECONDS):
                    await shares.enter_async_context(self._domains[_domain(mail)])
                    await shares.enter_async_context(self._total)
            except TimeoutError:
                busy = f"the mail relay is slow: no connection was free within {WAIT_SECONDS:g} s"
                return Response(AttemptOutcome.UNREACHED, busy)
            return await self._transact(recipient, content, handover)

    async def stop(self) -> None:
        idle, self._idle = self._idle, []
        for client in idle:
            client.close()

    async def _transact(self, recipient: str, mail: bytes, handover: Handover | None) -> Response:
        """The response; the outcome of what was handed over is recorded before the connection is used again."""
        client: aiosmtplib.SMTP | None = None
        handed_over = False
        try:
            async with asyncio.timeout(ATTEMPT_SECONDS):
                client = await self._connection()
                await client.mail(self._sender.mailbox.address)
                await client.rcpt(recipient)
                await request_data(client)
                handed_over = handover is None or await handover.begin()
                answer = await send_message(client, mail) if handed_over else None
        except SMTPAuthenticationError as problem:
            response = Response(AttemptOutcome.UNREACHED, f"the mail relay refused the login: {problem.code}")
        except SMTPResponseException as problem:
            response = classify(problem.code, problem.message)
        except (SMTPException, OSError, ValueError) as problem:
            response = _lost(problem, handed_over=handed_over)
        else:
            response = _answered(answer)
        _report(response)
        try:
            if handed_over and handover is not None:
                await handover.end(response)
        finally:
            await self._give_back(client, response.outcome)
        return response

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
            timeout=REPLY_SECONDS,
        )
        await client.connect()
        return client

    async def _give_back(self, client: aiosmtplib.SMTP | None, outcome: AttemptOutcome) -> None:
        """Reuse a connection only if it is known to be between two messages."""
        if client is None:
            return
        answered = outcome in (AttemptOutcome.DELIVERED, AttemptOutcome.DEFERRED, AttemptOutcome.REFUSED)
        if answered and client.is_connected and (outcome is AttemptOutcome.DELIVERED or await _alive(client)):
            self._idle.append(client)
        else:
            client.close()


async def request_data(client: aiosmtplib.SMTP) -> None:
    """Ask for the permission to send the message (RFC 5321, section 4.1.1.4). Raises SMTPResponseException."""
    answer = await client.execute_command(b"DATA")
    if answer.code != SMTPStatus.start_input:
        raise SMTPDataError(answer.code, answer.message)


async def send_message(client: aiosmtplib.SMTP, message: bytes) -> SMTPResponse:
    """Send the message that the relay waits for, with its lines ended and dots doubled (RFC 5321, section 4.5.2).

    Raises SMTPException: for a reply other than 250, or a connection that is lost.
    """
    protocol = client.protocol
    if protocol is None:
        raise SMTPServerDisconnected("Connection lost")
    protocol.write(
        LEADING_DOT.sub(b"..", LINE_END.sub(b"\r\n", message)).removesuffix(b"\r\n") + b"\r\n.\r\n"
    )
    answer = await protocol.read_response(timeout=REPLY_SECONDS)
    if answer.code != SMTPStatus.completed:
        raise SMTPDataError(answer.code, answer.message)
    return answer


def _report(response: Response) -> None:
    """One line in the log while the relay is away, and a metric. What ended before the relay answered says nothing."""
    if response.outcome is AttemptOutcome.UNREACHED and response.detail != NOT_HANDED_OVER:
        OUTAGES.report(REPORTER, TimeoutError(response.detail), part=RELAY)
    elif response.outcome not in (AttemptOutcome.UNREACHED, AttemptOutcome.AMBIGUOUS):
        OUTAGES.works(REPORTER)


def _answered(answer: SMTPResponse | None) -> Response:
    """None: the mail did not begin."""
    if answer is None:
        return Response(AttemptOutcome.UNREACHED, NOT_HANDED_OVER)
    return Response(AttemptOutcome.DELIVERED, f"{answer.code} {answer.message}"[:200])


async def _alive(client: aiosmtplib.SMTP) -> bool:
    try:
        await client.rset(timeout=5)
    except (SMTPException, OSError):
        return False
    return True


def _domain(mail: Mail) -> str:
    return mail.to.rpartition("@")[2].lower()


def _lost(problem: Exception, *, handed_over: bool) -> Response:
    what = f"{type(problem).__name__}: {problem}"[:200]
    if handed_over:
        return Response(AttemptOutcome.AMBIGUOUS, f"no answer after the message was handed over ({what})")
    return Response(AttemptOutcome.UNREACHED, f"the mail relay could not be reached ({what})")


def classify(code: int, text: str) -> Response:
    """What an SMTP reply other than 2xx means for the delivery and for the address."""
    detail = f"{code} {text}"[:200]
    if not 500 <= code <= 599:
        return Response(AttemptOutcome.DEFERRED, detail)
    is_unknown = refuses_address(detail)
    return Response(AttemptOutcome.REFUSED, detail, is_permanent=True, is_unknown_address=is_unknown)
