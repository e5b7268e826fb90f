"""The statements about promises. A touchpoint is one by its deadline, a one-off by the end of its window."""

from typing import Final

from services.scheduler.adapters.rows import COLUMNS

LOCK_POSITION: Final = """
SELECT CASE WHEN xid < pg_snapshot_xmax(pg_current_snapshot()) THEN xid::text ELSE '0' END AS number, id::text AS place
FROM promise_position FOR UPDATE SKIP LOCKED
"""
"""A restored database counts transactions from the beginning: its feed is read anew."""
NEXT_CHANGES: Final = """
SELECT c.xid::text AS number, c.id::text AS id FROM change c
WHERE (c.xid, c.id) > ($1::text::xid8, $2::uuid) AND c.xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY c.xid, c.id LIMIT $3
"""
MOVE_POSITION: Final = "UPDATE promise_position SET xid = $1::text::xid8, id = $2"
FOLLOW: Final = """
INSERT INTO promise AS p (touchpoint_id, account_id, type, owner, csm_id, policy, promised_at, state, is_due, look_at)
SELECT t.id, t.account_id, t.type, t.owner, t.csm_id, '', coalesce(t.deadline, t.end_at), 'open',
    t.released_at IS NOT NULL, '-infinity'
FROM touchpoint t
WHERE t.id = ANY($1::uuid[]) AND (
    (t.origin <> 'calendar' AND (t.deadline IS NOT NULL OR (t.origin = 'one_off' AND t.end_at > t.start_at)))
    OR EXISTS (SELECT FROM promise p WHERE p.touchpoint_id = t.id))
ORDER BY t.id
ON CONFLICT (touchpoint_id) DO UPDATE SET account_id = excluded.account_id, csm_id = excluded.csm_id,
    look_at = '-infinity'
"""
TAKE_MARKS: Final = """
WITH marked AS (DELETE FROM promise_mark RETURNING csm_id
), near AS MATERIALIZED (
    SELECT touchpoint_id FROM promise WHERE csm_id IN (SELECT csm_id FROM marked) AND look_at IS NOT NULL
    ORDER BY touchpoint_id FOR UPDATE
)
UPDATE promise p SET look_at = '-infinity' FROM near n WHERE p.touchpoint_id = n.touchpoint_id
"""
# What waits for its plan, its levelling or its announcement may be another touchpoint in a moment.
CLAIM: Final = """
SELECT p.touchpoint_id::text AS id, p.csm_id FROM promise p
WHERE p.look_at <= $1 AND (p.promised_at < $2 OR NOT (
    EXISTS (SELECT FROM csm_mark m WHERE m.csm_id = p.csm_id)
    OR EXISTS (SELECT FROM account_calendar a WHERE a.account_id = p.account_id
        AND ((a.announce_at IS NOT NULL AND $3) OR a.extend_at <= $1))))
ORDER BY p.look_at, p.touchpoint_id LIMIT $4 FOR UPDATE OF p SKIP LOCKED
"""
IS_ANYTHING_DUE: Final = """EXISTS (SELECT FROM promise WHERE look_at <= $1) OR EXISTS (SELECT FROM promise_mark)
    OR EXISTS (SELECT FROM change c, promise_position p WHERE (c.xid, c.id) > (p.xid, p.id))
    OR EXISTS (SELECT FROM promise_position WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()))"""
ANYTHING_DUE: Final = f"SELECT {IS_ANYTHING_DUE}"
LOAD: Final = f"""
SELECT {COLUMNS}, t.face, r.face AS rhythm_face, p.cause, p.detail, p.since,
    b.without_room ->> p.touchpoint_id::text AS no_room
FROM promise p JOIN touchpoint t ON t.id = p.touchpoint_id
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
LEFT JOIN csm_book b ON b.csm_id = t.csm_id
WHERE p.touchpoint_id = ANY($1::uuid[])
    OR (p.csm_id = ANY($2::text[]) AND p.look_at IS NOT NULL AND p.promised_at < $3)
ORDER BY p.touchpoint_id
"""
CLOSE_ARCHIVED: Final = "UPDATE promise SET look_at = NULL WHERE touchpoint_id = ANY($1::uuid[])"
ACCOUNTS: Final = """
SELECT account_id, version, shape, timezone, zones, csm_id, sales_id, pool, country, region,
    (plan -> 'avoid')::text AS avoid
FROM account_calendar WHERE account_id = ANY($1::text[])
"""
FIXED: Final = """
SELECT t.csm_id, t.id::text AS id, t.due_at, t.minutes FROM touchpoint t
WHERE t.csm_id = ANY($1::text[]) AND t.status = 'planned' AND t.owner IN ('csm', 'pooled_csm', 'sales')
    AND t.due_at >= $2 AND t.due_at < $3 AND (t.earliest_at IS NULL OR t.pinned) AND t.origin <> 'calendar'
    AND NOT EXISTS (SELECT FROM promise p WHERE p.touchpoint_id = t.id)
"""
SAVE: Final = """
UPDATE promise p SET account_id = u.account_id, owner = u.owner, csm_id = u.csm_id, policy = u.policy,
    promised_at = coalesce(u.promised_at, p.promised_at), state = u.state, is_due = u.is_due, cause = u.cause,
    detail = u.detail, since = u.since, warned_at = coalesce(p.warned_at, u.warned_at), look_at = u.look_at,
    found_at = coalesce(p.found_at, $14),
    written_at = clock_timestamp()
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::boolean[],
    $9::text[], $10::text[], $11::timestamptz[], $12::timestamptz[], $13::timestamptz[])
    u(id, account_id, owner, csm_id, policy, promised_at, state, is_due, cause, detail, since, warned_at, look_at)
WHERE p.touchpoint_id = u.id
"""
