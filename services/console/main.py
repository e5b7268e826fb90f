"""The console as a process of its own: a port, an app, and an end within seconds. It has no database."""

import asyncio
import os
import signal
import sys
from typing import Final, NoReturn

import structlog
import uvicorn
import uvloop

from services.chassis.clock import service_clock
from services.chassis.http_server import CannotListen, Server, listening
from services.chassis.openapi_export import print_openapi
from services.chassis.settings import Clock, Settings, SettingsRejected, load_settings
from services.chassis.telemetry import configure_logs
from services.console import settings as console_settings
from services.console.web import make

log = structlog.get_logger(__name__)

GRACE: Final = 4.0  # real seconds in which the server must have stopped


def main() -> NoReturn:
    """Serve until told to stop; exit 1 with one readable sentence when it cannot start."""
    if sys.argv[1:] == ["openapi"]:
        print_openapi(make(Settings.model_construct(), service_clock(Clock())))
        sys.exit(0)
    if sys.argv[1:] != ["serve"]:
        sys.stderr.write("usage: python -m services.console serve|openapi\n")
        sys.exit(2)
    try:
        settings = load_settings()
        configure_logs(settings.log_level, service="console")
        code = uvloop.run(_serve(settings))
    except (SettingsRejected, CannotListen) as refused:
        sys.stderr.write(f"console cannot start: {refused}\n")
        code = 1
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # an open page's socket must not hold the process


async def _serve(settings: Settings) -> int:
    http = console_settings.http(settings)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    with listening(http, "DRUMBEAT_CONSOLE__PORT") as listener:
        server = Server(
            uvicorn.Config(
                make(settings, service_clock(settings.clock)),
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=2,
                timeout_keep_alive=30,
                server_header=False,
                lifespan="on",
            )
        )
        web = asyncio.create_task(server.serve([listener]))
        stop = asyncio.create_task(stopping.wait())
        log.info("service.started", port=http.port)
        await asyncio.wait([web, stop], return_when=asyncio.FIRST_COMPLETED)
        broken = web.done()
        if broken:
            log.error("service.part_ended", exc_info=web.exception())
        server.should_exit = True
        await asyncio.wait([web], timeout=GRACE)
        log.info("service.stopped", clean=not broken)
        return 1 if broken else 0
