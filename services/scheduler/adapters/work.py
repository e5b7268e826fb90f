"""Conditions under which the loops of the scheduler may find something to do; `$1` is the time by the service clock.

Each reads the first entry of an index, however many rows there are.
"""

from typing import Final

from services.scheduler.adapters.promise_statements import IS_ANYTHING_DUE

DUE: Final = "(SELECT min(at) FROM agenda) <= $1"
OVERDUE: Final = "(SELECT min(at) FROM lapsing) <= $1"
TO_EXTEND: Final = "(SELECT min(extend_at) FROM account_calendar WHERE plan IS NOT NULL) <= $1"
TO_ANNOUNCE: Final = """(SELECT min(announce_at) FROM account_calendar) <= now()
    OR (SELECT min(announce_from) FROM announcement) <= $1"""
TO_REMIND: Final = """EXISTS (
    SELECT FROM reminder_position p CROSS JOIN LATERAL (
        SELECT at FROM agenda a WHERE (a.at, a.id) > (p.due_at, p.touchpoint_id) ORDER BY a.at, a.id LIMIT 1) next
    WHERE next.at <= $1 + make_interval(hours => p.hours))"""
TO_SHARE_OUT: Final = "EXISTS (SELECT FROM left_person WHERE csm_id NOT IN (SELECT csm_id FROM person))"
TO_LEVEL: Final = "EXISTS (SELECT FROM csm_mark) OR (SELECT min(review_at) FROM csm_book) <= $1"
PROMISES: Final = IS_ANYTHING_DUE
