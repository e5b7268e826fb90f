"""Completion of webhooks that were delivered: nearly all of them, with little to write down of each."""

from collections.abc import Sequence

from services.chassis.database import Connection
from services.notifier.application.ports import ClaimResult, Now, WebhookClaim
from services.notifier.domain.delivery import State

LEAST = 20
"""Fewer with one lease and one answer go with the others: a statement of their own costs more than it saves."""
# As `COMPLETE` of `delivery_completion`, with what is the same for all as one value.
SENT = """
WITH done AS (
    UPDATE delivery d SET state = 'sent', reason = $6, attempts = u.attempts, next_at = NULL, rouse_at = NULL,
        waits_until = NULL, first_at = coalesce(d.first_at, u.tried_at), finished_at = $1, lease_token = NULL,
        lease_until = NULL
    FROM unnest($3::uuid[], $4::int[], $5::timestamptz[]) AS u(id, attempts, tried_at)
    WHERE d.id = u.id AND d.lease_token = $2 AND d.state = 'pending'
    RETURNING d.id, u.attempts, u.tried_at, d.erase_when_final
), tried AS (
    INSERT INTO attempt (delivery_id, number, at, outcome, detail)
    SELECT id, attempts, tried_at, 'delivered', $6 FROM done ON CONFLICT DO NOTHING
)
SELECT id::text, erase_when_final FROM done
"""
Group = list[ClaimResult]


def split_delivered(results: Sequence[ClaimResult]) -> tuple[list[Group], list[ClaimResult]]:
    """Delivered webhooks by lease and answer, and the other results, each in the order given."""
    groups: dict[tuple[str, str], Group] = {}
    others: list[ClaimResult] = []
    for result in results:
        if isinstance(result.claim, WebhookClaim) and result.delivery.state is State.SENT and result.attempt:
            groups.setdefault((result.claim.token, result.attempt.detail), []).append(result)
        else:
            others.append(result)
    large = [group for group in groups.values() if len(group) >= LEAST]
    small = [result for group in groups.values() if len(group) < LEAST for result in group]
    return large, [*others, *small]


async def complete_delivered(connection: Connection, group: Group, now: Now) -> list[tuple[str, bool]]:
    """Record a group of `split_delivered`; (id, erase when final) of those whose lease still holds."""
    attempts = [result.attempt for result in group if result.attempt is not None]
    rows = await connection.fetch(
        SENT,
        now.service,
        group[0].claim.token,
        [result.delivery.id for result in group],
        [attempt.number for attempt in attempts],
        [attempt.at for attempt in attempts],
        attempts[0].detail,
    )
    return [(row[0], row[1]) for row in rows]
