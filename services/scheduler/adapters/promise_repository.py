"""Promises in PostgreSQL: whoever holds the one row of `promise_position` follows the change feed and looks at promises.

Rows of `promise` are locked in the order of their ids, also by erasures and merges.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Final

from pydantic import TypeAdapter

from schemas.plans import Avoid
from services.calendar.avoid import periods_for
from services.calendar.deputies import Deputy
from services.calendar.open_hours import DAY, OpenHours
from services.calendar.person_hours import DEFAULT_HOURS
from services.calendar.promise_review import KnownRisk, WatchedPromise
from services.calendar.promises import LOOK_AHEAD
from services.calendar.reconciliation.context import AccountHours, find_account_hours
from services.calendar.reconciliation.context import Work as ContactWork
from services.calendar.touchpoint import Touchpoint
from services.calendar.workload import MINUTE, Work
from services.chassis.database import Connection
from services.chassis.outbox import Outbox
from services.scheduler.adapters import rows
from services.scheduler.adapters.absence_repository import load_deputies
from services.scheduler.adapters.announcement_repository import publish_updates, take_known_states
from services.scheduler.adapters.calendar_repository import PostgresCalendarRepository
from services.scheduler.adapters.directory_repository import load_csm_hours, load_holidays
from services.scheduler.adapters.locked_touchpoints import LOCK_TOUCHPOINTS, lock_accounts
from services.scheduler.adapters.promise_statements import (
    ACCOUNTS,
    ANYTHING_DUE,
    CLAIM,
    CLOSE_ARCHIVED,
    FIXED,
    FOLLOW,
    LOAD,
    LOCK_POSITION,
    MOVE_POSITION,
    NEXT_CHANGES,
    SAVE,
    TAKE_MARKS,
)
from services.scheduler.application.announce_changes import describe_change
from services.scheduler.application.ports import (
    CalendarAccount,
    StoredTouchpoint,
    TouchpointUpdate,
    UnannouncedChange,
)
from services.scheduler.application.reconcile_calendar import place_of
from services.scheduler.application.watch_promises import (
    OwnerPromises,
    Patience,
    PromiseUpdate,
    StoredPromise,
)

AVOID: Final = TypeAdapter(tuple[Avoid, ...])
AROUND: Final = 7 * DAY
"""The planned work of colleagues from now until so long after a promise says who has the most room."""


class PostgresPromises:
    """PromiseRepository on one open transaction."""

    def __init__(
        self, connection: Connection, calendars: PostgresCalendarRepository, outbox: Outbox, console_url: str
    ) -> None:
        self._connection = connection
        self._calendars = calendars
        self._outbox = outbox
        self._console_url = console_url

    async def follow_changes(self, limit: int) -> int | None:
        position = await self._connection.fetchrow(LOCK_POSITION)
        if position is None:
            return None
        changes = await self._connection.fetch(NEXT_CHANGES, *position, limit)
        await self._connection.execute(TAKE_MARKS)
        if changes:
            await self._connection.execute(FOLLOW, sorted({row["id"] for row in changes}))
            await self._connection.execute(MOVE_POSITION, changes[-1]["number"], changes[-1]["id"])
        return len(changes)

    async def claim(self, now: datetime, patience: Patience, limit: int) -> Sequence[OwnerPromises]:
        claimed = await self._connection.fetch(CLAIM, now, patience.urgent_at, patience.awaits_quiet, limit)
        if not claimed:
            return ()
        ids = {row["id"] for row in claimed}
        csm_ids = sorted({row["csm_id"] for row in claimed if row["csm_id"] is not None})
        loaded = await self._connection.fetch(LOAD, sorted(ids), csm_ids, now + LOOK_AHEAD)
        archived = ids.difference(row["id"] for row in loaded)
        if archived:
            await self._connection.execute(CLOSE_ARCHIVED, sorted(archived))
        by_csm = await load_csm_hours(self._connection, {row["csm_id"] for row in loaded if row["csm_id"]})
        promises = await self._read(loaded, ids, by_csm)
        fixed = await self._load_fixed(csm_ids, now)
        owners: dict[str | None, list[StoredPromise]] = {}
        for promise in promises:
            owners.setdefault(_person_of(promise.stored.touchpoint), []).append(promise)
        return [
            OwnerPromises(
                None if csm_id is None else by_csm.get(csm_id, DEFAULT_HOURS),
                own,
                fixed.get(csm_id or "", ()),
            )
            for csm_id, own in owners.items()
        ]

    async def is_anything_due(self, now: datetime) -> bool:
        return bool(await self._connection.fetchval(ANYTHING_DUE, now))

    async def _read(
        self, loaded: Sequence[rows.Row], claimed: Collection[str], by_csm: Mapping[str, OpenHours]
    ) -> list[StoredPromise]:
        accounts = {row["account_id"] for row in loaded}
        holidays = await load_holidays(self._connection)
        found = await self._connection.fetch(ACCOUNTS, sorted(accounts))
        hours = {
            row[0]: find_account_hours(place_of(CalendarAccount(*row[:10])), holidays, DEFAULT_HOURS, by_csm)
            for row in found
        }
        avoid = {row[0]: AVOID.validate_json(row["avoid"] or "[]") for row in found}
        promises: list[StoredPromise] = []
        for row in loaded:
            stored, account_id = rows.read_stored(row), row["account_id"]
            known = None if row["cause"] is None else KnownRisk(row["cause"], row["detail"], row["since"])
            opening = _opening(stored, hours.get(account_id))
            watched = WatchedPromise(stored.touchpoint, opening, known, row["no_room"])
            periods = _periods(stored, hours.get(account_id), avoid.get(account_id, ()))
            promises.append(StoredPromise(stored, watched, periods, stored.touchpoint.id in claimed))
        return promises

    async def _load_fixed(self, csm_ids: Sequence[str], now: datetime) -> Mapping[str, list[Work]]:
        fixed: dict[str, list[Work]] = {}
        for row in await self._connection.fetch(FIXED, csm_ids, now, now + LOOK_AHEAD) if csm_ids else ():
            span = row["minutes"] * MINUTE
            fixed.setdefault(row["csm_id"], []).append(
                Work(row["id"], span, row["due_at"] + span, is_promise=False)
            )
        return fixed

    async def load_deputies(
        self, promises: Sequence[StoredPromise], now: datetime
    ) -> Mapping[str, Sequence[Deputy]]:
        accounts = {each.stored.touchpoint.account_id for each in promises}
        found = await load_deputies(self._connection, accounts, "", (now, now + LOOK_AHEAD + AROUND))
        return {
            each.stored.touchpoint.id: [
                deputy
                for deputy in found.get(each.stored.touchpoint.account_id, ())
                if deputy.csm_id != each.stored.touchpoint.csm_id
            ]
            for each in promises
        }

    async def lock(self, promises: Sequence[StoredTouchpoint]) -> Collection[str]:
        read = {each.touchpoint.id: each.touchpoint for each in promises}
        mine = await lock_accounts(self._connection, {each.account_id for each in read.values()})
        locked = await self._connection.fetch(LOCK_TOUCHPOINTS, sorted(read), sorted(mine))
        return {
            row["id"]
            for row in locked
            if (row["sequence"], row["status"]) == (read[row["id"]].sequence, read[row["id"]].status)
        }

    async def save(self, updates: Sequence[PromiseUpdate], now: datetime) -> None:
        values = [_promise_values(update, now) for update in updates]
        if values:
            await self._connection.execute(SAVE, *rows.columns_of(values), now)

    async def reroute(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None:
        await self._calendars.save_quietly(updates, now)

    async def announce(self, alarms: Sequence[TouchpointUpdate], now: datetime) -> None:
        known = await take_known_states(self._connection, [alarm.touchpoint.id for alarm in alarms])
        updates: list[TouchpointUpdate] = []
        for alarm in alarms:
            state = known.get(alarm.touchpoint.id)
            if state is not None:
                stored = StoredTouchpoint(alarm.touchpoint, alarm.content)
                updates.append(describe_change(UnannouncedChange(stored, *state)))
            updates.append(alarm)
        await publish_updates(self._connection, self._outbox, self._console_url, updates, now)


def _person_of(touchpoint: Touchpoint) -> str | None:
    return touchpoint.csm_id if touchpoint.is_led_by_person else None


def _opening(stored: StoredTouchpoint, hours: AccountHours | None) -> OpenHours | None:
    """In which it can be done: internal work of people in their hours, that of Drumbeat at any time."""
    touchpoint, content = stored.touchpoint, stored.content
    if hours is None:
        return None
    work = ContactWork(
        touchpoint.owner, touchpoint.csm_id, content.topic, content.channel, touchpoint.minutes
    )
    _, opening = hours.opening(work, content.quiet_hours)
    return hours.of_csm(touchpoint.csm_id) if opening is None and touchpoint.is_led_by_person else opening


def _periods(stored: StoredTouchpoint, hours: AccountHours | None, avoid: Sequence[Avoid]) -> Sequence[Avoid]:
    """The times that it is to avoid."""
    touchpoint = stored.touchpoint
    if hours is None:
        return ()
    zones = hours.season_zones(touchpoint.owner, touchpoint.csm_id)
    return periods_for(avoid, touchpoint.type, stored.content.topic, zones)


def _promise_values(update: PromiseUpdate, now: datetime) -> tuple[object, ...]:
    """One row of SAVE."""
    touchpoint, review = update.stored.touchpoint, update.review
    risk = (None, None, None) if review.risk is None else review.risk
    return (
        touchpoint.id, touchpoint.account_id, touchpoint.owner, touchpoint.csm_id, update.stored.content.reason.policy,
        review.promised_at, review.state, touchpoint.released_at is not None, *risk,
        now if update.is_announced else None, review.look_at,
    )  # fmt: skip
