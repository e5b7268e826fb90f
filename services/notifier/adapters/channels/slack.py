"""Messages in Slack through `chat.postMessage` of its Web API (docs/channels.md).

The API documents no key that makes a repetition harmless. A message whose end is not known is posted again: a second one
in a channel does less harm than none. Its metadata name the delivery, so that an app can recognise the second.
"""

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import orjson

from services.notifier.adapters.channels.gateway_client import MOST_DETAIL, Answer, GatewayClient
from services.notifier.adapters.channels.sms import NOT_HANDED_OVER
from services.notifier.application.mail_ports import Handover
from services.notifier.application.text_ports import TextMessage
from services.notifier.domain.delivery import AttemptOutcome, Response

BETWEEN_SECONDS: Final = 1.0
"""Slack takes about one message a second for each channel."""
MOST_WAIT_SECONDS: Final = 5.0
MOST_CHANNELS: Final = 10_000
EVENT_TYPE: Final = "drumbeat_delivery"
NO_RECIPIENT: Final = frozenset({"channel_not_found", "is_archived", "user_not_found", "cannot_dm_bot"})
REFUSED_TOKEN: Final = frozenset(
    {
        "access_denied", "account_inactive", "ekm_access_denied", "invalid_auth", "missing_scope", "no_permission",
        "not_allowed_token_type", "not_authed", "org_login_required", "team_access_not_granted", "token_expired",
        "token_revoked",
    }
)  # fmt: skip
LATER: Final = frozenset(
    {
        "accesslimited", "internal_error", "message_limit_exceeded", "rate_limited", "ratelimited", "request_timeout",
        "service_unavailable", "team_added_to_org",
    }
)  # fmt: skip
IN_DOUBT: Final = frozenset({"fatal_error"})
"""Slack says of it that some of the operation may have succeeded."""


@dataclass(frozen=True, slots=True)
class SlackWorkspace:
    """`redirect_to`: the channel that gets every message instead."""

    url: str
    token: str
    redirect_to: str | None = None


class SlackSender:
    """Implements the port `TextSender`. Messages to one channel of Slack go one after another, a second apart."""

    def __init__(
        self, client: GatewayClient, workspace: SlackWorkspace, *, between_seconds: float = BETWEEN_SECONDS
    ) -> None:
        self._client, self._workspace = client, workspace
        self._between_seconds = between_seconds
        self._free_at: OrderedDict[str, float] = OrderedDict()

    async def send(self, message: TextMessage, *, at: datetime, handover: Handover | None = None) -> Response:
        busy = self._client.refuse_while_away() or await self._wait_for_slot(message.to)
        if busy is not None:
            return busy
        if handover is not None and not await handover.begin():
            return Response(AttemptOutcome.UNREACHED, NOT_HANDED_OVER)
        answer = await self._client.post(
            f"{self._workspace.url}/chat.postMessage", self._body(message), self._headers(), at=at
        )
        response = answer if isinstance(answer, Response) else self._read(answer)
        if handover is not None:
            await handover.end(response)
        return response

    async def _wait_for_slot(self, channel: str) -> Response | None:
        """Wait for the slot in this channel; unreached where that takes longer than some seconds."""
        now = asyncio.get_running_loop().time()
        slot = max(now, self._free_at.get(channel, now))
        if slot - now > MOST_WAIT_SECONDS:
            detail = "Slack takes about one message a second for a channel, and others are waiting"
            return Response(AttemptOutcome.UNREACHED, detail, retry_after=timedelta(seconds=slot - now))
        self._free_at[channel] = slot + self._between_seconds
        self._free_at.move_to_end(channel)
        if len(self._free_at) > MOST_CHANNELS:
            self._free_at.popitem(last=False)
        await asyncio.sleep(slot - now)
        return None

    def _headers(self) -> dict[str, str]:
        return {
            "authorization": f"Bearer {self._workspace.token}",
            "content-type": "application/json; charset=utf-8",
        }

    def _body(self, message: TextMessage) -> bytes:
        return orjson.dumps(
            {
                "channel": self._workspace.redirect_to or message.to,
                "text": escape_text(message.text),
                "mrkdwn": False,
                "unfurl_links": False,
                "unfurl_media": False,
                "metadata": {
                    "event_type": EVENT_TYPE,
                    "event_payload": {"delivery_id": message.delivery_id},
                },
            }
        )

    def _read(self, answer: Answer) -> Response:
        response = read_answer(answer)
        if response.outcome in (AttemptOutcome.DEFERRED, AttemptOutcome.UNREACHED):
            self._client.leave_alone(response.retry_after, response.detail)
        return response


def escape_text(text: str) -> str:
    """Text in which nothing is a link or a mention of Slack: it reads `&`, `<` and `>` as control characters."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def read_answer(answer: Answer) -> Response:
    """What the answer of Slack means for the message. Most refusals are answered with 200 and `ok: false`."""
    status, document = answer.status, answer.document
    if status in {429, 503}:
        return Response(AttemptOutcome.DEFERRED, f"HTTP {status}", retry_after=answer.retry_after)
    if 300 <= status < 400:
        return Response(
            AttemptOutcome.UNREACHED, f"HTTP {status}: Slack redirects; correct DRUMBEAT_SLACK__URL"
        )
    if status < 300 and document.get("ok") is True:
        return Response(AttemptOutcome.DELIVERED, f"posted at {document.get('ts')}"[:MOST_DETAIL])
    error = document.get("error")
    if document.get("ok") is False and isinstance(error, str):
        return _read_error(error[:100], answer)
    if 400 <= status < 500:
        return Response(AttemptOutcome.REFUSED, f"HTTP {status}", is_permanent=True)
    return Response(AttemptOutcome.AMBIGUOUS, f"HTTP {status}, with an answer that could not be read")


def _read_error(error: str, answer: Answer) -> Response:
    if error in LATER:
        return Response(AttemptOutcome.DEFERRED, f"Slack: {error}", retry_after=answer.retry_after)
    if error in IN_DOUBT:
        return Response(AttemptOutcome.AMBIGUOUS, f"Slack: {error}")
    if error in REFUSED_TOKEN:
        return Response(
            AttemptOutcome.UNREACHED, f"Slack refuses the token: {error}; correct DRUMBEAT_SLACK__TOKEN"
        )
    return Response(
        AttemptOutcome.REFUSED, f"Slack: {error}", is_permanent=True, is_unknown_address=error in NO_RECIPIENT
    )
