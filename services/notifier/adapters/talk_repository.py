"""The calls and meetings with customers that count against contact budgets, from when they are planned on."""

from collections.abc import Sequence
from typing import Any, Final

from services.chassis.database import Connection
from services.notifier.adapters.contact_budget_repository import wake_waiting
from services.notifier.adapters.merging import STAYS
from services.notifier.application.ports import Now
from services.notifier.domain.talk import Settlement, Talk

# Returned are the accounts whose talks left their time.
SAVE_TALKS: Final = f"""
WITH before AS (SELECT touchpoint_id, account_id, at FROM counted_talk WHERE touchpoint_id = ANY($1::text[])),
saved AS (
INSERT INTO counted_talk AS t (touchpoint_id, account_id, touchpoint_type, channel, audience, at, sequence)
SELECT touchpoint_id, {STAYS}, touchpoint_type, channel, string_to_array(audience, ' '), at, sequence
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::bigint[])
  AS u(touchpoint_id, account_id, touchpoint_type, channel, audience, at, sequence)
ON CONFLICT (touchpoint_id) DO UPDATE SET account_id = excluded.account_id, channel = excluded.channel,
    audience = excluded.audience, at = excluded.at, sequence = excluded.sequence
WHERE t.sequence <= excluded.sequence RETURNING touchpoint_id, at
) SELECT b.account_id FROM saved s JOIN before b USING (touchpoint_id) WHERE s.at <> b.at
"""
DELETE_TALKS: Final = "DELETE FROM counted_talk WHERE touchpoint_id = ANY($1::text[]) RETURNING account_id"
HOLD_TALKS: Final = """
UPDATE counted_talk t SET at = least(t.at, u.at) FROM unnest($1::text[], $2::timestamptz[]) AS u(touchpoint_id, at)
WHERE t.touchpoint_id = u.touchpoint_id
"""


async def count_talks(connection: Connection, talks: Sequence[Talk], now: Now) -> None:
    """Store when these talks take place; those that are cancelled count no more. What has room now is decided again."""
    freed: list[Any] = []
    standing = [talk for talk in talks if not talk.is_cancelled]
    if standing:
        freed += await connection.fetch(
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
        freed += await connection.fetch(DELETE_TALKS, cancelled)
    await wake_waiting(connection, {row[0] for row in freed}, now)


async def settle_talks(connection: Connection, settlements: Sequence[Settlement], now: Now) -> None:
    """What took place counts from when it did; what did not counts no more."""
    occurred = {one.touchpoint_id: one.at for one in settlements if one.took_place}
    if occurred:
        await connection.execute(HOLD_TALKS, list(occurred), list(occurred.values()))
    over = sorted({one.touchpoint_id for one in settlements if one.is_over} - occurred.keys())
    if over:
        freed = await connection.fetch(DELETE_TALKS, over)
        await wake_waiting(connection, {row[0] for row in freed}, now)
