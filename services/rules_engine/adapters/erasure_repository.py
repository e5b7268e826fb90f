"""Erasure in the engine's database: rows disappear, tombstones follow on the compacted topics."""

from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

import orjson

from schemas.directory import ACCOUNT_DIRECTORY
from schemas.envelope import from_kafka
from schemas.plans import PLAN_ADJUSTED
from schemas.problems import Malformed
from schemas.topics import PERSONAL, THIRTY_DAYS_MS, TOPICS, ages_out_ms
from services.cadence.account.codec import decode, encode
from services.cadence.account.erasure import erase_contact
from services.cadence.account.packing import unpacked
from services.cadence.account.verdicts import erase_addresses
from services.chassis.audit import AuditLog, Change
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.dead_letters import Record, erase_dead_letters, headers_from_bytes, is_about
from services.chassis.outbox import Outbox, Outgoing
from services.chassis.relay import Relay
from services.rules_engine.adapters.account_identities import DIRECTORY, contact_key
from services.rules_engine.adapters.account_repository import (
    COMMANDS,
    FOLLOW_SWEEP,
    AccountUnitOfWork,
    erasure_key,
)
from services.rules_engine.adapters.decision_rows import decision_id
from services.rules_engine.application.erase_account import forget_contact
from services.rules_engine.application.queries import NotFound
from services.rules_engine.application.read_audit import person_object
from services.rules_engine.domain.account import Clocks, EvaluationContext, ReceiptState, event_identity

MERGED_INTO = "SELECT merged_into FROM account WHERE account_id = $1"
ENDED = "SELECT account_id FROM account WHERE merged_into = $1"
FORGET_HOMES = f"""
WITH gone AS (SELECT array_agg(id) AS ids FROM (SELECT $1::text UNION ALL {ENDED}) AS g (id))
UPDATE contact_home SET places = places - gone.ids FROM gone WHERE places ?| gone.ids
"""
PLACES = "SELECT places::text FROM contact_home WHERE contact = $1 FOR UPDATE"
FORGET_HOME = "DELETE FROM contact_home WHERE contact = $1"
# The row's lock keeps consumers and the sweep away until the account is gone.
LOCK = "SELECT plan_version FROM account WHERE account_id = $1 FOR UPDATE"
DELETE_ROWS = (
    "DELETE FROM decision WHERE account_id = $1",
    "DELETE FROM account_plan WHERE account_id = $1",
    "DELETE FROM cadence_notice WHERE account_id = $1",
    "DELETE FROM account WHERE account_id = $1",
    "DELETE FROM outbox WHERE key = $1",
)
PARKED = """
SELECT id, topic, headers, value, identity FROM parked WHERE account_id = $1
"""
DELETE_PARKED = "DELETE FROM parked WHERE id = ANY($1::bigint[])"
# Receipts are digests; the reason of one may quote the event.
CLEAR_REASONS = (
    "UPDATE receipt SET reason = NULL WHERE identity = ANY($1::bytea[]) AND state = ANY($2::smallint[])"
)
REMEMBER = """
INSERT INTO erasure (key, erased_at) VALUES ($1, $2) ON CONFLICT (key) DO UPDATE SET erased_at = excluded.erased_at
"""
ERASED_AT = "SELECT erased_at FROM erasure WHERE key = $1"
# States and plans are packed, so that only the engine itself finds a name in them.
HISTORY = """
SELECT id, state, plan, strpos(changes::text, $2) > 0 OR strpos(suppressed::text, $2) > 0 OR strpos(events::text, $2) > 0
FROM decision WHERE account_id = $1 AND id > $3 ORDER BY id LIMIT 200
"""
SAVE_STATE = "UPDATE decision SET state = $3 WHERE account_id = $1 AND id = $2"
# No decision but the one in force may name the contact beside the state.
DELETE_DECISIONS = "DELETE FROM decision WHERE account_id = $1 AND id = ANY($2::uuid[])"


