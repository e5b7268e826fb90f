"""Text messages through an HTTP gateway of the shape of Twilio's Messages resource (docs/channels.md).

The API has no key that makes a repetition harmless. So a message whose end is not known is not sent again: nobody gets a
text message twice, and the delivery says that it may have arrived.
"""

import base64
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from urllib.parse import quote, urlencode

from services.notifier.adapters.channels.gateway_client import MOST_DETAIL, Answer, GatewayClient
from services.notifier.application.mail_ports import Handover
from services.notifier.application.text_ports import TextMessage
from services.notifier.domain.delivery import AttemptOutcome, Response

NOT_HANDED_OVER: Final = "the message was not handed over"
NOT_AGAIN: Final = "it may have been sent, and is not sent again"
# Twilio's error dictionary: the number is not valid (21211, 21217), cannot be reached (21214) or is no mobile telephone
# (21614); its owner answered STOP (21610).
NO_RECIPIENT: Final = frozenset({21211, 21214, 21217, 21610, 21614})
NOT_OURS: Final = frozenset({401, 403, 404})
_FAILED: Final = frozenset({"failed", "undelivered", "canceled"})


@dataclass(frozen=True, slots=True)
class SmsAccount:
    """The account at the gateway. One of `sender` and `messaging_service` is set.

    `status_url`: where the gateway reports, with the delivery appended; None: nowhere. `redirect_to`: the number that
    gets every message instead.
    """

    url: str
    account: str
    token: str
    sender: str | None = None
    messaging_service: str | None = None
    status_url: str | None = None
    redirect_to: str | None = None

    @property
    def messages_url(self) -> str:
        return f"{self.url}/2010-04-01/Accounts/{quote(self.account, safe='')}/Messages.json"

    @property
    def headers(self) -> Mapping[str, str]:
        """Basic authentication (RFC 7617)."""
        credentials = base64.b64encode(f"{self.account}:{self.token}".encode()).decode()
        return {
            "authorization": f"Basic {credentials}",
            "content-type": "application/x-www-form-urlencoded",
            "accept": "application/json",
        }


class SmsSender:
    """Implements the port `TextSender`."""

    def __init__(self, client: GatewayClient, account: SmsAccount) -> None:
        self._client, self._account = client, account

    async def send(self, message: TextMessage, *, at: datetime, handover: Handover | None = None) -> Response:
        away = self._client.refuse_while_away()
        if away is not None:
            return away
        if handover is not None and not await handover.begin():
            return Response(AttemptOutcome.UNREACHED, NOT_HANDED_OVER)
        answer = await self._client.post(
            self._account.messages_url, self._form(message), self._account.headers, at=at
        )
        response = answer if isinstance(answer, Response) else self._read(answer, message)
        if response.outcome is AttemptOutcome.AMBIGUOUS:
            detail = f"{response.detail}; {NOT_AGAIN}"
            response = replace(response, detail=detail[:MOST_DETAIL], is_permanent=True)
        if handover is not None:
            await handover.end(response)
        return response

    def _form(self, message: TextMessage) -> bytes:
        account = self._account
        fields = {"To": account.redirect_to or message.to, "Body": message.text}
        if account.messaging_service is not None:
            fields["MessagingServiceSid"] = account.messaging_service
        if account.sender is not None:
            fields["From"] = account.sender
        if account.status_url is not None:
            fields["StatusCallback"] = f"{account.status_url}?{urlencode({'delivery': message.delivery_id})}"
        return urlencode(fields).encode()

    def _read(self, answer: Answer, message: TextMessage) -> Response:
        response = read_answer(answer)
        if response.outcome in (AttemptOutcome.DEFERRED, AttemptOutcome.UNREACHED):
            self._client.leave_alone(response.retry_after, response.detail)
        return replace(response, detail=response.detail.replace(message.to, "the number")[:MOST_DETAIL])


def read_answer(answer: Answer) -> Response:
    """What the answer of the gateway means for the message."""
    if answer.is_success:
        return _read_success(answer)
    status, code = answer.status, _code(answer)
    detail = _detail(answer)
    if status in {429, 503} or (status >= 500 and code is not None):
        return Response(AttemptOutcome.DEFERRED, detail, retry_after=answer.retry_after)
    if status >= 500:
        return Response(AttemptOutcome.AMBIGUOUS, detail)
    if 300 <= status < 400:
        return Response(
            AttemptOutcome.UNREACHED, f"{detail}: the gateway redirects; correct DRUMBEAT_SMS__URL"
        )
    if status in NOT_OURS and code not in NO_RECIPIENT:
        return Response(AttemptOutcome.UNREACHED, f"the gateway refuses the account: {detail}")
    return Response(
        AttemptOutcome.REFUSED, detail, is_permanent=True, is_unknown_address=code in NO_RECIPIENT
    )


def _read_success(answer: Answer) -> Response:
    document = answer.document
    sid, state = document.get("sid"), document.get("status")
    if isinstance(sid, str) and sid:
        if state in _FAILED:
            return Response(AttemptOutcome.REFUSED, _detail(answer), is_permanent=True)
        return Response(AttemptOutcome.DELIVERED, f"{state or 'accepted'} as {sid}"[:MOST_DETAIL])
    if answer.status == 201:
        return Response(AttemptOutcome.DELIVERED, "HTTP 201, with an answer that could not be read")
    return Response(AttemptOutcome.AMBIGUOUS, f"HTTP {answer.status} without the id of a message")


def _code(answer: Answer) -> int | None:
    document = answer.document
    code = document.get("code") or document.get("error_code")
    return code if isinstance(code, int) else None


def _detail(answer: Answer) -> str:
    code, text = _code(answer), answer.document.get("message") or answer.document.get("error_message")
    shown = " ".join(filter(None, (str(code or ""), text if isinstance(text, str) else "")))
    return f"HTTP {answer.status}{f': {shown}' if shown else ''}"[:MOST_DETAIL]
