"""Text messages that the gateway took and did not deliver: each goes by mail, once, and leaves its room to others."""

from collections.abc import Sequence
from typing import Final

from services.chassis.database import Connection
from services.chassis.outbox import Outgoing
from services.notifier.adapters.contact_budget_repository import free_room
from services.notifier.adapters.delivery_repository import add_deliveries
from services.notifier.application.ports import Now
from services.notifier.application.send_by_mail import ARRIVED, NOT_KEPT, mail_instead
from services.notifier.domain.delivery import Recipient
from services.notifier.domain.event import parse_event

REPORTED: Final = (
    "SELECT true FROM inbound_mail WHERE delivery_id = $1 AND kind = 'delivered' AND counted LIMIT 1"
)
EVENT: Final = """
SELECT f.event_id, f.type, f.said_at, f.data FROM delivery d JOIN feed f ON f.key = d.event_key WHERE d.id = $1
"""


async def send_by_mail(
    connection: Connection, delivery_id: str, recipient: Recipient, now: Now
) -> tuple[Sequence[Outgoing], str | None]:
    """Create the mail; returns what is to be reported, and why there is none. Doing it again changes nothing."""
    if await connection.fetchval(REPORTED, delivery_id):
        return (), ARRIVED
    await free_room(connection, delivery_id, now)
    row = await connection.fetchrow(EVENT, delivery_id)
    if row is None:
        return (), NOT_KEPT
    mail = mail_instead(parse_event(*row), recipient, now)
    return await add_deliveries(connection, [mail], now), None