AUDIT = AuditLog("rules_engine")


class ErasureRepository:
    """The `Erasures` port; each call is one transaction."""

    def __init__(
        self,
        database: Database,
        outbox: Outbox,
        relay: Relay,
        clock: ServiceClock,
        context: Callable[[], EvaluationContext],
    ) -> None:
        self._database = database
        self._outbox = outbox
        self._relay = relay
        self._clock = clock
        self._context = context

    async def erase_account(self, account_id: str) -> dict[str, object]:
        async with self._database.transaction() as connection:
            real = await real_now(connection)
            # Contacts are locked before accounts, as where events are applied.
            await connection.execute(FORGET_HOMES, account_id)
            ended = [row[0] for row in await connection.fetch(ENDED, account_id)]
            await _refuse_ended(connection, account_id)
            known = await connection.fetchval(LOCK, account_id) is not None
            known |= await _erase_records(connection, account_id, {account_id, *ended}, everything=True)
            if known:
                for each in (*ended, account_id):
                    for statement in DELETE_ROWS:
                        await connection.execute(statement, each)
                    await self._outbox.append(connection, self._tombstones(each, real))
                await _audit(connection, "account", account_id)
            erased_at = await remember(connection, erasure_key(account_id), real, known=known)
        if erased_at is None:
            raise NotFound(f"There is no account {account_id!r}.")
        self._relay.wake()
        return _erasure(account_id, None, erased_at)

    async def erase_contact(self, account_id: str, contact_id: str) -> dict[str, object]:
        async with self._database.transaction() as connection:
            real = await real_now(connection)
            clocks = Clocks(service=self._clock.at(real), real=real)
            await connection.execute(FOLLOW_SWEEP)
            places = await connection.fetchval(PLACES, contact_key(contact_id))
            await _refuse_ended(connection, account_id)
            if await connection.fetchval(LOCK, account_id) is None:
                raise NotFound(f"There is no account {account_id!r}.")
            work = AccountUnitOfWork(connection, self._outbox, {account_id})
            elsewhere = {} if places is None else cast("dict[str, str]", orjson.loads(places))
            merged = await work.find_merged(elsewhere)
            accounts = {account_id, *(merged.get(each, each) for each in elsewhere)}
            names, forgotten = {contact_id}, False
            for each in sorted(accounts):
                email = await self._forget_contact(connection, work, each, contact_id, clocks)
                forgotten |= email is not None
                names |= {email} if email else set()
            await connection.execute(FORGET_HOME, contact_key(contact_id))
            known = await _erase_records(connection, account_id, names) or forgotten
            if known:
                await _audit(connection, "contact", contact_id)
            erased_at = await remember(connection, erasure_key(account_id, contact_id), real, known=known)
        if erased_at is None:
            raise NotFound(f"The account {account_id!r} has no contact {contact_id!r}.")
        self._relay.wake()
        return _erasure(account_id, contact_id, erased_at)

    async def _forget_contact(
        self,
        connection: Connection,
        work: AccountUnitOfWork,
        account_id: str,
        contact_id: str,
        clocks: Clocks,
    ) -> str | None:
        """Erase the contact from one of the accounts that described it; its address, "" without one, or None."""
        forgotten = await forget_contact(work, account_id, contact_id, self._context(), clocks)
        if forgotten is None:
            return None
        at, email = forgotten
        await _erase_from_decisions(connection, account_id, contact_id, at)
        return email or ""

    def _tombstones(self, account_id: str, real: datetime) -> list[Outgoing]:
        now = self._clock.at(real)
        return [
            Outgoing(
                topic, account_id, f"{account_id}:erased:{int(real.timestamp() * 1000)}", kind, now, None
            )
            for topic, kind in ((COMMANDS, PLAN_ADJUSTED), (DIRECTORY, ACCOUNT_DIRECTORY))
        ]


