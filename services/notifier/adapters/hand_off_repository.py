"""Messages that are handed off: the platforms that take them, and the webhooks with their content.

The content has personal data, so it is no entry of the feed that streams read: it is kept with the events that endpoints
did not get, under a key of its own.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import orjson

from schemas.hand_off import HandOffContent
from services.chassis.database import Connection
from services.notifier.adapters import content_repository, draft_repository, subscription_repository
from services.notifier.adapters.delivery_repository import event_key
from services.notifier.adapters.merging import STAYS
from services.notifier.application.ports import MessageClaim, NewDelivery
from services.notifier.domain.delivery import RecipientKind
from services.notifier.domain.event import DUE, Event

KEEP = f"""
INSERT INTO undelivered_event (key, event_at, event_id, type, account_id, data)
SELECT key, event_at, event_id, type, {STAYS}, data
FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::text[], $6::bytea[])
  AS u(key, event_at, event_id, type, account_id, data)
ON CONFLICT DO NOTHING
"""
ERASE_FROM_HAND_OFFS: Final = f"""
UPDATE undelivered_event u SET data = convert_to(jsonb_set(e.document - 'content', '{{content}}',
    jsonb_build_object('name', e.document -> 'content' -> 'name', 'recipients', coalesce((
        SELECT jsonb_agg(r) FROM jsonb_array_elements(e.document -> 'content' -> 'recipients') r
        WHERE r ->> 'id' <> ALL($1::text[])), '[]'::jsonb)))::text, 'UTF8')
FROM (
    SELECT key, event_at, convert_from(data, 'UTF8')::jsonb AS document FROM undelivered_event
    WHERE type = '{DUE}' AND account_id IN (SELECT account_id FROM contact WHERE contact_id = ANY($1::text[]))
) e
WHERE u.key = e.key AND u.event_at = e.event_at AND e.document ? 'content'
"""


async def load_handling(connection: Connection, claims: Sequence[MessageClaim]) -> Mapping[str, Any]:
    """What the policy has done with these messages before they go: the fields of a `Directory`."""
    due = [claim for claim in claims if claim.event.type == DUE]
    to_customers = [claim for claim in due if claim.delivery.recipient.kind is RecipientKind.CONTACT]
    if not due:
        return {}
    handlings = await draft_repository.load_handlings(connection)
    drafts = await draft_repository.load_drafts(connection, [claim.event for claim in to_customers])
    is_handed_off = any(
        claim.event.is_handed_off(handling.hand_off)
        for claim in to_customers
        if (handling := handlings.get(claim.event.content.touchpoint_type)) is not None
    )
    subscriptions = await subscription_repository.load_subscriptions(connection) if is_handed_off else ()
    return {"handlings": handlings, "drafts": drafts, "platforms": subscriptions}


async def keep_hand_offs(connection: Connection, deliveries: Sequence[NewDelivery]) -> None:
    """Keep the events of webhooks with content, which are in no feed."""
    by_key = {event_key(new.event.id): new.event for new in deliveries if new.channel == "webhook"}
    if not by_key:
        return
    await connection.execute(
        KEEP,
        list(by_key),
        [event.time for event in by_key.values()],
        [event.id for event in by_key.values()],
        [event.type for event in by_key.values()],
        [event.content.account_id for event in by_key.values()],
        [event.data for event in by_key.values()],
    )
    for event in by_key.values():
        await content_repository.add_programs(connection, _programs_of(event), event.time)


def _programs_of(event: Event) -> set[tuple[str, str]]:
    """Which contacts get which programs from the platform."""
    content = HandOffContent.read(orjson.dumps(orjson.loads(event.data)["content"]))
    return {(one.id, one.program_id) for one in content.recipients if one.program_id is not None}
