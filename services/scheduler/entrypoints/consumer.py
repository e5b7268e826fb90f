"""The consumer's door: one partition's records, in one transaction, to what they mean for the calendar.

A record that cannot be read is buried with its reason and the partition goes on.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from schemas.directory import ACCOUNT_DIRECTORY, CSM_DIRECTORY, KEY_DIRECTORY
from schemas.envelope import Envelope, from_kafka
from schemas.ids import digest
from schemas.outcomes import DELIVERY_FINISHED, MESSAGE_ENGAGED, TOUCHPOINT_SETTLED
from schemas.plans import PLAN_ADJUSTED
from schemas.problems import Malformed
from services.chassis import inbox
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection
from services.chassis.dead_letters import Record, dead_letter_record
from services.chassis.key_directory import keep_keys
from services.chassis.outbox import Outbox
from services.scheduler.application.accept import accept, erasure
from services.scheduler.application.people import AccountEntry, Directory, PersonEntry
from services.scheduler.application.ports import Calendar, Ledger, Wish
from services.scheduler.application.settle import Settlement, settle
from services.scheduler.entrypoints import letters
from services.scheduler.entrypoints.counting import Counted, count_all

COMMANDS, ACCOUNTS, CSMS = "touchpoint.commands", "directory.accounts", "directory.csms"
OUTCOMES, KEYS = "touchpoint.outcomes", "directory.keys"
TOPICS = (COMMANDS, ACCOUNTS, CSMS, OUTCOMES, KEYS)


class Desk(Calendar, Ledger, Protocol):
    """Everything the doors need of the calendar, in one transaction."""


@dataclass(frozen=True, slots=True)
class Read:
    """A record that could be read: its event, or a tombstone with the key it stands under."""

    record: Record
    key: str
    envelope: Envelope | None


@dataclass(frozen=True, slots=True)
class Intake:
    """The handler of the scheduler's subscription."""

    clock: ServiceClock
    outbox: Outbox
    desk: Callable[[Connection], Desk]
    directory: Callable[[Connection], Directory]
    counted: Counted

    async def __call__(self, connection: Connection, records: Sequence[Record], real_now: datetime) -> None:
        handlers: Mapping[str, Callable[[Connection, Sequence[Read], datetime], Awaitable[None]]] = {
            COMMANDS: self._commands,
            ACCOUNTS: self._accounts,
            CSMS: self._csms,
            OUTCOMES: self._outcomes,
            KEYS: self._keys,
        }
        read: list[Read] = []
        for record in records:
            try:
                read.append(opened(record))
            except Malformed as problem:
                await self._bury(connection, record, problem)
        if read:
            await handlers[records[0].topic](connection, read, self.clock.at(real_now))

    async def _bury(self, connection: Connection, record: Record, problem: Malformed) -> None:
        self.counted("unreadable", 1)
        await dead_letter_record(connection, self.outbox, record, reason=str(problem))

    async def _commands(self, connection: Connection, read: Sequence[Read], now: datetime) -> None:
        wishes: list[Wish] = []
        for each in read:
            if each.envelope is None:
                wishes.append(erasure(each.key, now))
                continue
            try:
                expect(each.envelope, PLAN_ADJUSTED)
                wishes.append(Wish(letters.plan_of(each.envelope.data), each.envelope.data))
            except Malformed as problem:
                await self._bury(connection, each.record, problem)
        if wishes:
            count_all(await accept(wishes, self.desk(connection), now), "converged", self.counted)

    async def _accounts(self, connection: Connection, read: Sequence[Read], now: datetime) -> None:  # noqa: ARG002
        entries: list[AccountEntry] = []
        for each in read:
            try:
                if each.envelope is not None:
                    expect(each.envelope, ACCOUNT_DIRECTORY)
                    entries.append(letters.account_of(each.envelope.data))
            except Malformed as problem:
                await self._bury(connection, each.record, problem)
        directory = self.directory(connection)
        gone = [each.key for each in read if each.envelope is None]
        if entries or gone:
            await self.desk(connection).lock([*(each.account_id for each in entries), *gone])
            await directory.keep_accounts(entries)
            await directory.forget_accounts(gone)

    async def _csms(self, connection: Connection, read: Sequence[Read], now: datetime) -> None:  # noqa: ARG002
        entries: list[PersonEntry] = []
        for each in read:
            try:
                if each.envelope is not None:
                    expect(each.envelope, CSM_DIRECTORY)
                    entries.append(letters.csm_of(each.envelope.data))
            except Malformed as problem:
                await self._bury(connection, each.record, problem)
        directory = self.directory(connection)
        await directory.keep_people(entries)
        await directory.forget_people([each.key for each in read if each.envelope is None])

    async def _outcomes(self, connection: Connection, read: Sequence[Read], now: datetime) -> None:
        settlements: list[Settlement] = []
        for each in read:
            try:
                found = None if each.envelope is None else news_of(each.envelope)
            except Malformed as problem:
                await self._bury(connection, each.record, problem)
                continue
            if found is not None:
                settlements.append(found)
        settlements = await _once(connection, settlements)
        if settlements:
            self.counted("unmatched", await settle(settlements, self.desk(connection), now))

    async def _keys(self, connection: Connection, read: Sequence[Read], now: datetime) -> None:  # noqa: ARG002
        for each in read:
            try:
                if each.envelope is not None:
                    expect(each.envelope, KEY_DIRECTORY)
                    await keep_keys(connection, [letters.key_of(each.envelope.data)])
            except Malformed as problem:
                await self._bury(connection, each.record, problem)


def opened(record: Record) -> Read:
    """Raises Malformed for what is neither an event nor a tombstone with a key."""
    if record.value is not None:
        return Read(record, "", from_kafka(record.headers, record.value))
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        raise Malformed("key: the key of a tombstone is not UTF-8") from None
    if not key or "\x00" in key:
        raise Malformed("key: a tombstone needs the key of what is to be forgotten")
    return Read(record, key, None)


def expect(envelope: Envelope, kind: str) -> None:
    if envelope.type != kind:
        raise Malformed(f"type: {envelope.type!r} does not belong on this topic, only {kind}")


def news_of(envelope: Envelope) -> Settlement | None:
    """What an event on `touchpoint.outcomes` settles, if anything. Raises Malformed."""
    match envelope.type:
        case kind if kind == TOUCHPOINT_SETTLED:
            return letters.settlement_of(envelope)
        case kind if kind == DELIVERY_FINISHED:
            return letters.delivery_of(envelope)
        case kind if kind == MESSAGE_ENGAGED:
            return None
        case kind:
            raise Malformed(f"type: {kind!r} is not an outcome")


async def _once(connection: Connection, settlements: Sequence[Settlement]) -> list[Settlement]:
    """Without repetitions of those that name no touchpoint: hearing one twice must not settle two."""
    keys = {
        digest("settled", each.outcome.source, each.outcome.id): each
        for each in settlements
        if each.touchpoint_id is None
    }
    fresh = await inbox.fresh(connection, list(keys))
    unnamed = {id(each) for key, each in keys.items() if key in fresh}
    return [each for each in settlements if each.touchpoint_id is not None or id(each) in unnamed]