async def _audit(connection: Connection, kind: str, name: str) -> None:
    """The entry of the audit log, which outlives what is erased: it has the derived id alone."""
    await AUDIT.record(connection, [Change(f"{kind}.erased", person_object(kind, name))])


async def _refuse_ended(connection: Connection, account_id: str) -> None:
    """Raise NotFound for an account that was merged into another one, which is to be erased instead."""
    stays = await connection.fetchval(MERGED_INTO, account_id)
    if stays is not None:
        raise NotFound(f"The account {account_id!r} was merged into {stays!r}: erase that one.", stays)


def _erasure(account_id: str, contact_id: str | None, erased_at: datetime) -> dict[str, object]:
    return {"account_id": account_id, "contact_id": contact_id, **receipt(erased_at, PERSONAL)}


def receipt(erased_at: datetime, topics: Collection[str]) -> dict[str, object]:
    """When it was erased, and until when these topics may still have records about it."""
    return {
        "erased_at": erased_at,
        "topics_clear_by": erased_at + timedelta(milliseconds=THIRTY_DAYS_MS),
        "ages_out": [
            {"topic": topic.name, "by": erased_at + timedelta(milliseconds=ages_out_ms(topic))}
            for topic in TOPICS
            if topic.name in topics
        ],
    }


async def remember(connection: Connection, key: bytes, real: datetime, *, known: bool) -> datetime | None:
    """When it was erased: now, or before; None when it never was."""
    if not known:
        return await connection.fetchval(ERASED_AT, key)
    await connection.execute(REMEMBER, key, real)
    return real


async def _erase_records(
    connection: Connection, account_id: str, names: Collection[str], *, everything: bool = False
) -> bool:
    """Delete parked events of the account and dead letters about these names; whether there were any.

    `everything`: all parked events of the account, not only those about the names.
    """
    rows = await connection.fetch(PARKED, account_id)
    parked = [row for row in rows if everything or is_about(_record(row), names)]
    await connection.execute(DELETE_PARKED, [row["id"] for row in parked])
    await connection.execute(CLEAR_REASONS, [row["identity"] for row in parked], [ReceiptState.PARKED])
    has_letters = await erase_letters(connection, names)
    return bool(parked) or has_letters


async def erase_letters(connection: Connection, names: Collection[str]) -> bool:
    """Delete the dead letters about these names, and what receipts quote of them; whether there were any."""
    letters = await erase_dead_letters(connection, names)
    identities = [identity for letter in letters if (identity := _identity(letter)) is not None]
    await connection.execute(CLEAR_REASONS, identities, [ReceiptState.DEAD])
    return bool(letters)


def _record(row: Any) -> Record:
    return Record(row["topic"], 0, 0, None, row["value"], tuple(headers_from_bytes(row["headers"])), 0)


def _identity(record: Record) -> bytes | None:
    """The receipt's key of a record, if it says what event it is."""
    try:
        envelope = from_kafka(record.headers, record.value)
    except Malformed:
        return None
    return event_identity(envelope.source, envelope.id)


async def _erase_from_decisions(connection: Connection, account_id: str, contact_id: str, at: int) -> None:
    """Erase the contact from the states that older decisions were made from, and those that name it beside the state."""
    text = orjson.dumps(contact_id)[1:-1]
    in_force = decision_id(account_id, await connection.fetchval(LOCK, account_id))
    last: object = UUID(int=0)
    while rows := await connection.fetch(HISTORY, account_id, text.decode(), last):
        last = rows[-1][0]
        naming: list[UUID] = []
        for each, state, plan, is_named in rows:
            if each != in_force and (is_named or text in unpacked(plan)):
                naming.append(each)
            elif text in unpacked(state):
                facts, issued = decode(account_id, state)
                erase_contact(facts, contact_id, at)
                erase_addresses(issued.verdicts)
                await connection.execute(SAVE_STATE, account_id, each, encode(facts, issued))
        await connection.execute(DELETE_DECISIONS, account_id, naming)
