"""A service without its wires: enough to build its app and read the OpenAPI document off it, nothing runs."""

import sys
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any, cast

import orjson
from fastapi import FastAPI

from services.chassis.clock import ServiceClock
from services.chassis.database import Database
from services.chassis.kafka import Producer
from services.chassis.keys import KeyRing
from services.chassis.outbox import Outbox, Relay
from services.chassis.service import Runtime
from services.chassis.settings import Kafka, Settings
from services.chassis.topics import Cluster

Command = Callable[[list[str]], None]


def unplugged(name: str) -> Runtime:
    """A runtime whose parts are there and connected to nothing."""
    database = Database(cast("Any", None))
    producer = Producer(Kafka(), client_id=name)
    beginning = datetime(1970, 1, 1, tzinfo=UTC)
    return Runtime(
        owner="",
        settings=Settings.model_construct(),
        clock=ServiceClock(beginning, beginning, 1.0),
        database=database,
        producer=producer,
        outbox=Outbox(f"/drumbeat/{name}"),
        relay=Relay(database, producer),
        cluster=Cluster("", {}),
        keys=KeyRing(),
    )


async def always_ready() -> str | None:
    return None


def print_openapi(app: FastAPI) -> None:
    """The app's OpenAPI document on standard output, the same bytes each time."""
    document = orjson.dumps(app.openapi(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    sys.stdout.buffer.write(document + b"\n")


def run_command(name: str, commands: Mapping[str, Command]) -> None:
    """Run the first argument's command with the rest; exit 2 with the usage when there is no such command."""
    word, rest = (sys.argv[1], sys.argv[2:]) if len(sys.argv) > 1 else ("", [])
    chosen = commands.get(word)
    if chosen is None:
        sys.stderr.write(f"usage: python -m services.{name} {'|'.join(commands)}\n")
        sys.exit(2)
    chosen(rest)
