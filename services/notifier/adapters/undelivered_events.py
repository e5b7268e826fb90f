"""Events that an endpoint did not get, and those of invitations that wait, which outlive the feed.

One row of each event, with the key and the time that it has in the feed.
"""

from typing import Final

# Of the row `s`, whose lookup is one of the index however many rows are estimated.
EVENT: Final = """(
    SELECT event_id, type, said_at, data, trace FROM feed WHERE key = s.event_key AND said_at = s.event_at
    UNION ALL SELECT event_id, type, event_at, data, NULL FROM undelivered_event
    WHERE key = s.event_key AND event_at = s.event_at
    LIMIT 1)"""
EVENT_OF_KEY: Final = """(
    SELECT event_id, said_at FROM feed WHERE key = s.event_key
    UNION ALL SELECT event_id, event_at FROM undelivered_event WHERE key = s.event_key
    LIMIT 1)"""


def keep_events(source: str) -> str:
    """A query of a WITH clause: it keeps the events of failed webhooks and waiting invitations in `source`.

    It has the columns `channel`, `end_state`, `event_key` and `event_at`. In the order of the keys: two senders that
    keep the same events wait for one another, but not in a circle.
    """
    return f"""kept_events AS (
    INSERT INTO undelivered_event (key, event_at, event_id, type, account_id, data)
    SELECT f.key, f.said_at, f.event_id, f.type, f.account_id, f.data FROM {source} s CROSS JOIN LATERAL (
        SELECT * FROM feed WHERE key = s.event_key AND said_at = s.event_at LIMIT 1
    ) f
    WHERE (s.channel, s.end_state) IN (('webhook', 'failed'), ('calendar', 'pending'))
    ORDER BY f.key ON CONFLICT DO NOTHING
)"""
