"""Accounts and decisions in the engine's database. Arrays in, arrays out: this is the hot path."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

import asyncpg

from schemas.directory import ACCOUNT_DIRECTORY
from schemas.ids import digest
from schemas.plans import PLAN_ADJUSTED
from services.cadence.evaluation import StoredPlan
from services.chassis.database import Connection
from services.chassis.dead_letters import Record, headers_to_bytes
from services.chassis.outbox import Outbox, Outgoing
from services.chassis.time_slices import in_slices, pause_if_long
from services.rules_engine.adapters.account_identities import DIRECTORY, AccountIdentities
from services.rules_engine.adapters.cadence_marks import mark_new_plans
from services.rules_engine.adapters.columns import columns_of
from services.rules_engine.adapters.decision_rows import decision_id, read_plans, record_decisions
from services.rules_engine.adapters.description_audit import audit_descriptions
from services.rules_engine.adapters.messages import account_record, plan_adjusted
from services.rules_engine.domain.account import (
    Account,
    ChangedDescription,
    NewPlan,
    Parked,
    Receipt,
    ReceiptState,
)

MOST_CACHED = 1_000_000
COMMANDS = "touchpoint.commands"

# The sweep of a new generation begins when no transaction has this lock that read the row of the sweep before.
FOLLOW_SWEEP = "LOCK TABLE sweep IN ROW SHARE MODE"
# An account that a completed sweep left as it was names an older generation.
STORED = """
SELECT account_id, state, plan_key, published_key, directory_key, plan_version, directory_version,
       CASE WHEN decided_under < 0 THEN decided_under ELSE greatest(decided_under, completed) END,
       decided_at, next_evaluation_at, undecided, name, segment, stage, color, csm_id, arr, merged_into, generation
FROM account CROSS JOIN sweep
"""
LOAD = f"{STORED} WHERE account_id = ANY($1::text[]) ORDER BY account_id FOR UPDATE OF account"
ERASED = "SELECT key FROM erasure WHERE key = ANY($1::bytea[])"
CREATE = "INSERT INTO account (account_id) SELECT * FROM unnest($1::text[]) ON CONFLICT DO NOTHING"
SAVE_STATE = """
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
# Identities and contents come as one value, 24 bytes a receipt: the driver inspects every element of an array, and there
# is one for every event. Receipts of events after which the account was evaluated are rare and come beside it.
RECEIPTS = """
SELECT substr($1::bytea, 24 * n + 1, 16) AS identity, substr($1::bytea, 24 * n + 17, 8) AS content,
       coalesce(d.state, 4) AS state, d.decision, d.reason
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
WHERE r.identity = n.identity AND r.content = n.content AND r.state NOT IN (1, 4) AND n.state IN (1, 4)
"""
PARK = """
INSERT INTO parked (account_id, type, source, event_id, topic, headers, value, reason, identity, content)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)
ON CONFLICT (identity, content) DO UPDATE SET reason = excluded.reason, replayed_at = NULL
"""


def erasure_key(account_id: str, contact_id: str | None = None) -> bytes:
    """What stands for an erased account or contact, whose id is not kept."""
    return digest("erased", account_id, *([] if contact_id is None else [contact_id]))


