"""`python -m services.devstack.embedded` (`make kafka`): run a real Kafka alone, for development."""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path

from services.chassis.settings import run_or_explain
from services.devstack.embedded.failures import CannotRun
from services.devstack.embedded.kafka import EmbeddedKafka
from services.devstack.embedded.processes import print_line


async def run(kafka: EmbeddedKafka) -> None:
    """Run the broker until Ctrl-C or SIGTERM."""
    stopping = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    starting, stop = asyncio.create_task(kafka.start()), asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait([starting, stop], return_when=asyncio.FIRST_COMPLETED)
        if not stop.done():
            print_line(f"Kafka listens on {starting.result()}; data in {kafka.folder}; Ctrl-C stops it")
            print_line(f"  export DRUMBEAT_KAFKA__BOOTSTRAP_SERVERS={kafka.bootstrap}")
            await stop
    finally:
        starting.cancel()
        with contextlib.suppress(asyncio.CancelledError, CannotRun):
            await starting
        await kafka.stop()


def main() -> None:
    asyncio.run(run(EmbeddedKafka(Path(".drumbeat/kafka-alone"), ports=(9092,))))


if __name__ == "__main__":
    sys.exit(run_or_explain(main))
