"""Build a service's app without any connection, to print its OpenAPI document."""

import sys
from collections.abc import Callable, Mapping
from typing import Any, cast

import orjson
from fastapi import FastAPI

from services.chassis.clock import service_clock
from services.chassis.database import Database
from services.chassis.kafka import Producer
from services.chassis.keys import KeyRing
from services.chassis.outbox import Outbox
from services.chassis.relay import Relay
from services.chassis.service import Runtime
from services.chassis.settings import Clock, Kafka, Settings
from services.chassis.topics import Cluster

Command = Callable[[list[str]], None]


def unplugged(name: str) -> Runtime:
    """A runtime whose parts are connected to nothing."""
    database = Database(cast("Any", None))
    producer = Producer(Kafka(), client_id=name)
    outbox = Outbox(f"/drumbeat/{name}")
    return Runtime(
        owner="",
        settings=Settings.model_construct(),
        clock=service_clock(Clock()),
        database=database,
        producer=producer,
        outbox=outbox,
        relay=Relay(database, producer, outbox),
        cluster=Cluster("", {}),
        keys=KeyRing(),
    )


async def always_ready() -> str | None:
    return None


def print_openapi(app: FastAPI) -> None:
    """Write the app's OpenAPI document to standard output; equal apps give equal bytes."""
    document = orjson.dumps(app.openapi(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
    sys.stdout.buffer.write(document + b"\n")


def run_command(name: str, commands: Mapping[str, Command]) -> None:
    """Run the command that the first argument names, with the others; exit 2 with the usage for another word."""
    command = commands.get(sys.argv[1]) if len(sys.argv) > 1 else None
    if command is None:
        sys.stderr.write(f"usage: python -m services.{name} {'|'.join(commands)}\n")
        sys.exit(2)
    command(sys.argv[2:])
