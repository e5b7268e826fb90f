# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The ledger: compares the acknowledged events with everything the services stored, published and delivered.

Every check is about the whole history, not about a sample: another Kafka client reads the topics from their
beginning, the tables are read directly, the receiver keeps every request.
"""

import contextlib
import json
import time
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from email import message_from_bytes
from email.message import Message
from typing import Any, cast

import asyncpg
from confluent_kafka import Consumer, KafkaError, KafkaException, Producer, TopicPartition
from icalendar import Calendar

from schemas.topics import broker_configs
from services.chassis.database import database_url
from services.chassis.schema_versions import DATABASES
from services.rules_engine.domain.account import event_identity
from tests.conftest import IS_SOAK, PATIENCE
from tests.stack import Receiver, Stack, until

PASSING = (
    KafkaError.NOT_LEADER_FOR_PARTITION,
    KafkaError.LEADER_NOT_AVAILABLE,
    KafkaError._UNKNOWN_PARTITION,
    KafkaError._TRANSPORT,
    KafkaError._TIMED_OUT,
)
"""What a client hears of a partition while brokers come back and leaders change."""
Headers = list[tuple[str, str | bytes | None]]


def binary(event: Mapping[str, Any]) -> tuple[bytes, Headers]:
    """An event in Kafka's binary content mode."""
    names = ("specversion", "id", "source", "type", "subject", "time")
    headers: Headers = [(f"ce_{name}", str(event[name]).encode()) for name in names]
    return json.dumps(event["data"]).encode(), [*headers, ("content-type", b"application/json")]


def structured(event: Mapping[str, Any]) -> tuple[bytes, Headers]:
    """An event in structured content mode."""
    return json.dumps(event).encode(), [("content-type", b"application/cloudevents+json; charset=UTF-8")]


UNANNOUNCED = "announce_from IS NULL OR announce_from <= $1 OR status <> 'cancelled'"
"""Changes that wait until an account is quiet; a far occurrence that nobody knows waits until it is near."""
_WAITS_FOR_A_STRANGER = """
    channel = 'calendar' AND recipient_kind = 'contact' AND recipient_id IS NULL
    AND NOT EXISTS (SELECT FROM contact c WHERE c.account_id = d.account_id)
"""
"""It waits a minute for somebody whom no story describes: only the long stories of `make faults` wait for it."""
UNFINISHED = f"""
(planned_at IS NULL OR planned_at <= $1)
    AND (channel <> 'calendar' OR next_at < clock_timestamp() + interval '1 day')
    AND NOT ({"false" if IS_SOAK else _WAITS_FOR_A_STRANGER})
"""
"""What has not ended, without what waits for the mail of a later day, and invitations that wait for their time."""


def calendar_changes(mail: Message) -> list[tuple[str, int]]:
    """The id and the sequence of the touchpoint whose entry in a calendar the mail changes; none for other mails."""
    parts = [part for part in mail.walk() if part.get_content_type() == "text/calendar"]
    texts = [cast("bytes", part.get_payload(decode=True)) for part in parts]
    events = cast("list[Any]", [event for text in texts for event in Calendar.from_ical(text).events])
    return [(str(event["UID"]), int(event["SEQUENCE"])) for event in events]


def check_doubled_mails(message_ids: Iterable[str], ambiguous: Collection[str]) -> None:
    """Check that only mails in doubt went twice (issue 11, A13).

    `message_ids`: the Message-ID of each mail that the server took, one entry a mail; `ambiguous`: the ids, as of the
    table of deliveries, of messages of which an attempt may have reached the recipient without its outcome.
    """
    counts = Counter(map(message_of, message_ids))
    doubled = {message: count for message, count in counts.items() if count > 1 and message not in ambiguous}
    assert not doubled, f"mails went more than once although no attempt was in doubt: {doubled}"


def message_of(message_id: str) -> str:
    """The id of a message as the table of deliveries has it, of the Message-ID of its mail."""
    return message_id.strip("<>").partition("@")[0]


@dataclass
class Published:
    """A record of a topic, as another Kafka client reads it."""

    topic: str
    key: str
    source: str
    id: str
    type: str
    data: Any


