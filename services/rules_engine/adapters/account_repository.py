"""One transaction on the engine's database, offered as the `Work` port. Arrays in, arrays out: this is the hot path."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from uuid import UUID

import asyncpg
import orjson

from services.chassis.database import Connection
from services.chassis.dead_letters import Record, headers_to_bytes
from services.chassis.ids import digest
from services.chassis.outbox import Outbox, Outgoing
from services.rules_engine.adapters.messages import account_record, cause_json, change_json, plan_adjusted
from services.rules_engine.domain.account import Account, NewPlan, Parked, Receipt, ReceiptState

MOST_KNOWN = 1_000_000
COMMANDS = "touchpoint.commands"
DIRECTORY = "directory.accounts"
PLAN_ADJUSTED = "drumbeat.plan.adjusted.v1"
ACCOUNT_DIRECTORY = "drumbeat.account.directory.v1"

LOAD = """
SELECT account_id, state, plan_key, published_key, directory_key, plan_version, directory_version,
       decided_under, decided_at, next_evaluation_at, undecided, name, segment, stage, color, csm_id, arr
FROM account WHERE account_id = ANY($1::text[]) ORDER BY account_id FOR UPDATE
"""
MAKE = "INSERT INTO account (account_id) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING"
REMEMBER = """
UPDATE account AS a SET state = n.state FROM unnest($1::text[], $2::bytea[]) AS n (account_id, state)
WHERE a.account_id = n.account_id
"""
SAVE = """
UPDATE account AS a SET
    state = n.state, plan_key = n.plan_key, published_key = n.published_key, directory_key = n.directory_key,
    plan_version = n.plan_version, directory_version = n.directory_version, decided_under = n.decided_under,
    decided_at = n.decided_at, next_evaluation_at = n.next_evaluation_at, undecided = n.undecided,
    name = n.name, segment = n.segment, stage = n.stage, color = n.color, csm_id = n.csm_id,
    arr = n.arr
