"""A run of Drumbeat: start everything, post the sample, stay until Ctrl-C or SIGTERM, stop everything."""

import asyncio
import os
import signal
import sys
from collections.abc import Awaitable, Callable

from services.chassis.clock import monotonic, real_now, service_clock
from services.chassis.settings import run_or_explain
from services.devstack.embedded import processes
from services.devstack.embedded.processes import print_line
from services.devstack.supervisor.banner import ready_text
from services.devstack.supervisor.in_force import policy_line, read_in_force
from services.devstack.supervisor.options import RunOptions, prepare_run
from services.devstack.supervisor.stack import Stack
from services.devstack.supervisor.start_report import (
    problems_of_positions,
    problems_of_servers,
    problems_of_services,
    problems_of_settings,
)

_SAMPLE_SECONDS = 60.0
_CATCH_UP_SECONDS = 65.0

AfterStart = Callable[[Stack], Awaitable[None]]


def supervise(after_start: AfterStart | None = None) -> int:
    """Run until stopped. Exit code 0 after an orderly stop, 1 when it could not run, 2 for invalid settings."""
    os.umask(0o077)  # logs, mail and data are private
    return run_or_explain(lambda: asyncio.run(_run(prepare_run(), after_start)))


async def _run(options: RunOptions, after_start: AfterStart | None) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, stopping.set)
    stack = Stack(options)
    running = asyncio.create_task(_start(stack, after_start))
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([running, stop], return_when=asyncio.FIRST_COMPLETED)
        if not stop.done():
            running.result()
    finally:
        print_line("Stopping")
        running.cancel()
        stop.cancel()
        await asyncio.gather(running, stop, return_exceptions=True)
        await stack.stop()
        print_line("Stopped")


async def _start(stack: Stack, after_start: AfterStart | None) -> None:
    """Start everything, then wait until cancelled."""
    began = monotonic()
    options = stack.options
    for problem in problems_of_settings(options.settings):
        print_line(problem)
    print_line(f"Starting Drumbeat on {options.folder.path}")
    await stack.start()
    now, seconds = service_clock(stack.clock).at(real_now()), monotonic() - began
    in_force = await read_in_force(stack.database_url)
    addresses = {
        "bootstrap": stack.bootstrap,
        "database_url": stack.database_url,
        "mode": in_force.mode,
        "policy": policy_line(in_force, options.settings, seconds),
    }
    print_line(ready_text(options, **addresses, now=now, seconds=seconds))
    for problem in await problems_of_servers(options.settings):
        print_line(problem)
    for problem in await asyncio.to_thread(problems_of_services, options.settings):
        print_line(problem)
    await _post_sample(stack)
    if after_start is not None:
        await after_start(stack)
    await _report_stuck_partitions(stack)
    await asyncio.Event().wait()


async def _report_stuck_partitions(stack: Stack) -> None:
    """A minute of real time after the start: what was left unread by the run before has been read by then."""
    await asyncio.sleep(_CATCH_UP_SECONDS)
    kafka = stack.options.settings.kafka.model_copy(update={"bootstrap_servers": stack.bootstrap})
    for problem in await problems_of_positions(stack.database_url, kafka):
        print_line(problem)


async def _post_sample(stack: Stack) -> None:
    """Post the sample once per data directory and only to an empty store; a failure never stops the run."""
    folder = stack.options.folder
    log = folder.log_folder / "sample.log"
    if not stack.options.settings.sample or folder.sample_marker.exists():
        return
    log.unlink(missing_ok=True)
    command = [sys.executable, "-m", "services.console.sample"]
    child = processes.spawn(command, log=log, env=stack.environment())
    if not await processes.until_exit(child, _SAMPLE_SECONDS):
        processes.kill(child)
    for line in (await asyncio.to_thread(log.read_text)).splitlines():
        print_line(line)
    if child.returncode == 0:
        folder.sample_marker.touch()
    else:
        print_line("The sample could not be posted; the next start tries again.")
