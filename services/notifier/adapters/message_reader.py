"""One delivery with its mail as it was written, and a new delivery for it."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from services.chassis.database import Connection, Database, real_now
from services.notifier.adapters.delivery_repetition import Repetition, repeat_deliveries
from services.notifier.adapters.delivery_repository import delivery_id as derive_delivery_id
from services.notifier.adapters.merging import keep_merges_out
from services.notifier.adapters.queries import Queries
from services.notifier.application.read_messages import NotResendable, WrittenMessage
from services.notifier.application.read_models import DeliveryItem
from services.notifier.domain.delivery import Recipient, RecipientKind
from services.notifier.domain.event import parse_event

PROOF = re.compile(r"(/(?:a|c|o|p|v1/unsubscribe)/)[\w-]{24,}")
# A mail that is tried again is under the message id of the queue.
CONTENT = """
SELECT w.content FROM written_message w WHERE w.message_id = (
    SELECT coalesce(q.message_id, d.message_id) FROM delivery d
    LEFT JOIN delivery_queue q ON q.delivery_id = d.id WHERE d.id = $1 LIMIT 1
) ORDER BY w.written_at DESC LIMIT 1
"""
RESENDABLE = """
SELECT d.id, d.caused_at, d.channel, d.state, d.recipient_kind, d.recipient_id,
    greatest(d.recovery, (SELECT max(o.recovery) FROM delivery o WHERE o.event_key = d.event_key AND o.recovery > 0
        AND o.channel = d.channel AND o.recipient_kind = d.recipient_kind
        AND o.recipient_id IS NOT DISTINCT FROM d.recipient_id AND o.account_id = d.account_id)) AS recovery,
    f.event_id, f.type, f.said_at, f.data
FROM delivery d LEFT JOIN LATERAL (SELECT * FROM feed WHERE key = d.event_key LIMIT 1) f ON true
WHERE d.id = $1 FOR UPDATE OF d
"""


class MessageReader:
    """Implements the port `Messages`."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    async def delivery(self, delivery_id: str) -> DeliveryItem | None:
        return await self._queries.delivery(delivery_id)

    async def message(self, delivery_id: str) -> WrittenMessage | None:
        content = await self._database.pool.fetchval(CONTENT, delivery_id)
        return None if content is None else parse_message(content)

    async def resend(self, delivery_id: str) -> str | None:
        """A new delivery of the same event to the same recipient, decided on by the delivery policy as it is now."""
        async with self._database.transaction() as connection:
            await keep_merges_out(connection)
            row = await connection.fetchrow(RESENDABLE, delivery_id)
            return None if row is None else await _resend(connection, row)


async def _resend(connection: Connection, row: Any) -> str:
    if row["channel"] != "email":
        raise NotResendable("Only mail can be sent again; a webhook is recovered at its subscription.")
    if row["state"] == "pending":
        raise NotResendable("This delivery is pending: it will be sent, or is being tried again.")
    if row["event_id"] is None:
        raise NotResendable("What this message was about is older than the events that are kept.")
    again = row["recovery"] + 1
    recipient = Recipient(RecipientKind(row["recipient_kind"]), row["recipient_id"])
    new_id = derive_delivery_id(row["event_id"], "email", recipient, recovery=again)
    event = parse_event(row["event_id"], row["type"], row["said_at"], row["data"])
    repetition = Repetition(row["id"], row["caused_at"], new_id, again)
    real, deadline = await real_now(connection), event.content.deadline
    await repeat_deliveries(connection, [repetition], "sent again by hand", real, deadline)
    return new_id


def parse_message(content: bytes) -> WrittenMessage:
    """The headers and bodies of a message (RFC 5322, RFC 2045), without the proof in its links."""
    email = message_from_bytes(content, _class=EmailMessage, policy=default)
    return WrittenMessage(
        subject=str(email["Subject"] or ""),
        text=_mask(_body(email, "plain")),
        html=_mask(_body(email, "html")),
        headers={name: _mask(str(value)) for name, value in email.items() if not name.startswith("Content-")},
    )


def _mask(text: str) -> str:
    """Links with which the recipient acts or is measured: whoever may read a message may not act for them."""
    return PROOF.sub(r"\1...", text)


def _body(email: EmailMessage, subtype: str) -> str:
    part = email.get_body((subtype,))
    return "" if part is None else str(part.get_content())