FROM unnest(
    $1::text[], $2::bytea[], $3::bytea[], $4::bytea[], $5::bytea[], $6::bigint[], $7::bigint[], $8::bigint[],
    $9::timestamptz[], $10::timestamptz[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[],
    $16::text[], $17::float8[]
) AS n (account_id, state, plan_key, published_key, directory_key, plan_version, directory_version, decided_under,
        decided_at, next_evaluation_at, undecided, name, segment, stage, color, csm_id, arr)
WHERE a.account_id = n.account_id
"""
PLANS = "SELECT account_id, plan FROM decision WHERE id = ANY($1::uuid[])"
RECORD = """
INSERT INTO decision (id, account_id, version, decided_at, policy, events, changes, suppressed, plan, state, fired)
SELECT id, account_id, version, decided_at, policy, events::jsonb, changes::jsonb, suppressed::jsonb, plan, state, fired
FROM unnest(
    $1::uuid[], $2::text[], $3::bigint[], $4::timestamptz[], $5::text[], $6::text[], $7::text[], $8::text[],
    $9::bytea[], $10::bytea[], $11::text[]
) AS n (id, account_id, version, decided_at, policy, events, changes, suppressed, plan, state, fired)
"""
# Identities and contents come as one value, 24 bytes a receipt: the driver looks at every element of an array, and here
# is one for every event. What is not simply folded without a new plan is rare and comes beside it.
RECEIPTS = """
SELECT substr($1::bytea, 24 * n + 1, 16) AS identity, substr($1::bytea, 24 * n + 17, 8) AS content,
       coalesce(d.state, 1) AS state, d.decision, d.reason
FROM generate_series(0, length($1::bytea) / 24 - 1) AS n
LEFT JOIN unnest($2::int[], $3::smallint[], $4::uuid[], $5::text[]) AS d (place, state, decision, reason)
  ON d.place = n
ORDER BY n
"""
ACKNOWLEDGE = f"""
INSERT INTO receipt (identity, content, state, decision, reason) {RECEIPTS} ON CONFLICT DO NOTHING
"""
UNPARK = f"""
UPDATE receipt AS r SET state = n.state, decision = n.decision, reason = n.reason FROM ({RECEIPTS}) AS n
WHERE r.identity = n.identity AND r.content = n.content AND r.state <> 1 AND n.state = 1
"""
PARK = """
INSERT INTO parked (account_id, type, source, event_id, topic, headers, value, reason, identity, content)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (identity, content) DO UPDATE SET reason = excluded.reason, replayed_at = NULL
"""


def decision_id(account_id: str, version: int) -> UUID:
    return UUID(bytes=digest("decision", account_id, str(version)))


class SqlWork:
    """The `Work` port on a connection whose transaction the chassis holds."""

    def __init__(self, connection: Connection, outbox: Outbox, known: set[str]) -> None:
        self._connection = connection
        self._outbox = outbox
        self._known = known

    async def accounts(self, account_ids: Sequence[str]) -> dict[str, Account]:
        """New ones are made first, in order, and locks are taken in order: so no two batches can deadlock.

        `known` only saves the attempt to make what is there; after a rollback it may know too much.
        """
        wanted = sorted(set(account_ids))
        new = [each for each in wanted if each not in self._known]
        if new:
            await self._connection.execute(MAKE, new)
        rows = await self._connection.fetch(LOAD, wanted)
        if len(rows) < len(wanted):
            await self._connection.execute(MAKE, wanted)
            rows = await self._connection.fetch(LOAD, wanted)
        if len(self._known) > MOST_KNOWN:
            self._known.clear()
        self._known.update(new)
        return {row[0]: _account(row) for row in rows}

    async def save(self, accounts: Sequence[Account]) -> None:
        memories: list[tuple[object, ...]] = []
        whole: list[tuple[object, ...]] = []
        for account in accounts:
            standing = _standing(account)
            if standing == account.loaded:
                memories.append((account.account_id, account.memory))
            else:
                whole.append((account.account_id, account.memory, *standing))
        if memories:
            await self._connection.execute(REMEMBER, *_columns(memories))
        if whole:
            await self._connection.execute(SAVE, *_columns(whole))

    async def plans(self, versions: Mapping[str, int]) -> dict[str, bytes]:
        if not versions:
            return {}
        ids = [decision_id(account_id, version) for account_id, version in versions.items()]
        return {row[0]: row[1] for row in await self._connection.fetch(PLANS, ids)}

    async def record(self, new_plans: Sequence[NewPlan], *, publish: bool) -> None:
        if not new_plans:
            return
        rows = [_decision(each) for each in new_plans]
        await self._connection.execute(RECORD, *_columns(rows))
        if publish:
            await self._outbox.append(
                self._connection,
                [
                    Outgoing(
                        topic=COMMANDS,
                        key=each.account.account_id,
                        id=f"{each.account.account_id}:{each.account.version}",
                        type=PLAN_ADJUSTED,
                        time=each.decided_at,
                        data=plan_adjusted(each),
                    )
                    for each in new_plans
                ],
            )

    async def introduce(self, accounts: Sequence[Account], real: datetime) -> None:
        """Publish the directory record of each account whose record is not the published one."""
        news: list[Outgoing] = []
        for account in accounts:
            if account.decided_at is None or account.told is None:
                continue
            body = account_record(account, account.told)
            key = digest(body.decode())
            if key == account.directory_key:
                continue
            account.directory_key = key
            account.directory_version = max(account.directory_version + 1, int(real.timestamp() * 1000))
            news.append(
                Outgoing(
                    topic=DIRECTORY,
                    key=account.account_id,
                    id=f"{account.account_id}:{key.hex()}",
                    type=ACCOUNT_DIRECTORY,
                    time=account.decided_at,
                    data=body[:-1] + b',"version":%d}' % account.directory_version,
                )
            )
        await self._outbox.append(self._connection, news)

    async def acknowledge(self, receipts: Sequence[Receipt]) -> int:
        if not receipts:
            return 0
        # One row a content, in the order of the index, so that no two batches wait for each other in a circle.
        known = {each.identity + each.content: each for each in receipts}
        keys = sorted(known)
        told = _columns([row for place, key in enumerate(keys) if (row := _told(place, known[key]))], 4)
        inserted = int((await self._connection.execute(ACKNOWLEDGE, b"".join(keys), *told)).split()[-1])
        if inserted < len(keys):
            await self._connection.execute(UNPARK, b"".join(keys), *told)
        return inserted

    async def park(self, parked: Sequence[Parked]) -> None:
        for each in parked:
            event, record = each.incoming.event, each.incoming.record
            if not isinstance(record, Record):
                raise TypeError(type(record).__name__)
            await self._connection.execute(
                PARK,
                event.account_id,
                event.type,
                event.provenance.source,
                event.provenance.id,
                record.topic,
                headers_to_bytes(record.headers),
                record.value,
                each.reason,
                each.incoming.identity,
                each.incoming.content,
            )
        await self.acknowledge(
            [
                Receipt(
                    each.incoming.identity,
                    each.incoming.content,
                    ReceiptState.PARKED,
                    each.incoming.event.account_id,
                    reason=each.reason,
                )
                for each in parked
            ]
        )


def _columns(rows: Sequence[tuple[object, ...]], count: int = 0) -> list[list[object]]:
    """`count`: how many there are when there is no row to tell."""
    return [list(column) for column in zip(*rows, strict=True)] if rows else [[] for _ in range(count)]


def _account(row: asyncpg.Record) -> Account:
    return Account(*row, loaded=row[2:])


_standing: Callable[[Account], tuple[object, ...]] = attrgetter(
    "plan_key", "published_key", "directory_key", "version", "directory_version", "decided_under", "decided_at",
    "next_evaluation_at", "undecided", "name", "segment", "stage", "color", "csm_id", "arr",
)  # fmt: skip
"""Everything but the memory, in the order of the columns."""


def _decision(each: NewPlan) -> tuple[object, ...]:
    account, decision = each.account, each.decision
    return (
        decision_id(account.account_id, account.version),
        account.account_id,
        account.version,
        each.decided_at,
        each.policy,
        orjson.dumps([cause_json(event) for event in each.causes[:50]]).decode(),
        orjson.dumps([change_json(change) for change in each.changes]).decode(),
        orjson.dumps(decision.suppressed, option=orjson.OPT_UTC_Z).decode(),
        each.plan,
        account.memory,
        f"{decision.fired:x}",
    )


def _told(place: int, each: Receipt) -> tuple[object, ...] | None:
    """What there is to tell of the receipt at a place beyond that it was folded; None: nothing."""
    if each.state is ReceiptState.FOLDED and each.version is None and each.reason is None:
        return None
    decision = decision_id(each.account_id, each.version) if each.version is not None else None
    return place, int(each.state), decision, each.reason
