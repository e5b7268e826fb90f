"""Lists of deliveries, each from the index or the narrow table that has its rows in order.

Pending ones are read from the queue, those that ended without being sent from their own table. Other lists follow one
index of the record, and read a bounded number of its rows for each page: a page may then have few items, or none, and go
on at a cursor.
"""

from datetime import datetime, timedelta
from typing import Any, Final, cast
from uuid import UUID

import orjson

from services.chassis.clock import real_now
from services.chassis.database import Connection, Database
from services.notifier.application.read_models import (
    AttemptItem,
    DeliveryFilter,
    DeliveryItem,
    DeliverySlice,
    RecipientItem,
)

MOST_READ: Final = 8_000
"""Rows of an index that one page reads at most."""
UNSENT: Final = frozenset({"failed", "suppressed", "expired"})
# By how few rows an index has for one value: a contact belongs to one account, a subscription gets of all.
_SELECTIVE: Final = ("touchpoint_id", "contact", "account_id", "subscription", "channel")
ITEMS = """
SELECT d.id, d.touchpoint_id, d.touchpoint_type, d.account_id, d.channel, d.recipient_kind, d.recipient_id, d.state,
    CASE WHEN d.state = 'pending' THEN q.reason ELSE d.reason END AS reason, d.attempts,
    d.ambiguous OR coalesce(q.ambiguous, false) AS ambiguous, q.next_at,
    coalesce(q.message_id, d.message_id) AS message_id, d.created_at, d.finished_at, d.seq, d.tries, d.tried_at
"""
BY_KEY = f"""
{ITEMS} FROM unnest($1::uuid[], $2::timestamptz[]) AS k(id, caused_at)
JOIN delivery d ON d.id = k.id AND d.caused_at = k.caused_at
LEFT JOIN delivery_queue q ON q.delivery_id = d.id ORDER BY d.seq DESC
"""
BY_ID = f"{ITEMS} FROM delivery d LEFT JOIN delivery_queue q ON q.delivery_id = d.id WHERE d.id = $1"
OF_CONTACT = f"""
{ITEMS} FROM delivery d LEFT JOIN delivery_queue q ON q.delivery_id = d.id
WHERE d.recipient_kind = 'contact' AND d.recipient_id = $1 ORDER BY d.seq DESC
"""
Conditions = list[tuple[str, str]]
"""Column and value, all of which must be equal."""


async def list_deliveries(
    database: Database, wanted: DeliveryFilter, *, before: int, limit: int, kept: timedelta
) -> DeliverySlice:
    """Newest first, those with a sequence below `before`. `kept`: for how long deliveries are kept, in real time."""
    async with database.transaction() as connection:
        # The best index depends on the values: a plan for any value reads whole months.
        await connection.execute("SET LOCAL plan_cache_mode = force_custom_plan")
        keys, next_before = await find_keys(connection, wanted, before, limit)
        rows = await connection.fetch(BY_KEY, [row[0] for row in keys], [row[1] for row in keys])
    return DeliverySlice([_item(row) for row in rows], next_before, real_now() - kept)


async def find_delivery(database: Database, delivery_id: str) -> DeliveryItem | None:
    row = await database.pool.fetchrow(BY_ID, delivery_id)
    return None if row is None else _item(row)


async def list_deliveries_of_contact(connection: Connection, contact_id: str) -> list[DeliveryItem]:
    """All that are stored, newest first; contact budgets bound how many there are."""
    return [_item(row) for row in await connection.fetch(OF_CONTACT, contact_id)]


async def find_keys(
    connection: Connection, wanted: DeliveryFilter, before: int, limit: int
) -> tuple[list[tuple[UUID, datetime]], int | None]:
    """(id, time of the cause) of the rows of a page, and where the next one begins."""
    conditions = _conditions(wanted)
    if wanted.state == "pending":
        rows = await _read(connection, "delivery_queue", "delivery_id", conditions, before, limit)
    elif wanted.state in UNSENT and wanted.touchpoint_id is None:
        of_state = [("state", wanted.state), *conditions]
        rows = await _read(connection, "delivery_unsent", "delivery_id", of_state, before, limit)
    else:
        return await _find_in_record(connection, wanted, before, limit)
    return _cut(rows, limit)


