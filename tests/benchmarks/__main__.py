"""`make bench`: every benchmark beside its peer, on real parts that start and end with it.

    python -m tests.benchmarks [--quick] [--planned N] [engine release latency webhooks ingest]

Prints a table, stores bench-results.json here, and exits with 1 when a budget is missed.
"""

import argparse
import asyncio
import logging
import os
import platform
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import uvloop

from services.chassis.clock import real_now
from services.chassis.service import spare_the_collector
from services.chassis.settings import Kafka
from tests.benchmarks import engine, ingest, latency, release, webhooks
from tests.benchmarks.calendars import DUE
from tests.benchmarks.figures import Figure, ratio_of_rounds, show, store
from tests.stack import Stack

log = logging.getLogger(__name__)

PLANNED = 10_000_000
LONGEST = 240.0  # seconds; a benchmark that takes longer hangs
RESULTS = "bench-results.json"

Benchmark = Callable[[Stack, argparse.Namespace], Awaitable[list[Figure]]]


async def events(stack: Stack, said: argparse.Namespace) -> list[Figure]:
    """Events through the rules engine, Kafka to Kafka."""
    kafka = Kafka(bootstrap_servers=stack.kafka.bootstrap)
    count, rounds = (10_000, 1) if said.quick else (80_000, 3)
    found = await engine.measure(stack.postgres.url, kafka, events=count, rounds=rounds)
    ours, bare = [each["engine"] for each in found], [each["bare"] for each in found]
    ratio = ratio_of_rounds(ours, bare)
    what, peer = "events through the rules engine", "the same loop, nothing decided"
    return [Figure(what, median(ours), median(bare), ratio, "/s", peer, at_least=0.5, more={"rounds": found})]


BENCHMARKS: dict[str, Benchmark] = {
    "latency": lambda stack, said: latency.run(stack, quick=said.quick),
    "engine": events,
    "ingest": lambda stack, said: ingest.run(stack, quick=said.quick),
    "webhooks": lambda stack, said: webhooks.run(stack, quick=said.quick),
    "release": lambda stack, said: release.run(stack, quick=said.quick, days=max(5, said.planned // DUE)),
}


def words() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="The budgets, measured.")
    parser.add_argument(
        "names", nargs="*", metavar="name", help=f"of {', '.join(BENCHMARKS)}; all without one"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a short run that only shows that everything works"
    )
    parser.add_argument(
        "--planned", type=int, default=PLANNED, help="occurrences in the deep calendar (10 million)"
    )
    said = parser.parse_args()
    unknown = [each for each in said.names if each not in BENCHMARKS]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(BENCHMARKS)}")
    return said


async def run(said: argparse.Namespace) -> tuple[list[Figure], list[str]]:
    """Each benchmark on a fresh broker and database, so that none works in the shadow of another.

    Answers the figures, and the benchmarks that broke.
    """
    spare_the_collector()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its tries at topics that were made just now
    found: list[Figure] = []
    broken: list[str] = []
    for name, benchmark in BENCHMARKS.items():
        if said.names and name not in said.names:
            continue
        began = time.perf_counter()
        print(f"{name} …", end=" ", flush=True)
        try:
            found += await measured(benchmark, said)
            print(f"{time.perf_counter() - began:.0f} s")
        except Exception:  # the others are worth measuring all the same
            log.exception("%s broke", name)
            broken.append(name)
    return found, broken


async def measured(benchmark: Benchmark, said: argparse.Namespace) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="drumbeat-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        async with Stack(Path(folder), durable=True) as stack, asyncio.timeout(LONGEST):
            return await benchmark(stack, said)


def main() -> None:
    said, began, load = words(), time.perf_counter(), os.getloadavg()
    at = real_now().isoformat(timespec="seconds")
    found, broken = uvloop.run(run(said))
    show(found)
    machine = {"cores": os.cpu_count(), "python": platform.python_version(), "load_before": load}
    seconds = round(time.perf_counter() - began)
    store(
        found,
        Path(RESULTS),
        {"at": at, "seconds": seconds, "quick": said.quick, "broken": broken, "machine": machine},
    )
    missed = [*(each.what for each in found if each.met is False), *broken]
    print(
        f"{seconds} s; details in {RESULTS}; "
        + (f"missed: {'; '.join(missed)}" if missed else "every budget held")
    )
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
