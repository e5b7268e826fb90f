# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnusedFunction=false
"""The peer: FastStream with SQLAlchemy's ORM and rules by hand, at least once, message at a time or by batches.

As its documents show it: a pydantic model, headers and the session as dependencies, one transaction a message (or
batch), an inbox against repeated records, and the changed plan published after the commit. It never marks outbox rows
as sent, which we do.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Iterable
from datetime import datetime
from typing import Annotated, Any

import asyncpg
import orjson
import sqlalchemy as sa
from faststream import AckPolicy, Depends, Header
from faststream.kafka import KafkaBroker, KafkaMessage
from pydantic import BaseModel
from sqlalchemy.dialects.postgresql import JSONB, insert
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from services.chassis.kafka import Message
from tests.benchmarks.peer_rules import apply_fact, evaluate_account

OUT = "peer.plans"
WORKERS = 12
"""One a partition: message at a time is quickest so."""


class Base(DeclarativeBase):
    pass


class Inbox(Base):
    __tablename__ = "peer_inbox"
    source: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[str] = mapped_column(primary_key=True)


class Account(Base):
    __tablename__ = "peer_account"
    id: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[dict[str, Any]] = mapped_column(JSONB)
    plan: Mapped[dict[str, Any]] = mapped_column(JSONB)
    version: Mapped[int] = mapped_column(sa.BigInteger)


class Outbox(Base):
    __tablename__ = "peer_outbox"
    id: Mapped[int] = mapped_column(sa.BigInteger, sa.Identity(always=True), primary_key=True)
    key: Mapped[str]
    payload: Mapped[bytes]


class HealthScored(BaseModel):
    score: float
    drivers: list[str]


class Progress:
    """How many were handled since the first, and when it was enough."""

    def __init__(self, count: int) -> None:
        self.count = count
        self.seen = 0
        self.began = 0.0
        self.ended = 0.0
        self.cpu = 0.0
        self.done = asyncio.Event()

    def begin(self) -> None:
        if not self.began:
            self.began, self.cpu = time.perf_counter(), time.process_time()

    def add(self, count: int) -> None:
        self.seen += count
        if self.seen >= self.count and not self.done.is_set():
            self.ended, self.cpu = time.perf_counter(), time.process_time() - self.cpu
            self.done.set()

    @property
    def rate(self) -> float:
        return self.seen / (self.ended - self.began)


class Peer:
    """The consumer with its database; `now` is the moment everything is decided at, as in our run."""

    def __init__(self, url: str, bootstrap: str, now: datetime) -> None:
        self.engine: AsyncEngine = create_async_engine(
            "postgresql+asyncpg://", async_creator=lambda: asyncpg.connect(url), pool_size=WORKERS + 2
        )
        self.sessions = async_sessionmaker(self.engine, expire_on_commit=False)
        self.bootstrap = bootstrap
        self.now = now

    async def open(self, told: Iterable[Message]) -> None:
        """Its tables, and the book of accounts as it would stand after these events."""
        states: dict[str, dict[str, Any]] = {}
        for message in told:
            headers = dict(message.headers)
            kind = headers["ce_type"].decode().removeprefix("drumbeat.").removesuffix(".v1")
            moment = datetime.fromisoformat(headers["ce_time"].decode())
            apply_fact(
                states.setdefault(message.key.decode(), {}),
                kind,
                orjson.loads(message.value or b"{}"),
                moment,
            )
        rows = [
            {"id": key, "state": state, "plan": evaluate_account(key, state, self.now), "version": 1}
            for key, state in states.items()
        ]
        async with self.engine.begin() as connection:
            await connection.run_sync(Base.metadata.create_all)
            await connection.execute(insert(Account), rows)

    async def close(self) -> None:
        await self.engine.dispose()

    async def session(self) -> AsyncGenerator[AsyncSession]:
        async with self.sessions() as session:
            yield session

    def heard(self, account: Account, data: dict[str, Any], moment: datetime) -> Outbox | None:
        """Fold and decide; the outbox row of a plan that changed."""
        state = {**account.state, "heard": dict(account.state.get("heard", {}))}
        apply_fact(state, "health.scored", data, moment)
        account.state = state
        plan = evaluate_account(account.id, state, self.now)
        if plan == account.plan:
            return None
        account.plan = plan
        account.version += 1
        return Outbox(key=account.id, payload=orjson.dumps({**plan, "version": account.version}))

    async def by_message(self, topic: str, count: int) -> Progress:
        broker = KafkaBroker(self.bootstrap, enable_idempotence=True, acks="all", logger=None)
        progress = Progress(count)

        @broker.subscriber(
            topic,
            group_id=f"peer-{topic}",
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.ACK,
            max_workers=WORKERS,
        )
        async def handle(
            scored: HealthScored,
            ce_id: Annotated[str, Header("ce_id")],
            ce_source: Annotated[str, Header("ce_source")],
            ce_subject: Annotated[str, Header("ce_subject")],
            ce_time: Annotated[datetime, Header("ce_time")],
            session: Annotated[AsyncSession, Depends(self.session)],
        ) -> None:
            progress.begin()
            row = (
                insert(Inbox).values(source=ce_source, id=ce_id).on_conflict_do_nothing().returning(Inbox.id)
            )
            if (await session.execute(row)).first() is None:
                return
            account = await session.get(Account, ce_subject, with_for_update=True)
            assert account is not None
            changed = self.heard(account, scored.model_dump(), ce_time)
            if changed is not None:
                session.add(changed)
            await session.commit()
            if changed is not None:
                await broker.publish(changed.payload, OUT, key=changed.key.encode())
            progress.add(1)

        return await _finish(broker, progress)

    async def by_batch(self, topic: str, count: int) -> Progress:
        broker = KafkaBroker(self.bootstrap, enable_idempotence=True, acks="all", logger=None)
        progress = Progress(count)

        @broker.subscriber(
            topic,
            group_id=f"peer-{topic}",
            auto_offset_reset="earliest",
            ack_policy=AckPolicy.ACK,
            batch=True,
            max_records=2_000,
        )
        async def handle(
            scored: list[HealthScored],
            message: KafkaMessage,
            session: Annotated[AsyncSession, Depends(self.session)],
        ) -> None:
            progress.begin()
            changed = await self._batch(session, scored, [dict(each) for each in message.batch_headers])
            await session.commit()
            sent = [
                await broker.publish(row.payload, OUT, key=row.key.encode(), no_confirm=True)
                for row in changed
            ]
            await asyncio.gather(*sent)
            progress.add(len(scored))

        return await _finish(broker, progress)

    async def _batch(
        self, session: AsyncSession, scored: list[HealthScored], headers: list[dict[str, str]]
    ) -> list[Outbox]:
        rows = [{"source": each["ce_source"], "id": each["ce_id"]} for each in headers]
        inbox = insert(Inbox).on_conflict_do_nothing().returning(Inbox.source, Inbox.id)
        fresh = {tuple(row) for row in (await session.execute(inbox, rows)).all()}
        keys = sorted({each["ce_subject"] for each in headers})
        locked = sa.select(Account).where(Account.id.in_(keys)).order_by(Account.id).with_for_update()
        accounts = {each.id: each for each in (await session.scalars(locked)).all()}
        changed: dict[str, Outbox] = {}
        for event, each in zip(scored, headers, strict=True):
            if (each["ce_source"], each["ce_id"]) in fresh:
                moment = datetime.fromisoformat(each["ce_time"])
                row = self.heard(accounts[each["ce_subject"]], event.model_dump(), moment)
                if row is not None:
                    changed[row.key] = row
        session.add_all(changed.values())
        return list(changed.values())


async def _finish(broker: KafkaBroker, progress: Progress) -> Progress:
    await broker.start()
    try:
        await progress.done.wait()
    finally:
        await broker.stop()
    return progress
