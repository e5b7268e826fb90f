"""`python -m services.devstack.embedded.prepare`: download and prepare in advance what a first start needs."""

import asyncio
import shutil
import signal
import sys

from services.chassis.clock import monotonic
from services.chassis.settings import run_or_explain
from services.devstack.embedded.cache import cache_folder, one_at_a_time
from services.devstack.embedded.jars import archive_path, class_path
from services.devstack.embedded.kafka import EmbeddedKafka
from services.devstack.embedded.processes import print_line, scratch

_ASSEMBLY_SECONDS = 120.0


async def train() -> None:
    """Run a broker once so that its JVM writes the start-up archive, under another name until it is complete."""
    archive = archive_path()
    incomplete = archive.with_suffix(".new.aot")
    incomplete.unlink(missing_ok=True)
    folder = scratch()
    kafka = EmbeddedKafka(folder, java_options=(f"-XX:AOTCacheOutput={incomplete}",))
    try:
        await kafka.start()
        kafka.nodes[0].send(signal.SIGTERM)
        if await kafka.nodes[0].ended(_ASSEMBLY_SECONDS) and incomplete.exists():
            incomplete.rename(archive)
    finally:
        kafka.kill()
        shutil.rmtree(folder, ignore_errors=True)


async def prepare() -> None:
    """Download the jars and make the archive, unless they exist."""
    class_path()
    if archive_path().exists():
        return
    with one_at_a_time(cache_folder(), "archive"):
        if not archive_path().exists():
            print_line("Preparing Kafka's start-up archive, once (about 10 s)")
            began = monotonic()
            await train()
            print_line(f"  done in {monotonic() - began:.0f} s")


if __name__ == "__main__":
    sys.exit(run_or_explain(lambda: asyncio.run(prepare())))
