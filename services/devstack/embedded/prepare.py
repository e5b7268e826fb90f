"""`python -m services.devstack.embedded.prepare`: get ready ahead what a first start would wait for."""

import asyncio
import shutil
import signal
import sys

from services.chassis.clock import monotonic
from services.devstack.embedded.cache import cache_folder, one_at_a_time
from services.devstack.embedded.failures import CannotRun
from services.devstack.embedded.jars import class_path, say
from services.devstack.embedded.kafka import EmbeddedKafka
from services.devstack.embedded.processes import scratch
from services.devstack.embedded.warmth import archive_path

_ASSEMBLY_SECONDS = 120.0


async def train() -> None:
    """Run a broker once so that its JVM leaves the start-up archive; a name of its own until it is whole."""
    archive = archive_path()
    half_made = archive.with_suffix(".new.aot")
    half_made.unlink(missing_ok=True)
    folder = scratch()
    kafka = EmbeddedKafka(folder, java_options=(f"-XX:AOTCacheOutput={half_made}",))
    try:
        await kafka.start()
        kafka.nodes[0].send(signal.SIGTERM)
        if await kafka.nodes[0].ended(_ASSEMBLY_SECONDS) and half_made.exists():
            half_made.rename(archive)
    finally:
        kafka.kill()
        shutil.rmtree(folder, ignore_errors=True)


async def prepare() -> None:
    """Jars, then the archive; does nothing where both are there."""
    class_path()
    if archive_path().exists():
        return
    with one_at_a_time(cache_folder(), "archive"):
        if not archive_path().exists():
            say("Preparing Kafka's start-up archive, once (about 10 s)")
            began = monotonic()
            await train()
            say(f"  done in {monotonic() - began:.0f} s")


def main() -> int:
    try:
        asyncio.run(prepare())
    except CannotRun as reason:
        say(f"drumbeat: {reason}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
