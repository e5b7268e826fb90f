"""Checks of a running deployment: readiness, mode, releases, the policy in force, partitions that do not advance."""

from collections.abc import Iterator, Mapping

from services.cadence.policy.load import PolicyRefused, load_policy
from services.calendar.public_holidays import holidays_release
from services.chassis.halts import OFFSET_MISSING
from services.chassis.settings import Settings
from services.console.client import SERVICES, ApiClient, CallFailed, Health, Service
from services.console.json_fields import Json, items, nested, text
from services.devstack.check import Check
from services.rules_engine.settings import policy_path


def check_services(settings: Settings) -> Iterator[Check]:
    try:
        with ApiClient(settings) as api:
            logs = f"its logs are in {settings.data_dir}/logs"
            for service in SERVICES:
                yield from check_service(api, service, logs, start=f"start `drumbeat run`; {logs}")
            yield check_mode(api)
            clocks = {service: api.get(service, "/v1/clock") for service in SERVICES}
            yield Check("service clock", str(clocks["scheduler"].get("now")))
            yield check_holidays(str(clocks["scheduler"].get("holidays")), holidays_release())
            yield check_zone_data({service: str(clock.get("tzdata")) for service, clock in clocks.items()})
            yield check_policy_in_force(api, settings)
            yield check_busy_calendars(api.get("scheduler", "/v1/busy-calendars"))
    except CallFailed as error:
        yield Check("services", "not reachable", str(error))


def check_mode(api: ApiClient) -> Check:
    mode = api.get("rules_engine", "/v1/mode").get("mode")
    return Check("mode", f"{mode}" if mode == "live" else f"{mode}, nothing reaches customers")


def check_service(api: ApiClient, service: Service, logs: str, *, start: str) -> Iterator[Check]:
    """Whether it is ready, what it warns of, and which of its partitions are halted.

    `logs`: where its logs are; `start`: what to do when it does not answer.
    """
    health = api.read_health(service)
    address = api.address_of(service)
    if health.status is None:
        yield Check(service, f"{address}: no answer", start)
        return
    remedy = "" if health.status == 200 else f"{health.reason or 'it does not say why'}; {logs}"
    yield Check(service, f"{address}: {health.status}", remedy)
    for warning in health.warnings:
        yield Check(service, "works, with a warning", warning)
    yield from check_halted(service, health)


def check_halted(service: Service, health: Health) -> Iterator[Check]:
    """Each halted partition with its reason, and the section of the runbook that repairs it."""
    for partition, reason in health.halted.items():
        section = "Offset out of range" if reason == OFFSET_MISSING else "Halted partitions"
        remedy = f"the log of {service} says why; see “{section}” in docs/runbook.md"
        yield Check(service, f"the partition {partition} is halted ({reason})", remedy)


def check_busy_calendars(document: Json) -> Check:
    """Whether the calendars of people whose busy time is kept free can be read."""
    calendars = items(document, "items")
    failing = [each for each in calendars if nested(each, "problem")]
    if not failing:
        return Check("busy calendars", f"{len(calendars)} read")
    problems = "; ".join(
        f"{text(each, 'csm_id')}: {text(nested(each, 'problem'), 'text')}" for each in failing
    )
    result = f"{len(failing)} of {len(calendars)} cannot be read"
    return Check("busy calendars", result, f"{problems}; see “Busy time” in docs/calendar.md")


def check_policy_in_force(api: ApiClient, settings: Settings) -> Check:
    """Whether the policy in force is that of the files that a start would read."""
    current = api.get("rules_engine", "/v1/policies/current")
    (version, *_) = items(current, "versions") or [current]
    author = text(version, "author")
    origin = {"file": "from files", "rollback": "rolled back"}.get(text(version, "origin"), "published")
    shown = f"version {current.get('version')}, {origin}{f' by {author}' if author else ''}"
    path = policy_path(settings)
    try:
        is_of_files = load_policy(path).hash == text(current, "hash")
    except PolicyRefused:
        return Check("policy in force", shown)  # what is wrong with the files is a check of its own
    if is_of_files:
        return Check("policy in force", f"{shown}, that of {_name(settings)}")
    advice = f"`drumbeat policy publish {path}` puts the files in force, `drumbeat policy diff {path}` shows the effect"
    is_needed = settings.policy is not None
    return Check(
        "policy in force",
        f"{shown}, not that of {_name(settings)}",
        advice if is_needed else "",
        "" if is_needed else advice,
    )


def _name(settings: Settings) -> str:
    return "the shipped files" if settings.policy is None else str(settings.policy)


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
