"""One delivery with its mail as it was written, and a new delivery for it."""

import re
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any

from services.chassis.database import Connection, Database, real_now
from services.notifier.adapters.delivery_repository import delivery_id as derive_delivery_id
from services.notifier.adapters.queries import Queries
from services.notifier.application.read_messages import NotResendable, WrittenMessage
from services.notifier.application.read_models import DeliveryFilter, DeliveryItem
from services.notifier.domain.delivery import Recipient, RecipientKind

PROOF = re.compile(r"(/(?:a|p|v1/unsubscribe)/)[\w-]{24,}")
SEQUENCE = "SELECT seq FROM delivery WHERE id = $1"
CONTENT = """
SELECT w.content FROM delivery d JOIN written_message w ON w.message_id = d.message_id WHERE d.id = $1
"""
RESENDABLE = """
SELECT d.channel, d.state, d.recipient_kind, d.recipient_id, d.event_key, f.event_id,
    (SELECT max(o.recovery) FROM delivery o WHERE o.event_key = d.event_key AND o.channel = d.channel
        AND o.recipient_kind = d.recipient_kind AND o.recipient_id IS NOT DISTINCT FROM d.recipient_id
        AND o.account_id = d.account_id) AS recovery
FROM delivery d LEFT JOIN feed f ON f.key = d.event_key WHERE d.id = $1 FOR UPDATE OF d
"""
RESEND = """
INSERT INTO delivery (id, event_key, message_id, recovery, touchpoint_id, touchpoint_type, account_id, channel,
    recipient_kind, recipient_id, state, reason, next_at, rouse_at, deadline)
SELECT $2, event_key, $2, $3, touchpoint_id, touchpoint_type, account_id, channel, recipient_kind, recipient_id,
    'pending', 'sent again by hand', $4, deadline, deadline
FROM delivery WHERE id = $1 ON CONFLICT (id) DO NOTHING
"""


class MessageReader:
    """Implements the port `Messages`."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    async def delivery(self, delivery_id: str) -> DeliveryItem | None:
        sequence = await self._database.pool.fetchval(SEQUENCE, delivery_id)
        if sequence is None:
            return None
        found = await self._queries.deliveries(DeliveryFilter(), before=sequence + 1, limit=1)
        return next((item for item in found if item.id == delivery_id), None)

    async def message(self, delivery_id: str) -> WrittenMessage | None:
        content = await self._database.pool.fetchval(CONTENT, delivery_id)
        return None if content is None else parse_message(content)

    async def resend(self, delivery_id: str) -> str | None:
        """A new delivery of the same event to the same recipient, decided on by the delivery policy as it is now."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(RESENDABLE, delivery_id)
            return None if row is None else await _resend(connection, delivery_id, row)


async def _resend(connection: Connection, delivery_id: str, row: Any) -> str:
    channel, state, kind, recipient_id, _, event_id, recovery = row
    if channel != "email":
        raise NotResendable("Only mail can be sent again; a webhook is recovered at its subscription.")
    if state == "pending":
        raise NotResendable("This delivery is pending: it will be sent, or is being tried again.")
    if event_id is None:
        raise NotResendable("What this message was about is older than the events that are kept.")
    again = recovery + 1
    new_id = derive_delivery_id(
        event_id, channel, Recipient(RecipientKind(kind), recipient_id), recovery=again
    )
    await connection.execute(RESEND, delivery_id, new_id, again, await real_now(connection))
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
    """Links with which the recipient acts: whoever may read a message may not act for them."""
    return PROOF.sub(r"\1...", text)


def _body(email: EmailMessage, subtype: str) -> str:
    part = email.get_body((subtype,))
    return "" if part is None else str(part.get_content())
