"""Conditions under which the loops of the notifier may find something to do; `$1` is the time by the service clock.

Each reads the first entries of an index, however many rows there are.
"""

from typing import Final

_FREE: Final = "(lease_until IS NULL OR lease_until < now())"

MESSAGES: Final = f"""(SELECT next_at FROM delivery_queue WHERE channel <> 'webhook' AND {_FREE}
    ORDER BY next_at LIMIT 1) <= now()"""
WEBHOOKS: Final = f"""EXISTS (
    SELECT FROM subscription s CROSS JOIN LATERAL (
        SELECT next_at FROM delivery_queue WHERE recipient_id = s.id AND channel = 'webhook' AND {_FREE}
        ORDER BY next_at LIMIT 1) first
    WHERE s.active AND NOT s.deleted AND (s.open_until IS NULL OR s.open_until <= now()) AND first.next_at <= now())"""
DELIVERIES: Final = """(SELECT min(rouse_at) FROM delivery_queue) <= $1
    OR EXISTS (SELECT FROM subscription s WHERE NOT s.active
        AND EXISTS (SELECT FROM delivery_queue q WHERE q.recipient_id = s.id AND q.channel = 'webhook'))"""
MORNINGS: Final = (
    "EXISTS (SELECT FROM person WHERE email IS NOT NULL AND (opens_at IS NULL OR opens_at <= $1))"
)
DRAFT_MAILS: Final = "(SELECT min(mail_at) FROM draft) <= now()"
SERVICE_MAILS: Final = "(SELECT min(next_at) FROM service_mail WHERE state = 'pending') <= now()"