async def _find_in_record(
    connection: Connection, wanted: DeliveryFilter, before: int, limit: int
) -> tuple[list[tuple[UUID, datetime]], int | None]:
    """Along the index of the most selective condition, whose rows the others filter."""
    leading, others = _leading_conditions(wanted)
    if not others:
        return _cut(await _read(connection, "delivery", "id", leading, before, limit), limit)
    where, values = _where(leading, first=4)
    remaining, more = _where(others, first=4 + len(values))
    along = f"SELECT * FROM delivery WHERE seq < $1{where} ORDER BY seq DESC LIMIT $3"
    statement = f"SELECT id, caused_at, seq FROM ({along}) d WHERE true{remaining} LIMIT $2"
    rows = await connection.fetch(statement, before, limit + 1, MOST_READ, *values, *more)
    keys, next_before = _cut(rows, limit)
    if next_before is None:
        where, values = _where(leading, first=3)
        last = f"SELECT seq FROM delivery WHERE seq < $1{where} ORDER BY seq DESC OFFSET $2 LIMIT 1"
        next_before = await connection.fetchval(last, before, MOST_READ - 1, *values)
    return keys, next_before


async def _read(
    connection: Connection, table: str, key: str, conditions: Conditions, before: int, limit: int
) -> list[Any]:
    where, values = _where(conditions, first=3)
    statement = f"SELECT {key}, caused_at, seq FROM {table} WHERE seq < $1{where} ORDER BY seq DESC LIMIT $2"
    return await connection.fetch(statement, before, limit + 1, *values)


def _cut(rows: list[Any], limit: int) -> tuple[list[tuple[UUID, datetime]], int | None]:
    """One row more than shown means that there is a next page."""
    next_before = cast("int", rows[limit - 1][2]) if len(rows) > limit else None
    return [(row[0], row[1]) for row in rows[:limit]], next_before


def _where(conditions: Conditions, *, first: int) -> tuple[str, list[str]]:
    """The text of the conditions, whose parameters are numbered from `first` on, and their values."""
    text = "".join(f" AND {column} = ${first + number}" for number, (column, _) in enumerate(conditions))
    return text, [value for _, value in conditions]


def _conditions(wanted: DeliveryFilter) -> Conditions:
    named = _named_conditions(wanted)
    return [condition for name in _SELECTIVE for condition in named.get(name, [])]


def _leading_conditions(wanted: DeliveryFilter) -> tuple[Conditions, Conditions]:
    """The most selective condition, and the others."""
    conditions = _conditions(wanted)
    others = conditions[1:]
    if wanted.state is not None:
        others = [*others, ("state", wanted.state)]
    # A recipient is known by kind and id: the kind alone excludes hardly any row.
    if [column for column, _ in conditions] == ["recipient_id", "recipient_kind"] and wanted.state is None:
        return conditions, []
    return conditions[:1], others


def _named_conditions(wanted: DeliveryFilter) -> dict[str, Conditions]:
    named: dict[str, Conditions] = {}
    for name in ("touchpoint_id", "account_id", "channel"):
        value = cast("str | None", getattr(wanted, name))
        if value is not None:
            named[name] = [(name, value)]
    if wanted.recipient_id is not None and wanted.recipient_kind is not None:
        recipient = [("recipient_id", wanted.recipient_id), ("recipient_kind", wanted.recipient_kind)]
        named[wanted.recipient_kind] = recipient
    return named


def _item(row: Any) -> DeliveryItem:
    message_id = str(row["message_id"])
    return DeliveryItem(
        id=str(row["id"]),
        touchpoint_id=row["touchpoint_id"],
        touchpoint_type=row["touchpoint_type"],
        account_id=row["account_id"],
        channel=row["channel"],
        recipient=RecipientItem(row["recipient_kind"], row["recipient_id"]),
        state=row["state"],
        reason=row["reason"],
        ambiguous=row["ambiguous"],
        next_at=row["next_at"],
        message_id=message_id,
        webhook_id=message_id if row["channel"] == "webhook" else None,
        created_at=row["created_at"],
        finished_at=row["finished_at"],
        attempts=_attempts(row),
        seq=row["seq"],
    )


def _attempts(row: Any) -> list[AttemptItem]:
    """The attempts that failed, and the one that succeeded."""
    tries = cast("list[dict[str, str]]", orjson.loads(row["tries"]) if row["tries"] else [])
    attempts = [
        AttemptItem(datetime.fromisoformat(each["at"]), each["outcome"], each["detail"]) for each in tries
    ]
    if row["state"] == "sent" and row["attempts"] > len(attempts):
        attempts.append(AttemptItem(row["tried_at"], "delivered", row["reason"] or ""))
    return attempts
