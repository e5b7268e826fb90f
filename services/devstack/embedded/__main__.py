"""`python -m services.devstack.embedded`: a real Kafka alone, for development (`make kafka`)."""

import argparse
import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from services.devstack.embedded.failures import CannotRun
from services.devstack.embedded.jars import say
from services.devstack.embedded.kafka import EmbeddedKafka


async def run(kafka: EmbeddedKafka) -> None:
    """Keep the broker up until Ctrl-C or SIGTERM."""
    stopping = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(each, stopping.set)
    starting, stop = asyncio.create_task(kafka.start()), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([starting, stop], return_when=asyncio.FIRST_COMPLETED)
        if not stop.done():
            say(f"Kafka listens on {starting.result()}; data in {kafka.folder}; Ctrl-C stops it")
            say(f"  export DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS={kafka.bootstrap}")
            await stop
    finally:
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError, CannotRun):
            await starting
        await kafka.stop()


def main() -> int:
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--folder", type=Path, default=Path(".drumbeat/kafka-alone"))
    words.add_argument("--port", type=int, default=9092, help="of the first broker; another if it is taken")
    words.add_argument("--nodes", type=int, choices=(1, 3), default=1)
    chosen = words.parse_args()
    ports = tuple(range(chosen.port, chosen.port + chosen.nodes))
    try:
        asyncio.run(run(EmbeddedKafka(chosen.folder, nodes=chosen.nodes, ports=ports)))
    except CannotRun as reason:
        say(f"drumbeat: {reason}")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
