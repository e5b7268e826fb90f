# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
"""The bare door: validate a batch of events and produce it, acknowledged. Run by uvicorn; `BOOTSTRAP` is the broker."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Annotated, Any, Literal

import orjson
from aiokafka import AIOKafkaProducer
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, Field, TypeAdapter

TOPIC = "bench.ingest"


class Health(BaseModel):
    score: float = Field(ge=0, le=100)
    drivers: list[str]


class Usage(BaseModel):
    period_start: datetime
    period_end: datetime
    active_users: int
    seats: int
    seats_used: int
    features: dict[str, int]


class Contact(BaseModel):
    channel: Literal["call", "email", "meeting"]
    contact_id: str
    at: datetime
    notes: str = Field(max_length=2000)


class Event(BaseModel):
    specversion: Literal["1.0"]
    id: str = Field(min_length=1, max_length=255)
    source: str = Field(min_length=1)
    time: datetime
    subject: str = Field(min_length=1, max_length=200)


class HealthScored(Event):
    type: Literal["drumbeat.health.scored.v1"]
    data: Health


class UsageReported(Event):
    type: Literal["drumbeat.usage.reported.v1"]
    data: Usage


class InteractionLogged(Event):
    type: Literal["drumbeat.interaction.logged.v1"]
    data: Contact


BATCH: TypeAdapter[Any] = TypeAdapter(
    list[Annotated[HealthScored | UsageReported | InteractionLogged, Field(discriminator="type")]]
)
producers: list[AIOKafkaProducer] = []


@asynccontextmanager
async def life(app: FastAPI) -> AsyncGenerator[None]:
    bootstrap = os.environ["BOOTSTRAP"]
    producer = AIOKafkaProducer(
        bootstrap_servers=bootstrap,
        enable_idempotence=True,
        acks="all",
        linger_ms=0,
        max_batch_size=256 * 1024,
    )
    await producer.start()
    producers.append(producer)
    yield
    await producer.stop()


app = FastAPI(lifespan=life)


def headers(event: dict[str, Any]) -> list[tuple[str, bytes]]:
    named = [
        (f"ce_{name}", str(event[name]).encode()) for name in ("specversion", "id", "source", "type", "time")
    ]
    return [*named, ("content-type", b"application/json")]


@app.post("/v1/events")
async def take(request: Request) -> Response:
    body = await request.body()
    BATCH.validate_json(body)
    sent = [
        await producers[0].send(
            TOPIC, orjson.dumps(each["data"]), key=each["subject"].encode(), headers=headers(each)
        )
        for each in orjson.loads(body)
    ]
    await asyncio.gather(*sent)
    return Response(b'{"accepted":true}', 202, media_type="application/json")
