"""Handles the records of one partition in one transaction.

A record that cannot be read becomes a dead letter with its reason; the others are handled.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from schemas import outcomes
from schemas.base import SchemaModel
from schemas.directory import (
    ACCOUNT_DIRECTORY,
    CLOCK_DIRECTORY,
    CSM_DIRECTORY,
    KEY_DIRECTORY,
    POLICY_DIRECTORY,
    AccountRecord,
    ClockRecord,
    CsmRecord,
    KeyRecord,
    PolicyRecord,
)
from schemas.envelope import from_kafka
from schemas.ids import digest
from schemas.plans import PLAN_ADJUSTED
from schemas.problems import Malformed
from services.calendar.plan import PlanCommand, read_plan
from services.chassis import inbox
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection
from services.chassis.dead_letters import Record, dead_letter_record
from services.chassis.key_directory import keep_keys, signed_records
from services.chassis.keys import ApiKey
from services.chassis.outbox import Outbox
from services.chassis.standing_clock import keep_standing_time
from services.chassis.time_slices import in_slices
from services.scheduler.application.directory_ports import DirectoryRepository
from services.scheduler.application.ports import CalendarRepository, Count
from services.scheduler.application.reconcile_calendar import accept_plans
from services.scheduler.application.settle_touchpoint import (
    Settlement,
    read_delivery,
    read_settlement,
    settle_touchpoints,
)

TOPICS = (
    "touchpoint.commands",
    "directory.accounts",
    "directory.csms",
    "touchpoint.outcomes",
    "directory.keys",
    "directory.clock",
    "directory.policy",
)
T = TypeVar("T")
M = TypeVar("M", bound=SchemaModel)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A record without a value: what has this key is to be forgotten."""

    key: str


@dataclass(frozen=True, slots=True)
class RecordHandler:
    """The handler of the scheduler's subscription."""

    clock: ServiceClock
    outbox: Outbox
    calendars: Callable[[Connection], CalendarRepository]
    directories: Callable[[Connection], DirectoryRepository]
    count: Count
    secrets: Sequence[bytes]

    async def __call__(self, connection: Connection, records: Sequence[Record], real_now: datetime) -> None:
        match records[0].topic:
            case "touchpoint.commands":
                await self._handle_commands(connection, records, self.clock.at(real_now))
            case "touchpoint.outcomes":
                await self._handle_outcomes(connection, records, self.clock.at(real_now))
            case "directory.accounts":
                await self._handle_accounts(connection, records)
            case "directory.csms":
                await self._handle_csms(connection, records)
            case "directory.keys":
                await self._handle_keys(connection, records)
            case "directory.clock":
                await self._handle_clock(connection, records)
            case "directory.policy":
                await self._handle_policies(connection, records)
            case topic:
                raise ValueError(f"the scheduler does not read the topic {topic}")

    async def _read(
        self, connection: Connection, records: Sequence[Record], read: Callable[[Record], T]
    ) -> list[T]:
        """What the readable records hold; the others become dead letters."""
        messages: list[T] = []
        async for record in in_slices(records):
            try:
                messages.append(read(record))
            except Malformed as problem:
                self.count("unreadable", 1)
                await dead_letter_record(connection, self.outbox, record, reason=str(problem))
        return messages

    async def _handle_commands(
        self, connection: Connection, records: Sequence[Record], now: datetime
    ) -> None:
        messages = await self._read(
            connection, records, lambda record: read(record, PLAN_ADJUSTED, read_plan)
        )
        commands = [
            PlanCommand(message.key) if isinstance(message, Tombstone) else message for message in messages
        ]
        now = find_time(commands, now, self.clock)
        calendars = self.calendars(connection)
        if any(command.plan is None for command in commands):
            await calendars.lock({command.account_id for command in commands})
        # What follows a tombstone is the plan of an account that came back.
        for part in _split_after_tombstones(commands):
            result = await accept_plans(part, calendars, now)
            for kind, number in result.counts("converged").items():
                self.count(kind, number)

    async def _handle_outcomes(
        self, connection: Connection, records: Sequence[Record], now: datetime
    ) -> None:
        messages = await self._read(connection, records, read_outcome)
        settlements = [settlement for settlement in messages if settlement is not None]
        calendars = self.calendars(connection)
        ended = await calendars.find_ended({each.account_id for each in settlements})
        settlements = [
            replace(each, account_id=ended.get(each.account_id, each.account_id)) for each in settlements
        ]
        erased = await calendars.find_erased({each.account_id for each in settlements})
        settlements = [settlement for settlement in settlements if settlement.account_id not in erased]
        settlements = await _without_repetitions(connection, settlements)
        if settlements:
            unmatched = await settle_touchpoints(settlements, calendars, now)
            self.count("unmatched", unmatched)

    async def _handle_accounts(self, connection: Connection, records: Sequence[Record]) -> None:
        accounts, gone = await self._read_directory(connection, records, ACCOUNT_DIRECTORY, AccountRecord)
        ended = await self.calendars(connection).find_ended({record.account_id for record in accounts})
        accounts = [
            record for record in accounts if record.merged_into is None and record.account_id not in ended
        ]
        if accounts or gone:
            await self.calendars(connection).lock([*(account.account_id for account in accounts), *gone])
            await self.directories(connection).forget_accounts(gone)
            await self.directories(connection).save_accounts(accounts)

    async def _handle_csms(self, connection: Connection, records: Sequence[Record]) -> None:
        csms, gone = await self._read_directory(connection, records, CSM_DIRECTORY, CsmRecord)
        await self.directories(connection).forget_csms(gone)
        await self.directories(connection).save_csms(csms)

    async def _handle_keys(self, connection: Connection, records: Sequence[Record]) -> None:
        signed = signed_records(self.secrets, records)
        keys, _ = await self._read_directory(connection, signed, KEY_DIRECTORY, KeyRecord)
        await keep_keys(connection, [_api_key(key) for key in keys])

    async def _handle_clock(self, connection: Connection, records: Sequence[Record]) -> None:
        moments, _ = await self._read_directory(connection, records, CLOCK_DIRECTORY, ClockRecord)
        for record in moments:
            await keep_standing_time(connection, record.now)

    async def _handle_policies(self, connection: Connection, records: Sequence[Record]) -> None:
        policies, _ = await self._read_directory(connection, records, POLICY_DIRECTORY, PolicyRecord)
        await self.directories(connection).save_policies(policies)

    async def _read_directory(
        self, connection: Connection, records: Sequence[Record], event_type: str, model: type[M]
    ) -> tuple[list[M], list[str]]:
        """The records of a directory that no tombstone follows, and the keys of what is to be forgotten before."""
        messages = await self._read(
            connection, records, lambda record: (record.key, read(record, event_type, model.read))
        )
        kept: list[tuple[bytes | None, M]] = []
        gone: list[str] = []
        for key, message in messages:
            if isinstance(message, Tombstone):
                gone.append(message.key)
                kept = [(other, record) for other, record in kept if other != key]
            else:
                kept.append((key, message))
        return [record for _, record in kept], gone


