"""Conditions under which the loops of the engine may find something to do; `$1` is the time by the service clock."""

from typing import Final

TO_EVALUATE: Final = """(SELECT min(next_evaluation_at) FROM account) <= $1
    OR EXISTS (SELECT FROM account WHERE decided_under < 0)
    OR EXISTS (SELECT FROM sweep CROSS JOIN epoch WHERE completed < generation OR generation < number)"""
NOTICES: Final = (
    "(SELECT min(check_at) FROM cadence_notice) <= $1 AND EXISTS (SELECT FROM epoch WHERE mode = 'live')"
)
