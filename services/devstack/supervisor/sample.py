"""Feeds the sample book, once per data directory and only into an empty store, through the public door."""

import asyncio
import sys

from services.devstack.embedded import processes
from services.devstack.supervisor.child import tell
from services.devstack.supervisor.plan import Plan

_SECONDS = 60.0


async def feed_sample(plan: Plan, env: dict[str, str]) -> None:
    """Run the console's sample book; what it says is shown. A failure is told and never stops the run."""
    marker, log = plan.folder.sample_marker, plan.folder.log_folder / "sample.log"
    if not plan.settings.sample or marker.exists():
        return
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("")
    child = processes.spawn([sys.executable, "-m", "services.devstack.sample"], log=log, env=env)
    if not await processes.until_exit(child, _SECONDS):
        processes.kill(child)
    for line in (await asyncio.to_thread(log.read_text)).splitlines():
        tell(line)
    if child.returncode == 0:
        marker.touch()
    else:
        tell("The sample book could not be fed; it is tried again at the next start.")
