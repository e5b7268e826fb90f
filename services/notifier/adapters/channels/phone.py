"""Telephone tasks: "call this number", handed as JSON to whatever people place their calls with (docs/channels.md).

The delivery is the key under which a repetition is the same task (`Idempotency-Key`), so that a task whose end is not
known is handed over again.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from services.notifier.adapters.channels.gateway_client import MOST_DETAIL, Answer, GatewayClient
from services.notifier.adapters.channels.sms import NOT_HANDED_OVER
from services.notifier.application.mail_ports import Handover
from services.notifier.application.text_ports import TextMessage
from services.notifier.domain.delivery import AttemptOutcome, Response

LATER: Final = frozenset({408, 425, 429, 503})
NOT_OURS: Final = frozenset({401, 403, 404, 405})


@dataclass(frozen=True, slots=True)
class PhoneTasks:
    """Where tasks are posted. `token` None: without authorization."""

    url: str
    token: str | None = None


class PhoneSender:
    """Implements the port `TextSender`: the text of a message is the JSON of its task."""

    def __init__(self, client: GatewayClient, tasks: PhoneTasks) -> None:
        self._client, self._tasks = client, tasks

    async def send(self, message: TextMessage, *, at: datetime, handover: Handover | None = None) -> Response:
        away = self._client.refuse_while_away()
        if away is not None:
            return away
        if handover is not None and not await handover.begin():
            return Response(AttemptOutcome.UNREACHED, NOT_HANDED_OVER)
        headers = {"content-type": "application/json", "idempotency-key": message.delivery_id}
        if self._tasks.token is not None:
            headers["authorization"] = f"Bearer {self._tasks.token}"
        answer = await self._client.post(self._tasks.url, message.text.encode(), headers, at=at)
        response = answer if isinstance(answer, Response) else self._read(answer)
        if handover is not None:
            await handover.end(response)
        return response

    def _read(self, answer: Answer) -> Response:
        response = read_answer(answer)
        if response.outcome in (AttemptOutcome.DEFERRED, AttemptOutcome.UNREACHED):
            self._client.leave_alone(response.retry_after, response.detail)
        return response


def read_answer(answer: Answer) -> Response:
    """What the answer means for the task; only its status counts."""
    detail = f"HTTP {answer.status}"
    if answer.is_success:
        return Response(AttemptOutcome.DELIVERED, f"{detail}: taken as a telephone task"[:MOST_DETAIL])
    if answer.status in LATER:
        return Response(AttemptOutcome.DEFERRED, detail, retry_after=answer.retry_after)
    if answer.status in NOT_OURS or 300 <= answer.status < 400:
        return Response(AttemptOutcome.UNREACHED, f"{detail}: correct DRUMBEAT_PHONE__URL or __TOKEN")
    if answer.status >= 500:
        return Response(AttemptOutcome.AMBIGUOUS, detail)
    return Response(AttemptOutcome.REFUSED, detail, is_permanent=True)
