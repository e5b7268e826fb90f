"""`python -m services.devstack.supervisor`: run Drumbeat until Ctrl-C or SIGTERM."""

import asyncio
import contextlib
import os
import signal
import sys

from services.chassis.clock import monotonic, real_now, service_clock
from services.chassis.settings import Clock, SettingsRejected
from services.devstack.embedded.failures import CannotRun
from services.devstack.supervisor.banner import greeting
from services.devstack.supervisor.child import tell
from services.devstack.supervisor.plan import Plan, settle
from services.devstack.supervisor.sample import feed_sample
from services.devstack.supervisor.stack import House


async def run(plan: Plan) -> None:
    """Start the house, stay until asked to stop, stop it; `CannotRun` when it did not come up."""
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(each, stopping.set)
    house = House(plan)
    living = asyncio.create_task(_live(house, plan))
    stop = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([living, stop], return_when=asyncio.FIRST_COMPLETED)
        if not stop.done():
            living.result()
    finally:
        tell("Stopping")
        for task in (living, stop):
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError, CannotRun):
                await task
        await house.stop()
        tell("Stopped")


async def _live(house: House, plan: Plan) -> None:
    began = monotonic()
    tell(f"Starting Drumbeat on {plan.folder.path}")
    await house.start()
    now = service_clock(Clock.model_validate(plan.clock)).at(real_now())
    tell(
        greeting(
            plan,
            bootstrap=house.bootstrap,
            database_url=house.database_url,
            now=f"{now:%Y-%m-%dT%H:%M:%SZ}",
            seconds=monotonic() - began,
        )
    )
    await feed_sample(plan, house.environment())
    await asyncio.Event().wait()


def main() -> int:
    """Exit code 0 after an orderly stop, 1 with one sentence when it could not run, 2 on wrong settings."""
    os.umask(0o077)  # logs, mail and data are nobody else's business
    try:
        plan = settle()
        asyncio.run(run(plan))
    except SettingsRejected as wrong:
        sys.stderr.write(f"drumbeat: {wrong}\n")
        return 2
    except CannotRun as reason:
        sys.stderr.write(f"drumbeat: {reason}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