class AccountUnitOfWork(AccountIdentities):
    """The `UnitOfWork` port on a connection whose transaction the chassis holds."""

    def __init__(self, connection: Connection, outbox: Outbox, created: set[str]) -> None:
        super().__init__(connection, outbox)
        self._created = created

    async def pause_if_long(self) -> None:
        await pause_if_long()

    async def accounts(
        self, account_ids: Sequence[str], announced: Collection[str] = ()
    ) -> dict[str, Account]:
        """New rows are created first, in order, and locks are taken in order: so no two batches can deadlock.

        `created` only saves the attempt to create what is there; after a rollback it may contain too much.
        """
        wanted = sorted(set(account_ids))
        await self._connection.execute(FOLLOW_SWEEP)
        new = [each for each in wanted if each not in self._created and each not in announced]
        if new:
            await self._connection.execute(CREATE, new)
        rows = await self._connection.fetch(LOAD, wanted)
        if len(rows) < len(wanted):
            erased = await self._find_erased(announced)
            await self._connection.execute(CREATE, [each for each in wanted if each not in erased])
            rows = await self._connection.fetch(LOAD, wanted)
        if len(self._created) > MOST_CACHED:
            self._created.clear()
        self._created.update(new)
        return {row[0]: stored_account(row) for row in rows}

    async def _find_erased(self, account_ids: Collection[str]) -> set[str]:
        by_key = {erasure_key(account_id): account_id for account_id in account_ids}
        return {by_key[row[0]] for row in await self._connection.fetch(ERASED, list(by_key))}

    async def save(self, accounts: Sequence[Account]) -> None:
        states: list[tuple[object, ...]] = []
        whole: list[tuple[object, ...]] = []
        for account in accounts:
            columns = account.columns
            if columns == account.loaded:
                states.append((account.account_id, account.state))
            else:
                whole.append((account.account_id, account.state, *columns))
        if states:
            await self._connection.execute(SAVE_STATE, *columns_of(states))
        if whole:
            await self._connection.execute(SAVE, *columns_of(whole))
        await self.save_links(accounts)

    async def plans(self, versions: Mapping[str, int]) -> dict[str, StoredPlan]:
        return await read_plans(self._connection, versions) if versions else {}

    async def record(self, new_plans: Sequence[NewPlan], *, publish: bool) -> None:
        if not new_plans:
            return
        await record_decisions(self._connection, new_plans)
        if publish:
            await mark_new_plans(self._connection, new_plans)
            commands = [_command(new) async for new in in_slices(new_plans)]
            await self._outbox.append(self._connection, commands)

    async def publish_directory(
        self, accounts: Sequence[Account], real: datetime
    ) -> Sequence[tuple[Account, Exception]]:
        records: list[Outgoing] = []
        failed: list[tuple[Account, Exception]] = []
        async for account in in_slices(accounts):
            try:
                record = _directory_record(account, real)
            except Exception as problem:  # noqa: BLE001 - one record that cannot be made must not stop the others
                failed.append((account, problem))
                continue
            if record is not None:
                records.append(record)
        await self._outbox.append(self._connection, records)
        return failed

    async def acknowledge(self, receipts: Sequence[Receipt]) -> int:
        if not receipts:
            return 0
        # One row a content, in the order of the index, so that no two batches wait for each other in a circle.
        by_key = {receipt.identity + receipt.content: receipt for receipt in receipts}
        keys = sorted(by_key)
        details = [row for place, key in enumerate(keys) if (row := _receipt_details(place, by_key[key]))]
        columns = columns_of(details, 4)
        inserted = int((await self._connection.execute(ACKNOWLEDGE, b"".join(keys), *columns)).split()[-1])
        if inserted < len(keys):
            await self._connection.execute(UNPARK, b"".join(keys), *columns)
        return inserted

    async def audit_descriptions(self, changes: Sequence[ChangedDescription]) -> None:
        await audit_descriptions(self._connection, changes)

    async def park(self, parked: Sequence[Parked]) -> None:
        receipts: list[Receipt] = []
        for item in parked:
            incoming, record = item.incoming, item.incoming.record
            event = incoming.event
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
                item.reason,
                incoming.identity,
                incoming.content,
            )
            receipts.append(
                Receipt(
                    incoming.identity,
                    incoming.content,
                    ReceiptState.PARKED,
                    event.account_id,
                    reason=item.reason,
                )
            )
        await self.acknowledge(receipts)


def stored_account(row: asyncpg.Record) -> Account:
    """An account from a row of `STORED`."""
    return Account(*row, loaded=row[2:-2])


def _directory_record(account: Account, real: datetime) -> Outgoing | None:
    """The record, which the account then names as published; None when it is published already."""
    if account.decided_at is None or account.directory_facts is None:
        return None
    unversioned = account_record(account, account.directory_facts, 0)
    key = digest(unversioned.write().decode())
    if key == account.directory_key:
        return None
    version = max(account.directory_version + 1, int(real.timestamp() * 1000))
    data = unversioned.model_copy(update={"version": version}).write()
    account.directory_key, account.directory_version = key, version
    record_id = f"{account.account_id}:{version}"
    return Outgoing(DIRECTORY, account.account_id, record_id, ACCOUNT_DIRECTORY, account.decided_at, data)


def _command(new: NewPlan) -> Outgoing:
    account = new.account
    return Outgoing(
        topic=COMMANDS,
        key=account.account_id,
        id=f"{account.account_id}:{account.version}",
        type=PLAN_ADJUSTED,
        time=new.decided_at,
        data=plan_adjusted(new).write(),
    )


def _receipt_details(place: int, receipt: Receipt) -> tuple[object, ...] | None:
    """What there is to store of a receipt beyond that its event changed nothing of a plan; None: nothing."""
    if receipt.state is ReceiptState.UNCHANGED and receipt.reason is None:
        return None
    decision = decision_id(receipt.account_id, receipt.version) if receipt.version is not None else None
    return place, int(receipt.state), decision, receipt.reason
