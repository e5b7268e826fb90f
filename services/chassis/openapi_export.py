"""The commands of a service: serve, or build its app without any connection and print its OpenAPI document."""

import sys
from collections.abc import Callable
from typing import Any, cast

import orjson
from fastapi import FastAPI

from services.chassis.database import Database
from services.chassis.keys import KeyRing
from services.chassis.replica import Replica
from services.chassis.service import Build, Identity, Runtime, assemble, serve
from services.chassis.settings import Settings
from services.chassis.topics import Cluster


def unplugged(name: str) -> Runtime:
    """A runtime whose parts are connected to nothing."""
    database = Database(cast("Any", None))
    replica = Replica("", "", "")
    return assemble(name, Settings.model_construct(), replica, database, Cluster("", {}), KeyRing())


async def always_ready() -> str | None:
    return None


def openapi_document(app: FastAPI) -> bytes:
    """The app's OpenAPI document as JSON; equal apps give equal bytes."""
    return orjson.dumps(app.openapi(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n"


def print_openapi(app: FastAPI) -> None:
    """Write the app's OpenAPI document to standard output."""
    sys.stdout.buffer.write(openapi_document(app))


def run_command(identity: Identity, build: Build, unwired: Callable[[], FastAPI]) -> None:
    """Run the command that the first argument names; exit 2 with the usage for another word."""
    match sys.argv[1:]:
        case ["serve", *_]:
            serve(identity, build)
        case ["openapi", *_]:
            print_openapi(unwired())
        case _:
            sys.stderr.write(f"usage: python -m services.{identity.name} serve|openapi\n")
            sys.exit(2)
