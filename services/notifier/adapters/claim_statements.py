"""The statements that claim deliveries of the queue, and that begin the mails of claimed ones.

`$1` is the real time; in `BEGIN` it is `$4`.
"""

from services.notifier.adapters.undelivered_events import EVENT

LEASE = "90 seconds"
_READY = "channel <> 'webhook' AND (lease_until IS NULL OR lease_until < $1)"
_CLAIM = f"""
UPDATE delivery_queue q SET lease_token = $3, lease_until = $1 + interval '{LEASE}', lease_owner = $4,
    ambiguous = q.ambiguous OR q.is_begun, is_begun = false, is_naming_erased = false"""
_CLAIMED = """
    q.delivery_id, q.channel, q.recipient_kind, q.recipient_id, q.attempts, q.next_at, q.first_at, q.waits_until,
    f.event_id, f.type, f.said_at, f.data, q.reason, q.message_id, q.planned_at,
    q.fold_key IS NOT NULL, q.created_at, q.ambiguous, f.trace"""
CLAIM_SINGLE = f"""
WITH mine AS MATERIALIZED (
    SELECT delivery_id, event_key, event_at FROM delivery_queue WHERE {_READY} AND next_at <= $1 AND fold_key IS NULL
    ORDER BY next_at LIMIT $2 FOR UPDATE SKIP LOCKED
)
{_CLAIM}
FROM mine s CROSS JOIN LATERAL {EVENT} f WHERE q.delivery_id = s.delivery_id
RETURNING {_CLAIMED}
"""
# Whoever locks a key claims all that is ready under it: one sender writes the mail, once.
LOCK_FOLDS = f"""
WITH ready AS MATERIALIZED (
    SELECT fold_key, min(next_at) AS next_at FROM delivery_queue
    WHERE {_READY} AND next_at <= $1 AND fold_key IS NOT NULL GROUP BY fold_key ORDER BY 2 LIMIT $2
)
SELECT fold_key FROM ready WHERE pg_try_advisory_xact_lock(hashtextextended(fold_key, 0))
"""
# What is gathered still goes with what is ready, but what waits for a record or for another day does not. From now on
# the deliveries of the mail belong together, so that a retry has the same ones. A delivery to a contact may leave the
# mail with its own id, so the mail has another one: that of all its deliveries, which is the same after a restore.
CLAIM_FOLDS = f"""
WITH mine AS MATERIALIZED (
    SELECT delivery_id, fold_key, message_id, event_key, event_at FROM delivery_queue
    WHERE {_READY} AND fold_key = ANY($2)
        AND (next_at <= $1 OR (coalesce(waits_until, $1) <= $1 AND coalesce(planned_at, $5) <= $5))
    ORDER BY delivery_id FOR UPDATE
), first AS MATERIALIZED (
    SELECT fold_key, CASE WHEN fold_key LIKE 'customer:%' AND count(*) > 1
        THEN md5(string_agg(delivery_id::text, ' ' ORDER BY delivery_id))::uuid
        ELSE min(delivery_id::text)::uuid END AS id FROM mine GROUP BY fold_key
)
{_CLAIM},
    message_id = CASE WHEN s.fold_key LIKE 'message:%' THEN s.message_id ELSE first.id END,
    fold_key = CASE WHEN s.fold_key LIKE 'message:%' THEN s.fold_key ELSE 'message:' || first.id END
FROM mine s JOIN first USING (fold_key) CROSS JOIN LATERAL {EVENT} f WHERE q.delivery_id = s.delivery_id
RETURNING {_CLAIMED}
"""
# A webhook may be on its way as soon as it is claimed; endpoints know a repetition by its id.
CLAIM_WEBHOOKS = f"""
WITH mine AS MATERIALIZED (
    SELECT d.* FROM unnest($4::text[], $5::int[]) AS e(id, room)
    CROSS JOIN LATERAL (
        SELECT delivery_id, event_key, event_at FROM delivery_queue WHERE recipient_id = e.id AND channel = 'webhook'
            AND next_at <= $1 AND (lease_until IS NULL OR lease_until < $1)
        ORDER BY next_at LIMIT e.room FOR UPDATE SKIP LOCKED
    ) d LIMIT $2
)
UPDATE delivery_queue q SET lease_token = $3, lease_until = $1 + interval '{LEASE}', lease_owner = $6,
    ambiguous = q.ambiguous OR q.lease_token IS NOT NULL
FROM mine s CROSS JOIN LATERAL {EVENT} f WHERE q.delivery_id = s.delivery_id
RETURNING q.delivery_id::text, q.recipient_id, q.message_id::text, f.type, f.said_at, f.data, q.attempts, q.first_at,
    q.account_id, q.touchpoint_id, q.touchpoint_type, f.trace
"""
# All the deliveries of a mail begin, or none of them. The lease begins anew, so that the attempt fits into it.
BEGIN = f"""
WITH wanted AS (
    SELECT * FROM unnest($1::uuid[], $2::uuid[], $3::int[]) AS u(id, token, mail)
), leased AS MATERIALIZED (
    SELECT u.id, u.mail FROM wanted u JOIN delivery_queue q ON q.delivery_id = u.id AND q.lease_token = u.token
    FOR UPDATE OF q
)
UPDATE delivery_queue q SET is_begun = true, lease_until = $4::timestamptz + interval '{LEASE}'
FROM leased l WHERE q.delivery_id = l.id
    AND l.mail NOT IN (SELECT mail FROM wanted WHERE id NOT IN (SELECT id FROM leased))
RETURNING l.mail
"""
TAKE_OVER = "UPDATE delivery_queue SET lease_until = $2 WHERE lease_owner = $1 AND lease_until > $2"
