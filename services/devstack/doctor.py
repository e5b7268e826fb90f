"""`drumbeat doctor`: what a run needs, looked at one by one, each finding with what to do about it."""

import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from services.chassis.settings import Settings
from services.console import terminal
from services.console.calls import APIS, Api, CallFailed, settings
from services.devstack.embedded.cache import cache_folder
from services.devstack.embedded.failures import CannotRun
from services.devstack.embedded.jars import locked_jars
from services.devstack.embedded.kafka import java
from services.devstack.embedded.postgres import binaries
from services.devstack.embedded.processes import closed_parent, unprivileged
from services.devstack.embedded.reach import OPEN_FOLDER

_LEAST_FREE_GB = 2


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `remedy` is empty when all is well."""

    what: str
    found: str
    remedy: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Everything there is to look at, in the order a run needs it."""
    yield Finding("Python", sys.version.split()[0])
    if settings.kafka.bootstrap_servers is None or settings.data_dir.exists():
        yield from _parts(settings)
    yield from _folder(settings)
    yield from _services(settings)


def _parts(settings: Settings) -> Iterator[Finding]:
    cached = [jar for jar in locked_jars() if (cache_folder() / "maven" / jar.place).exists()]
    missing = len(locked_jars()) - len(cached)
    yield Finding("Kafka's jars", f"{len(cached)} cached, {missing} to be fetched at the next start")
    for name, look in (("Java runtime", java), ("PostgreSQL", binaries)):
        try:
            yield Finding(name, str(look()))
        except CannotRun as reason:
            yield Finding(name, "missing", str(reason))
    try:
        closed = closed_parent(settings.data_dir, unprivileged())
    except CannotRun as reason:
        yield Finding("PostgreSQL's user", "missing", str(reason))
        return
    if closed is not None:
        yield Finding("PostgreSQL's user", f"cannot enter {closed}; its files are kept in {OPEN_FOLDER}")


def _folder(settings: Settings) -> Iterator[Finding]:
    path = settings.data_dir.absolute()
    yield Finding("data directory", f"{path}" if path.exists() else f"{path}, made at the first start")
    there: Path = next(each for each in (path, *path.parents) if each.exists())
    free = shutil.disk_usage(there).free / 1e9
    remedy = "" if free >= _LEAST_FREE_GB else f"make room: a run wants {_LEAST_FREE_GB} GB"
    yield Finding("free space", f"{free:.1f} GB", remedy)


def _services(settings: Settings) -> Iterator[Finding]:
    try:
        with Api(settings) as api:
            for name in APIS:
                status = api.reachable(name)
                remedy = (
                    "" if status == 200 else f"start `drumbeat run`; its log is in {settings.data_dir}/logs"
                )
                yield Finding(name, f"{settings.url_of(name)}: {status or 'no answer'}", remedy)
            yield Finding("service clock", str(api.get("scheduler", "/v1/clock").get("now")))
    except CallFailed as trouble:
        yield Finding("services", "not reachable", str(trouble))


def main() -> int:
    """Print every finding; 1 when one has a remedy."""
    findings = list(examine(settings()))
    for each in findings:
        terminal.screen.print(f"{'✗' if each.remedy else '✓'} {each.what}: {each.found}", soft_wrap=True)
        if each.remedy:
            terminal.screen.print(f"    {each.remedy}", soft_wrap=True)
    return 1 if any(each.remedy for each in findings) else 0


if __name__ == "__main__":
    sys.exit(main())
