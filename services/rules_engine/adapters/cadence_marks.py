"""Which accounts have to be looked at because the cadence that their customers know may have changed."""

from collections.abc import Sequence
from typing import Final

from services.chassis.database import Connection
from services.rules_engine.domain.account import NewPlan

# An established account that was told nothing has no row.
MARK_NEW: Final = """
INSERT INTO cadence_notice AS n (account_id, check_at) SELECT id, $2 FROM unnest($1::text[]) id ORDER BY id
ON CONFLICT (account_id) DO UPDATE SET check_at = least(n.check_at, excluded.check_at)
"""
MARK_KNOWN: Final = """
UPDATE cadence_notice SET check_at = least(check_at, $2) WHERE account_id = ANY($1::text[])
"""


async def mark_new_plans(connection: Connection, new_plans: Sequence[NewPlan]) -> None:
    """Have the cadence looked at of accounts with a new plan that begin, or whose customer was told something."""
    if not new_plans:
        return
    at = new_plans[0].decided_at
    stages = {new.account.account_id: new.account.stage for new in new_plans}
    beginning = sorted(account_id for account_id, stage in stages.items() if stage == "onboarding")
    others = sorted(stages.keys() - set(beginning))
    if beginning:
        await connection.execute(MARK_NEW, beginning, at)
    if others:
        await connection.execute(MARK_KNOWN, others, at)
