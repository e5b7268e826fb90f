"""Whether the mail relay answers as configured: connect, EHLO, STARTTLS and login, in bounded time; no mail is sent."""

import asyncio
import ssl
from typing import NamedTuple

import aiosmtplib
from aiosmtplib.errors import SMTPAuthenticationError, SMTPException, SMTPTimeoutError

from services.chassis.mail_settings import Email

ANSWER_SECONDS = 5.0


class MailServerProblem(NamedTuple):
    """Why mail cannot be sent, and what to do."""

    reason: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.reason}: {self.remedy}"


async def find_mail_problem(email: Email, *, seconds: float = ANSWER_SECONDS) -> MailServerProblem | None:
    """None when the relay of these settings answers and accepts the login, or when mail is only stored."""
    if email.host is None:
        return MailServerProblem("there is no mail relay", "set DRUMBEAT_EMAIL__HOST")
    if not email.is_relay:
        return None
    where = f"the mail relay {email.host}:{email.port}"
    try:
        async with asyncio.timeout(seconds):
            await _greet(email)
    except SMTPAuthenticationError as refused:
        reason = f"{where} refuses the login ({refused.code} {refused.message})"
        return MailServerProblem(reason, "correct DRUMBEAT_EMAIL__USERNAME and DRUMBEAT_EMAIL__PASSWORD")
    except ssl.SSLError as refused:
        reason = f"{where} and Drumbeat agree on no encrypted connection ({refused.reason or refused})"
        return MailServerProblem(reason, _ENCRYPTION)
    except (TimeoutError, SMTPTimeoutError):
        return MailServerProblem(f"{where} does not answer within {seconds:g} s", _ADDRESS)
    except (SMTPException, OSError, ValueError) as problem:
        return _other_problem(where, problem)
    return None


_ADDRESS = "correct DRUMBEAT_EMAIL__HOST and DRUMBEAT_EMAIL__PORT, or let the relay accept this machine"
_ENCRYPTION = "set DRUMBEAT_EMAIL__TLS to what it offers: none, starttls or implicit"


def _other_problem(where: str, problem: Exception) -> MailServerProblem:
    if isinstance(problem.__cause__, ssl.SSLError):
        reason = problem.__cause__.reason or str(problem.__cause__)
        return MailServerProblem(f"{where} offers no encrypted connection ({reason})", _ENCRYPTION)
    text = str(problem) or type(problem).__name__
    if "STARTTLS" in text:
        return MailServerProblem(f"{where} offers no STARTTLS", _ENCRYPTION)
    return MailServerProblem(f"{where} does not answer ({text})", _ADDRESS)


async def _greet(email: Email) -> None:
    client = aiosmtplib.SMTP(
        hostname=email.host,
        port=email.port,
        username=email.username,
        password=email.password,
        use_tls=email.tls == "implicit",
        start_tls=email.tls == "starttls",
    )
    try:
        await client.connect()
        await client.ehlo()
        await client.quit()
    finally:
        client.close()