def watermarks(consumer: Consumer, place: TopicPartition) -> tuple[int, int]:
    """The first and the next offset of a partition; asked for again while brokers come back."""
    deadline = time.monotonic() + 20 * PATIENCE
    while True:
        try:
            return consumer.get_watermark_offsets(place, timeout=20)
        except KafkaException as problem:
            error: KafkaError = problem.args[0]
            if error.code() not in PASSING or time.monotonic() > deadline:
                raise
        with contextlib.suppress(KafkaException):  # the next question tells
            consumer.list_topics(place.topic, timeout=20)


def read_topic(bootstrap: str, topic: str) -> list[Published]:
    """Every record of a topic, from its beginning to its end now."""
    consumer = Consumer(
        {
            "bootstrap.servers": bootstrap,
            "group.id": "ledger",
            "enable.auto.commit": False,
            "auto.offset.reset": "earliest",
        }
    )
    parts = [*consumer.list_topics(topic, timeout=20).topics[topic].partitions]
    ends = {part: watermarks(consumer, TopicPartition(topic, part)) for part in parts}
    waiting = {part for part, (low, high) in ends.items() if high > low}
    consumer.assign([TopicPartition(topic, part, ends[part][0]) for part in waiting])
    records: list[Published] = []
    while waiting:
        record = consumer.poll(20)
        assert record is not None, f"{topic}: nothing more came of {waiting}"
        assert record.error() is None, record.error()
        headers = {
            name: (value or b"").decode(errors="replace")
            for name, value in cast("list[tuple[str, bytes]]", record.headers() or [])
        }
        records.append(_published(topic, record.key(), record.value(), headers))
        if (record.offset() or 0) + 1 >= ends[record.partition()][1]:
            waiting.discard(record.partition())
    consumer.close()
    return records


def _published(topic: str, key: bytes | None, value: bytes | None, headers: Mapping[str, str]) -> Published:
    """A record of either content mode: the structured one has its attributes in the value."""
    data: Any = None if not value or topic == "dead.letters" else json.loads(value)
    attributes = {name: headers.get(f"ce_{name}", "") for name in ("source", "id", "type")}
    if data is not None and headers.get("content-type", "").startswith("application/cloudevents"):
        attributes = {name: str(data[name]) for name in attributes}
        data = data["data"]
    return Published(topic, (key or b"").decode(), **attributes, data=data)


def check_ids(bootstrap: str) -> None:
    """Check that no topic carries two contents under one id of one source (issue 11, A13 b)."""
    for topic, _ in broker_configs():
        if topic == "dead.letters":  # whatever others sent, under their ids
            continue
        contents = defaultdict[tuple[str, str], set[str]](set)
        for record in read_topic(bootstrap, topic):
            contents[record.source, record.id].add(json.dumps([record.key, record.data], sort_keys=True))
        doubled = {identity: found for identity, found in contents.items() if len(found) > 1}
        assert not doubled, f"{topic}: two contents under one id: {doubled}"


