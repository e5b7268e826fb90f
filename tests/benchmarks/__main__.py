"""`make bench`: every benchmark beside its peer, on real parts that start and end with it.

    python -m tests.benchmarks [--quick] [--events N] [--planned N] [--replayed N] [name ...]

Prints a table, stores bench-results.json here, and exits with 1 when a budget is missed.
"""

import argparse
import asyncio
import logging
import os
import platform
import signal
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from statistics import median

import uvloop

from services.chassis.clock import real_now
from services.chassis.collector import spare_the_collector
from services.chassis.settings import Kafka
from tests.benchmarks import (
    calendar,
    costs,
    engine,
    ingest,
    latency,
    mails,
    mix,
    planning,
    pruning,
    release,
    relevel,
    simulation,
    webhooks,
)
from tests.benchmarks.calendars import DUE
from tests.benchmarks.figures import Figure, number, ratio_of_rounds, show, store
from tests.benchmarks.rules import decisions, loading, replay, verdicts
from tests.stack import Stack

log = logging.getLogger(__name__)

PLANNED = 10_000_000
REPLAYED = 1_000_000
EVENTS = 80_000
LONGEST = {"mix": 3600.0, "pruning": 1200.0, "costs": 1200.0}  # seconds; a benchmark that takes longer hangs
USUALLY_LONGEST = 240.0
RESULTS = "bench-results.json"

Benchmark = Callable[[Stack, argparse.Namespace], Awaitable[list[Figure]]]
Alone = Callable[[argparse.Namespace], list[Figure]]


async def events(stack: Stack, arguments: argparse.Namespace) -> list[Figure]:
    """Events through the rules engine, Kafka to Kafka."""
    kafka = Kafka(bootstrap_servers=stack.kafka.bootstrap)
    count, rounds = (10_000, 1) if arguments.quick else (arguments.events, 3)
    found = await engine.measure(stack.postgres.url, kafka, events=count, rounds=rounds)
    return [
        Figure(
            "events through the rules engine",
            median(each["engine"] for each in found),
            median(each[name] for each in found),
            ratio_of_rounds([each["engine"] for each in found], [each[name] for each in found]),
            "/s",
            peer,
            at_least=least,
            more={"rounds": found},
        )
        for name, peer, least in (
            ("bare", "the same loop, nothing decided", 0.5),
            ("message", "FastStream + SQLAlchemy, rules by hand", 50),
            ("batch", "the same by batches", 3),
        )
    ]


BENCHMARKS: dict[str, Benchmark] = {
    "latency": lambda stack, arguments: latency.run(stack, quick=arguments.quick),
    "engine": events,
    "mix": mix.run,
    "ingest": lambda stack, arguments: ingest.run(stack, quick=arguments.quick),
    "webhooks": lambda stack, arguments: webhooks.run(stack, quick=arguments.quick),
    "mails": lambda stack, arguments: mails.run(stack, quick=arguments.quick),
    "release": lambda stack, arguments: release.run(
        stack, quick=arguments.quick, days=max(5, arguments.planned // DUE)
    ),
    "planning": lambda stack, arguments: planning.run(stack, quick=arguments.quick),
    "pruning": pruning.run,
    "costs": costs.run,
    "relevel": lambda stack, arguments: relevel.run(stack, quick=arguments.quick),
}

ALONE: dict[str, Alone] = {
    "rules": lambda arguments: [*verdicts.run(quick=arguments.quick), *decisions.run(quick=arguments.quick)],
    "replay": lambda arguments: replay.run(quick=arguments.quick, account_events=arguments.replayed),
    "load": lambda arguments: loading.run(quick=arguments.quick),
    "calendar": lambda arguments: calendar.run(quick=arguments.quick),
    "simulate": lambda arguments: simulation.run(quick=arguments.quick),
}
"""These need no broker and no database."""
NAMES = (*ALONE, *BENCHMARKS)


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description="The budgets, measured.")
    parser.add_argument("names", nargs="*", metavar="name", help=f"of {', '.join(NAMES)}; all without one")
    parser.add_argument(
        "--quick", action="store_true", help="a short run that only shows that everything works"
    )
    parser.add_argument(
        "--planned", type=int, default=PLANNED, help="occurrences in the deep calendar (10 million)"
    )
    parser.add_argument(
        "--events", type=int, default=EVENTS, help="events a round through the engine (80 thousand)"
    )
    parser.add_argument(
        "--replayed", type=int, default=REPLAYED, help="account-events of the closed loop (1 million)"
    )
    parser.add_argument("--mixed", type=int, default=20_000, help="mixed facts a round (20 thousand)")
    parser.add_argument("--pruned", type=int, default=200_000, help="receipts of a day (200 thousand)")
    parser.add_argument("--rounds", type=int, default=3, help="rounds of mixed facts (3)")
    for name, what in (("facts", "measured in place of generated facts"), ("book", "taken in before them")):
        parser.add_argument(
            f"--{name}", type=Path, nargs="+", metavar="FILE", help=f"NDJSON of CloudEvents, {what}"
        )
    arguments = parser.parse_intermixed_args()
    unknown = [each for each in arguments.names if each not in NAMES]
    if unknown:
        parser.error(f"there is no benchmark {unknown[0]}; there are {', '.join(NAMES)}")
    return arguments


class Run:
    """What was found so far; stored after each benchmark."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self.arguments = arguments
        self.found: list[Figure] = []
        self.broken: list[str] = []
        self._began = time.perf_counter()
        self._about = {
            "at": real_now().isoformat(timespec="seconds"),
            "quick": arguments.quick,
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load_before": os.getloadavg(),
        }

    async def all(self) -> None:
        """Each benchmark on a fresh broker and database, so that none works in the shadow of another."""
        task = asyncio.current_task()
        assert task is not None
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)  # the folders go as well
        spare_the_collector()
        for name in NAMES:
            if not self.arguments.names or name in self.arguments.names:
                await self._one(name)

    async def _one(self, name: str) -> None:
        began = time.perf_counter()
        print(f"{name} …", end=" ", flush=True)
        try:
            found = ALONE[name](self.arguments) if name in ALONE else await measured(name, self.arguments)
        except Exception:  # the others are worth measuring all the same
            log.exception("%s broke", name)
            self.broken.append(name)
            return
        summary = "; ".join(
            f"{number(each.ours, each.unit)} to {number(each.peer, each.unit)}, {each.ratio:.2f}"
            for each in found
        )
        print(f"{summary} ({time.perf_counter() - began:.0f} s)", flush=True)
        self.found += found
        about = {**self._about, "seconds": self.seconds, "broken": self.broken}
        store(self.found, Path(RESULTS), about)

    @property
    def seconds(self) -> int:
        return round(time.perf_counter() - self._began)


async def measured(name: str, arguments: argparse.Namespace) -> list[Figure]:
    with tempfile.TemporaryDirectory(prefix="drumbeat-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        async with (
            Stack(Path(folder), durable=True) as stack,
            asyncio.timeout(LONGEST.get(name, USUALLY_LONGEST)),
        ):
            return await BENCHMARKS[name](stack, arguments)


def main() -> None:
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # its tries at topics that were made just now
    run = Run(parse_arguments())
    uvloop.run(run.all())
    show(run.found)
    missed = [
        *(f"{each.what}, beside {each.peer_is}" for each in run.found if each.met is False),
        *run.broken,
    ]
    verdict = f"missed: {'; '.join(missed)}" if missed else "every budget held"
    print(f"{run.seconds} s; details in {RESULTS}; {verdict}")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
