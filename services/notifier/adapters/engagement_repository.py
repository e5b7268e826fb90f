"""What was delivered: by whom an engagement is and about what, and what customers and people of ours got."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.chassis.database import Connection
from services.notifier.application.ports import DeliveredMessage
from services.notifier.domain.contact_channel import TEXT_CHANNELS
from services.notifier.domain.delivery import CALENDAR, Recipient, RecipientKind
from services.notifier.domain.event import TODAY, Event, News, parse_event

# One of those that went in one mail stands for all where the mail is named.
# Before the address was stored with the delivery, and in the app, the address is the contact's; that of a text never is.
DELIVERED = """
SELECT d.id, d.recipient_kind, d.recipient_id, d.account_id,
    CASE WHEN d.channel IN ('sms', 'slack') THEN d.address_hash ELSE coalesce(d.address_hash, c.address_hash) END,
    d.channel,
    f.event_id, f.type, f.said_at, f.data, d.message_id
FROM delivery d LEFT JOIN feed f ON f.key = d.event_key
LEFT JOIN contact c ON d.recipient_kind = 'contact' AND c.contact_id = d.recipient_id
WHERE (d.id = ANY($1::uuid[]) OR (d.message_id = ANY($1::uuid[]) AND d.message_id <> d.id)) AND d.recipient_id IS NOT NULL
"""

NOTIFIED = """
SELECT DISTINCT touchpoint_id, recipient_id FROM delivery
WHERE touchpoint_id = ANY($1) AND recipient_kind = 'csm' AND channel = 'email' AND state = 'sent'
"""
SENT_LATELY = """
SELECT account_id, touchpoint_type, max(finished_at) FROM delivery
WHERE account_id = ANY($1) AND recipient_kind = 'contact' AND state = 'sent' AND channel NOT IN ('webhook', 'calendar')
    AND finished_at >= $2 AND caused_at >= $3 AND touchpoint_type IS NOT NULL
GROUP BY account_id, touchpoint_type ORDER BY 3 DESC
"""
LATELY = timedelta(days=30)
LONGEST_WAIT = timedelta(days=60)
"""Of a message that still counts as sent lately: months of before are not searched."""
MOST_SENT = 3
ADDRESSED = frozenset({"email", CALENDAR, *TEXT_CHANNELS})
"""The channels whose messages go to an address."""


async def sent_lately(
    connection: Connection, account_ids: Collection[str], now: datetime
) -> dict[str, list[tuple[str, datetime]]]:
    """What the customers of these accounts got in the last 30 days: the newest three types, with their times."""
    sent: defaultdict[str, list[tuple[str, datetime]]] = defaultdict(list)
    if not account_ids:
        return sent
    since, caused_since = now - LATELY, now - LATELY - LONGEST_WAIT
    for row in await connection.fetch(SENT_LATELY, sorted(account_ids), since, caused_since):
        if len(sent[row[0]]) < MOST_SENT:
            sent[row[0]].append((row[1], row[2]))
    return sent


async def notified_people(connection: Connection, events: Sequence[Event]) -> dict[str, frozenset[str]]:
    """The people of ours who had a mail about what is cancelled, moved or due, by touchpoint."""
    ids = {
        event.content.touchpoint_id
        for event in events
        if event.news in (News.CANCELLED, News.MOVED) or event.type == TODAY
    }
    people: defaultdict[str, set[str]] = defaultdict(set)
    for row in await connection.fetch(NOTIFIED, sorted(filter(None, ids))) if ids else ():
        people[row[0]].add(row[1])
    return {touchpoint_id: frozenset(notified) for touchpoint_id, notified in people.items()}


async def delivered_messages(
    connection: Connection, delivery_ids: Sequence[str]
) -> dict[str, DeliveredMessage]:
    """The messages of these deliveries, by the id as it was given; an id of no delivery is left out."""
    given = {uuid: text for text in delivery_ids if (uuid := _uuid(text)) is not None}
    rows = await connection.fetch(DELIVERED, list(given)) if given else []
    by_uuid = {row[10]: _message(row) for row in rows} | {row[0]: _message(row) for row in rows}
    return {text: by_uuid[uuid] for text in delivery_ids if (uuid := _uuid(text)) in by_uuid}


def _message(row: Any) -> DeliveredMessage:
    # An event is pruned from the feed long after its messages were sent: then the topic is not known.
    topic = parse_event(row[6], row[7], row[8], row[9]).content.topic if row[6] is not None else None
    address_hash = row[4] if row[5] in ADDRESSED else None
    return DeliveredMessage(Recipient(RecipientKind(row[1]), row[2]), row[3], topic, address_hash)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