@dataclass
class Ledger:
    """The events that a test posted and that were acknowledged, and the checks of their effects."""

    stack: Stack
    receiver: Receiver
    posted: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    """Event id -> (account, touchpoint type that it must lead to, or an empty string)."""

    async def post(self, events: Iterable[Mapping[str, Any]], *, leads_to: str = "") -> None:
        """Post events until they are acknowledged; each account must get the touchpoint `leads_to`."""
        listed = list(events)
        await self.stack.tell(*listed)
        for event in listed:
            self.posted[str(event["id"])] = (str(event["subject"]), leads_to)

    def produce(self, events: Iterable[Mapping[str, Any]], *, leads_to: str = "") -> None:
        """Produce events directly to Kafka, with another client."""
        producer = Producer({"bootstrap.servers": self.stack.kafka.bootstrap})
        for event in events:
            value, headers = binary(event)
            producer.produce("account.signals", value, key=str(event["subject"]), headers=headers)
            self.posted[str(event["id"])] = (str(event["subject"]), leads_to)
        assert producer.flush(30) == 0

    async def rows(self, service: str, statement: str, *values: object) -> list[asyncpg.Record]:
        connection = await asyncpg.connect(database_url(self.stack.postgres.url, DATABASES[service]))
        try:
            return await connection.fetch(statement, *values)
        finally:
            await connection.close()

    async def quiet(self, seconds: float = 150) -> None:
        """Wait until every event is read, every outbox is empty, and nothing due or pending is left.

        Long enough for a webhook that a slow machine fails twice: it is tried again after 5 and 60 seconds.
        """
        unread = list(self.posted)

        async def nothing_left() -> bool:
            nonlocal unread
            unread = [event_id for event_id in unread if not await self._read(event_id)]
            return not unread and not await self.unfinished()

        try:
            await until(nothing_left, seconds, "quiescence")
            # Twice in a row, for a message that was between two services at the first time.
            await until(nothing_left, seconds, "quiescence")
        except AssertionError as late:
            pending = await self.rows(
                "notifier",
                f"SELECT to_jsonb(d) FROM delivery_queue d WHERE {UNFINISHED} LIMIT 3",
                await self.stack.now(),
            )
            raise AssertionError(
                f"{late}; unread: {unread[:5]}; unfinished: {await self.unfinished()}; pending: {pending}"
            ) from late

    async def _read(self, event_id: str) -> bool:
        engine = self.stack.processes["rules_engine"]
        answer = await self.stack.client.get(
            f"{engine.url}/v1/events", params={"source": "/test", "id": event_id}
        )
        return answer.status_code == 200 and answer.json()["status"] == "folded"

    async def unfinished(self) -> dict[str, int]:
        """The number of unfinished things by kind; empty when all work is done.

        What the topics hold unread is asked for last, when deliveries at most are left: it takes a request for each
        partition.
        """
        now = await self.stack.now()
        left: Counter[str] = Counter()
        for service in DATABASES:
            left[f"{service} outbox"] = (await self.rows(service, "SELECT count(*) FROM outbox"))[0][0]
        left["due but planned"] = (
            await self.rows(
                "scheduler", "SELECT count(*) FROM touchpoint WHERE status = 'planned' AND due_at <= $1", now
            )
        )[0][0]
        left["unannounced changes"] = (
            await self.rows("scheduler", f"SELECT count(*) FROM announcement WHERE {UNANNOUNCED}", now)
        )[0][0]
        left["pending deliveries"] = (
            await self.rows("notifier", f"SELECT count(*) FROM delivery_queue d WHERE {UNFINISHED}", now)
        )[0][0]
        if not any(count for what, count in left.items() if what != "pending deliveries"):
            left.update(await self._lag())
        return {what: count for what, count in left.items() if count}

    async def _lag(self) -> dict[str, int]:
        consumer = Consumer({"bootstrap.servers": self.stack.kafka.bootstrap, "group.id": "ledger-lag"})
        lag: dict[str, int] = {}
        try:
            for service in DATABASES:
                for row in await self.rows(service, "SELECT topic, part, next_offset FROM consumer_offset"):
                    _, end = watermarks(consumer, TopicPartition(row[0], row[1]))
                    lag[f"{service} {row[0]}"] = lag.get(f"{service} {row[0]}", 0) + end - row[2]
        finally:
            consumer.close()
        return lag

    async def check(self) -> None:
        """Check every guarantee over the whole history."""
        await self._every_event_folded_once()
        released = await self.emitted()
        await self._every_delivery_ended_once(released)
        await self._every_mail_has_its_delivery()
        check_ids(self.stack.kafka.bootstrap)
        assert not await self.rows("rules_engine", "SELECT * FROM parked")
        assert not await self.rows(
            "rules_engine", "SELECT account_id FROM account WHERE undecided IS NOT NULL"
        )
        for service in DATABASES:
            assert not await self.rows(service, "SELECT reason FROM dead_letter")

    async def _every_event_folded_once(self) -> None:
        twice = await self.rows(
            "rules_engine",
            "SELECT identity, array_agg(state), array_agg(reason) FROM receipt GROUP BY identity HAVING count(*) > 1",
        )
        states = {bytes(row[0]): row[1:] for row in twice}
        named = [
            (record, states[identity])
            for topic in ("account.signals", "touchpoint.outcomes", "touchpoint.events")
            for record in (read_topic(self.stack.kafka.bootstrap, topic) if twice else ())
            if (identity := event_identity(record.source, record.id)) in states
        ]
        assert not twice, f"two contents under one identity: {named or states}"
        expected = defaultdict[str, set[str]](set)
        for account, leads_to in self.posted.values():
            if leads_to:
                expected[account].add(leads_to)
        rows = await self.rows(
            "scheduler",
            "SELECT account_id, type, count(*) AS n FROM touchpoint WHERE origin = 'one_off' GROUP BY 1, 2",
        )
        counts = {(row[0], row[1]): row[2] for row in rows}
        for account, types in expected.items():
            for name in types:
                assert counts.get((account, name)) == 1, (account, name, counts.get((account, name)))

    async def emitted(self) -> set[str]:
        """Check that every released touchpoint was published once and never early; returns their ids."""
        rows = await self.rows(
            "scheduler",
            "SELECT id::text, due_at, released_at, status FROM touchpoint WHERE released_at IS NOT NULL",
        )
        emitted = defaultdict[str, set[str]](set)
        for record in read_topic(self.stack.kafka.bootstrap, "touchpoint.events"):
            if record.type == "drumbeat.touchpoint.due.v1":
                emitted[record.data["touchpoint_id"]].add(record.id)
                due, released = (
                    datetime.fromisoformat(record.data[name]) for name in ("due_at", "released_at")
                )
                assert released >= due, f"{record.id} was early: {released} before {due}"
        assert {row["id"] for row in rows} == set(emitted), (
            "the released and the published touchpoints differ"
        )
        for touchpoint, ids in emitted.items():
            assert len(ids) == 1, f"{touchpoint} was due twice: {ids}"
        for row in rows:
            assert row["released_at"] >= row["due_at"]
        return set(emitted)

    async def _every_delivery_ended_once(self, released: set[str]) -> None:
        deliveries = await self.rows(
            "notifier",
            "SELECT id::text, message_id::text, touchpoint_id, channel, state FROM delivery d"
            " WHERE channel <> 'calendar' AND NOT EXISTS ("
            "SELECT FROM delivery_queue q WHERE q.delivery_id = d.id AND q.planned_at > $1)",
            await self.stack.now(),
        )
        assert all(row["state"] != "pending" for row in deliveries)
        outcomes = defaultdict[str, set[str]](set)
        for record in read_topic(self.stack.kafka.bootstrap, "touchpoint.outcomes"):
            if record.type == "drumbeat.delivery.finished.v1":
                outcomes[record.data["delivery_id"]].add(record.data["state"])
        for row in deliveries:
            assert outcomes.get(row["id"]) == {row["state"]}, (
                row["id"],
                row["state"],
                outcomes.get(row["id"]),
            )
        assert set(outcomes) == {row["id"] for row in deliveries}
        hit = {headers["webhook-id"] for headers, _ in self.receiver.hits}
        sent = {
            row["message_id"] for row in deliveries if row["channel"] == "webhook" and row["state"] == "sent"
        }
        assert hit == sent, (len(hit), len(sent))
        delivered = Counter(body["data"]["touchpoint_id"] for body in self.receiver.of("due"))
        assert set(delivered) == released
        assert set(delivered.values()) <= {1}, "a touchpoint was delivered under two webhook ids"

    async def _unmatched(self, mails: Sequence[Message], message_ids: Collection[str]) -> str:
        """What is known of mails without a sent delivery, and of sent deliveries without a mail."""
        rows = await self.rows(
            "notifier",
            "SELECT to_jsonb(d) FROM delivery d WHERE message_id::text = ANY($1) ORDER BY message_id",
            list(message_ids),
        )
        sent = [
            (str(mail["Message-ID"]), str(mail["To"]), str(mail["Subject"]))
            for mail in mails
            if message_of(str(mail["Message-ID"])) in message_ids
        ]
        return f"mails: {sent[:5]}; deliveries: {[row[0] for row in rows[:5]]}"

    async def _every_mail_has_its_delivery(self) -> None:
        """The mail server got exactly the mails of the sent deliveries; a repetition has the same Message-ID.

        It also has the same calendar: nobody gets two invitations to one change. Only mails in doubt are repeated.
        """
        rows = await self.rows(
            "notifier",
            "SELECT message_id::text, bool_or(ambiguous) AS ambiguous FROM delivery"
            " WHERE channel IN ('email', 'calendar') AND state = 'sent' GROUP BY message_id",
        )
        mails = [message_from_bytes(content) for _, content in self.stack.mail.messages]
        message_ids = [str(mail["Message-ID"]) for mail in mails]
        changes = defaultdict[object, set[str]](set)
        for mail in mails:
            for change in calendar_changes(mail):
                changes[mail["To"], *change].add(str(mail["Message-ID"]))
        assert all(len(ids) == 1 for ids in changes.values()), changes
        mailed = set(map(message_of, message_ids))
        sent = {row["message_id"] for row in rows}
        assert mailed == sent, await self._unmatched(mails, mailed ^ sent)
        check_doubled_mails(message_ids, {row["message_id"] for row in rows if row["ambiguous"]})
