"""The calls and meetings with customers that count against contact budgets, from when they are planned on."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from services.chassis.database import Connection
from services.notifier.adapters.contact_budget_repository import wake_waiting
from services.notifier.adapters.merging import STAYS
from services.notifier.domain.talk import Settlement, Talk

SAVE_TALKS: Final = f"""
INSERT INTO counted_talk AS t (touchpoint_id, account_id, touchpoint_type, channel, audience, at, sequence)
SELECT touchpoint_id, {STAYS}, touchpoint_type, channel, string_to_array(audience, ' '), at, sequence
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bigint[])
  AS u(touchpoint_id, account_id, touchpoint_type, channel, audience, at, sequence)
ON CONFLICT (touchpoint_id) DO UPDATE SET account_id = excluded.account_id, channel = excluded.channel,
    audience = excluded.audience, at = excluded.at, sequence = excluded.sequence
WHERE t.sequence <= excluded.sequence
"""
DELETE_TALKS: Final = "DELETE FROM counted_talk WHERE touchpoint_id = ANY($1::text[]) RETURNING account_id"
HOLD_TALKS: Final = """
UPDATE counted_talk t SET at = least(t.at, u.at) FROM unnest($1::text[], $2::timestamptz[]) AS u(touchpoint_id, at)
WHERE t.touchpoint_id = u.touchpoint_id
"""


async def count_talks(connection: Connection, talks: Sequence[Talk], real: datetime) -> None:
    """Store when these talks take place; those that are cancelled count no more. What has room now is decided again."""
    standing = [talk for talk in talks if not talk.is_cancelled]
    if standing:
        await connection.execute(
            SAVE_TALKS,
            [talk.touchpoint_id for talk in standing],
            [talk.account_id for talk in standing],
            [talk.touchpoint_type for talk in standing],
            [talk.channel for talk in standing],
            [" ".join(talk.audience) for talk in standing],
            [talk.at for talk in standing],
            [talk.sequence for talk in standing],
        )
    cancelled = [talk.touchpoint_id for talk in talks if talk.is_cancelled]
    if cancelled:
        await wake_waiting(connection, await connection.fetch(DELETE_TALKS, cancelled), real)


async def settle_talks(connection: Connection, settlements: Sequence[Settlement], real: datetime) -> None:
    """What took place counts from when it did; what did not counts no more."""
    occurred = {one.touchpoint_id: one.at for one in settlements if one.took_place}
    if occurred:
        await connection.execute(HOLD_TALKS, list(occurred), list(occurred.values()))
    over = sorted({one.touchpoint_id for one in settlements if one.is_over} - occurred.keys())
    if over:
        await wake_waiting(connection, await connection.fetch(DELETE_TALKS, over), real)
