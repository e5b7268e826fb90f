"""Changes that readers of events do not know yet, and what they know of those touchpoints.

Whoever adds or takes a row holds the lock of its touchpoint, or makes the touchpoint in the same transaction. So an
event is in the outbox exactly when the row that asked for it is gone, and a crash loses and repeats nothing.
"""

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta

from services.calendar.announcing import find_announce_from
from services.calendar.touchpoint import Status
from services.chassis.database import Connection
from services.chassis.outbox import Outbox
from services.chassis.tracing import traces
from services.scheduler.adapters.directory_repository import load_directory
from services.scheduler.adapters.invitations import load_invited_types
from services.scheduler.adapters.messages import update_events
from services.scheduler.adapters.reminder_positions import find_missed_by_passes
from services.scheduler.adapters.rows import COLUMNS, Row, columns_of, read_stored
from services.scheduler.application.ports import TouchpointUpdate, UnannouncedChange
from services.scheduler.domain.announcing import KnownState

# The touchpoint is as readers know it, until the first change after that.
ADD = """
INSERT INTO announcement AS a (touchpoint_id, account_id, note, announce_from, status, due_at, start_at, end_at,
    deadline, owner, csm_id, trace)
SELECT u.id, u.account_id, u.note, u.announce_from, t.status, t.due_at, t.start_at, t.end_at, t.deadline, t.owner,
    t.csm_id, u.trace
FROM unnest($1::uuid[], $2::text[], $3::text[], $4::timestamptz[], $5::text[])
    u(id, account_id, note, announce_from, trace)
LEFT JOIN touchpoint t ON t.id = u.id
ON CONFLICT (touchpoint_id) DO UPDATE SET note = excluded.note, announce_from = excluded.announce_from,
    trace = coalesce(excluded.trace, a.trace)
"""
# Quiet begins anew with every change, but a calendar that never rests is announced all the same.
WAIT = """
UPDATE account_calendar SET changed_since = coalesce(changed_since, clock_timestamp()),
    announce_at = least(clock_timestamp() + $2, coalesce(changed_since, clock_timestamp()) + $3)
WHERE account_id = ANY($1::text[])
"""
TAKE = """
DELETE FROM announcement WHERE touchpoint_id = ANY($1::uuid[])
RETURNING touchpoint_id::text AS id, note, trace, status, due_at, start_at, end_at, deadline, owner, csm_id
"""
CLAIM = """
UPDATE account_calendar SET announce_at = NULL, changed_since = NULL WHERE account_id IN (
    SELECT account_id FROM account_calendar WHERE announce_at <= $1
    ORDER BY announce_at, account_id LIMIT $2 FOR UPDATE SKIP LOCKED)
RETURNING account_id
"""
# What has come near enough, of accounts that nobody changes meanwhile.
CLAIM_NEAR = """
SELECT account_id FROM account_calendar WHERE announce_at IS NULL AND account_id IN (
    SELECT account_id FROM (
        SELECT account_id FROM announcement WHERE announce_from <= $1 ORDER BY announce_from LIMIT $2) AS near)
ORDER BY account_id FOR UPDATE SKIP LOCKED
"""
# What readers do not know waits until it is near; what they know is brought up to date, however far it is.
LOCK = f"""
SELECT {COLUMNS}, t.face, r.face AS rhythm_face FROM touchpoint t
LEFT JOIN rhythm r ON t.face IS NULL AND r.account_id = t.account_id AND r.type = t.type
WHERE t.id IN (
    SELECT touchpoint_id FROM announcement WHERE account_id = ANY($1::text[])
        AND (announce_from IS NULL OR announce_from <= $2 OR status <> 'cancelled'))
ORDER BY t.id FOR UPDATE OF t
"""


class PostgresAnnouncements:
    """AnnouncementQueue on one open transaction."""

    def __init__(self, connection: Connection, outbox: Outbox, console_url: str) -> None:
        self._connection = connection
        self._outbox = outbox
        self._console_url = console_url

    async def claim(
        self, real_now: datetime, now: datetime, limit: int
    ) -> tuple[int, Sequence[UnannouncedChange]]:
        claimed = await self._connection.fetch(CLAIM, real_now, limit)
        near = [] if claimed else await self._connection.fetch(CLAIM_NEAR, now, limit)
        account_ids = [row[0] for row in (*claimed, *near)]
        return len(account_ids), await take_changes(self._connection, account_ids, now)

    async def publish(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None:
        await publish_updates(self._connection, self._outbox, self._console_url, updates, now)


async def publish_updates(
    connection: Connection,
    outbox: Outbox,
    console_url: str,
    updates: Sequence[TouchpointUpdate],
    now: datetime,
) -> None:
    """Append the events of the updates that have one, and the reminders that are too late for a pass."""
    published = [update for update in updates if update.event_kind]
    published += await find_missed_by_passes(connection, published, now)
    account_ids = {update.touchpoint.account_id for update in published}
    holders = [(update.touchpoint.holder, update.previous_owner) for update in published]
    csm_ids = {holder[1] for pair in holders for holder in pair if holder and holder[1]}
    directory = await load_directory(connection, account_ids, csm_ids)
    await outbox.append(connection, update_events(published, directory, console_url, now))


async def add_changes(
    connection: Connection,
    updates: Sequence[TouchpointUpdate],
    wait: tuple[timedelta, timedelta],
    now: datetime,
) -> None:
    """Announce these touchpoints, which are not stored yet, once their accounts have been quiet.

    Readers who do not know an occurrence learn of it when it is near, those who know it learn what becomes of it.
    """
    if not updates:
        return
    invited = await load_invited_types(connection)
    announced = [(update, find_announce_from(update.touchpoint, invited, now)) for update in updates]
    values = [(each.touchpoint.id, each.touchpoint.account_id, each.note, later) for each, later in announced]
    carriers = traces().carriers([each.touchpoint.account_id for each, _ in announced])
    await connection.execute(ADD, *columns_of(values), carriers)
    # What was just made and is far has nothing to announce.
    account_ids = {
        each.touchpoint.account_id
        for each, later in announced
        if later is None or each.touchpoint.sequence > 1
    }
    if account_ids:
        await connection.execute(WAIT, sorted(account_ids), *wait)


async def take_changes(
    connection: Connection, account_ids: Collection[str], now: datetime
) -> list[UnannouncedChange]:
    """What is to be announced of these accounts at this service time. The caller announces it in this transaction."""
    locked = await connection.fetch(LOCK, account_ids, now) if account_ids else []
    # Read after the locks: until then a release or a person may have announced the touchpoint.
    known = await take_known_states(connection, [row["id"] for row in locked])
    return [UnannouncedChange(read_stored(row), *known[row["id"]]) for row in locked if row["id"] in known]


async def take_known_states(
    connection: Connection, ids: Sequence[str]
) -> dict[str, tuple[KnownState, str | None]]:
    """What readers know of those of these touchpoints that have changed since, with the note of the last change.

    The caller announces them in this transaction.
    """
    if not ids:
        return {}
    taken = await connection.fetch(TAKE, ids)
    traces().remember([(row["id"], row["trace"]) for row in taken])
    return {row["id"]: (_known_state(row), row["note"]) for row in taken}


def _known_state(row: Row) -> KnownState:
    status = None if row["status"] is None else Status(row["status"])
    return KnownState(status, *row[4:])