def find_time(commands: Iterable[PlanCommand], now: datetime, clock: ServiceClock) -> datetime:
    """The time of plans for a clock that stands: theirs, where word of the new time comes after them."""
    if not clock.stands:
        return now
    return max([now, *(command.plan.decided_at for command in commands if command.plan is not None)])


def _split_after_tombstones(commands: Sequence[PlanCommand]) -> Iterator[Sequence[PlanCommand]]:
    start = 0
    for index, command in enumerate(commands, start=1):
        if command.plan is None or index == len(commands):
            yield commands[start:index]
            start = index


def read(record: Record, event_type: str, parse: Callable[[bytes], T]) -> T | Tombstone:
    """The data of an event of that type, or a tombstone. Raises Malformed."""
    if record.value is None:
        return read_tombstone(record)
    envelope = from_kafka(record.headers, record.value)
    if envelope.type != event_type:
        raise Malformed(f"type: {envelope.type!r} does not belong on this topic; send {event_type}")
    return parse(envelope.data)


def read_tombstone(record: Record) -> Tombstone:
    """Raises Malformed for a key that is no text."""
    try:
        key = (record.key or b"").decode()
    except UnicodeDecodeError:
        raise Malformed("key: the key of a tombstone is not UTF-8") from None
    if not key or "\x00" in key:
        raise Malformed("key: a tombstone needs the key of what is to be forgotten")
    return Tombstone(key)


def read_outcome(record: Record) -> Settlement | None:
    """What an event on `touchpoint.outcomes` settles, if anything. Raises Malformed."""
    if record.value is None:
        read_tombstone(record)
        return None
    envelope = from_kafka(record.headers, record.value)
    match envelope.type:
        case outcomes.TOUCHPOINT_SETTLED:
            return read_settlement(envelope)
        case outcomes.DELIVERY_FINISHED:
            return read_delivery(envelope)
        case outcomes.MESSAGE_ENGAGED:
            return None
        case other:
            raise Malformed(f"type: {other!r} is not an outcome")


def _api_key(record: KeyRecord) -> ApiKey:
    scopes = frozenset(record.scopes)
    return ApiKey(record.key_id, record.sha256, scopes, record.expires_at, record.revoked, record.version)


async def _without_repetitions(connection: Connection, settlements: Sequence[Settlement]) -> list[Settlement]:
    """A repeated settlement that names no touchpoint would settle another one: it is dropped."""
    unnamed = {
        digest("settled", settlement.outcome.source, settlement.outcome.id): settlement
        for settlement in settlements
        if settlement.touchpoint_id is None
    }
    fresh = await inbox.fresh(connection, list(unnamed))
    applied = {id(settlement) for key, settlement in unnamed.items() if key in fresh}
    return [
        settlement
        for settlement in settlements
        if settlement.touchpoint_id is not None or id(settlement) in applied
    ]
