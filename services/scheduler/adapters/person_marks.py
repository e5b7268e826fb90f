"""Marks of people whose work or hours have changed: append-only rows, for the leveller and for the watch of promises."""

from collections.abc import Collection, Iterable

from services.chassis.database import Connection
from services.scheduler.application.ports import TouchpointUpdate

MARK = "INSERT INTO csm_mark (csm_id, cause) SELECT csm_id, $2 FROM unnest($1::text[]) csm_id"
MARK_PROMISES = "INSERT INTO promise_mark (csm_id) SELECT csm_id FROM unnest($1::text[]) csm_id"


async def mark_people(connection: Connection, csm_ids: Collection[str], cause: str) -> None:
    """Have the books of these people levelled."""
    if csm_ids:
        await connection.execute(MARK, sorted(csm_ids), cause)


async def mark_promises(connection: Connection, csm_ids: Collection[str]) -> None:
    """Have the promises of these people looked at again."""
    if csm_ids:
        await connection.execute(MARK_PROMISES, sorted(csm_ids))


async def mark_owners(connection: Connection, updates: Iterable[TouchpointUpdate]) -> None:
    """Have the books of those levelled who gain, lose or have these touchpoints otherwise than before."""
    changed = [update for update in updates if update.event_kind and update.touchpoint.is_led_by_person]
    owners = {update.touchpoint.csm_id for update in changed}
    owners |= {update.previous_owner[1] for update in changed if update.previous_owner is not None}
    accounts = {update.touchpoint.account_id for update in changed}
    cause = f"account {min(accounts)}" if len(accounts) == 1 else f"{len(accounts)} accounts"
    await mark_people(connection, {owner for owner in owners if owner is not None}, cause[:200])
