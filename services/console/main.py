"""The console process: it binds its port, serves the app and stops within seconds. It has no database."""

import asyncio
import os
import signal
import sys
from typing import Final, NoReturn

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI

from services.chassis.clock import service_clock
from services.chassis.http_server import CannotListen, Server, listening
from services.chassis.openapi_export import print_openapi
from services.chassis.request_context import RequestContext
from services.chassis.settings import Clock, Settings, SettingsRejected, load_settings
from services.chassis.start_tracing import start_tracing
from services.chassis.telemetry import configure_logs
from services.chassis.tracing import traces
from services.console.web import make_console

log = structlog.get_logger(__name__)

STOP_SECONDS: Final = 4.0  # real seconds within which the server must stop


def openapi_app() -> FastAPI:
    """The app for its OpenAPI document."""
    return make_console(Settings.model_construct(), service_clock(Clock()))


def main() -> NoReturn:
    """Serve until a signal; exit code 1 with one sentence when it cannot start."""
    if sys.argv[1:] == ["openapi"]:
        print_openapi(openapi_app())
        sys.exit(0)
    if sys.argv[1:] != ["serve"]:
        sys.stderr.write("usage: python -m services.console serve|openapi\n")
        sys.exit(2)
    try:
        settings = load_settings()
        configure_logs(settings.log_level, service="console")
        start_tracing(settings.tracing, "console")
        code = uvloop.run(_serve(settings))
    except (SettingsRejected, CannotListen) as error:
        sys.stderr.write(f"console cannot start: {error}\n")
        code = 1
    traces().close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # the socket of an open page must not keep the process alive


async def _serve(settings: Settings) -> int:
    stopping = asyncio.Event()
    for signal_number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(signal_number, stopping.set)
    with listening(settings.console, "DRUMBEAT_CONSOLE__PORT") as listener:
        server = Server(
            uvicorn.Config(
                RequestContext(make_console(settings, service_clock(settings.clock))),
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=2,
                timeout_keep_alive=30,
                server_header=False,
                forwarded_allow_ips=settings.trusted_proxies,
                lifespan="on",
            )
        )
        web = asyncio.create_task(server.serve([listener]))
        stop = asyncio.create_task(stopping.wait())
        log.info("service.started", port=settings.console.port)
        await asyncio.wait([web, stop], return_when=asyncio.FIRST_COMPLETED)
        failed = web.done()
        if failed:
            log.error("service.part_ended", exc_info=web.exception())
        server.stop()
        await asyncio.wait([web], timeout=STOP_SECONDS)
        log.info("service.stopped", clean=not failed)
        return 1 if failed else 0
