"""Checks of a deployment elsewhere, by what its services answer: `drumbeat doctor --remote`.

Needs the addresses of the services and a key, and nothing of the machine on which the services run.
"""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

import httpx
from prometheus_client.parser import text_string_to_metric_families

from services.chassis.settings import Settings
from services.console.client import SERVICES, ApiClient, CallFailed
from services.console.json_fields import items, text
from services.devstack.check import Check
from services.devstack.service_checks import (
    check_busy_calendars,
    check_mode,
    check_service,
    check_zone_data,
)

ANSWER_SECONDS: Final = 5.0
_LOGS: Final = "its log says more"
_LAG: Final = "Lag, and partitions that do not advance"
_SETTINGS: Final = (
    "DRUMBEAT_RULES_ENGINE__URL, __SCHEDULER__URL, __NOTIFIER__URL and __CONSOLE__URL are the addresses"
)


class Limit(NamedTuple):
    """A metric that tells of something to repair above a value, for any of its labels. `section`: of docs/runbook.md."""

    metric: str
    most: float
    problem: str
    section: str


LIMITS: Final = (
    Limit("drumbeat_part_away", 0, "{labels} does not answer it", "After an outage"),
    Limit("drumbeat_partitions_unowned", 0, "{value:g} partitions of {labels} have no reader", _LAG),
    Limit("drumbeat_consumer_lag", 10_000, "{value:g} records of {labels} wait to be read", _LAG),
    Limit(
        "drumbeat_outbox_oldest_seconds",
        120,
        "what it decided has waited for Kafka for {value:.0f} s",
        "Records that wait in the outbox",
    ),
    Limit("drumbeat_accounts_undecided", 0, "{value:g} accounts are undecided", "Undecided accounts"),
    Limit("drumbeat_endpoints_failing", 0, "{value:g} endpoints of webhooks do not answer", "Deliveries"),
)
"""As the alert rules of deploy/ have them, without their patience."""


def check_deployment(settings: Settings) -> Iterator[Check]:
    """Whether each service is ready and keeps up, in which mode it works, and in what the services differ."""
    try:
        with ApiClient(settings) as api:
            for service in SERVICES:
                yield from check_service(api, service, _LOGS, start=_advice(settings, service))
            yield from _check_console(settings)
            for service in (*SERVICES, "console"):
                yield from _read_metrics(settings, service)
            yield check_mode(api)
            yield from _check_releases(api)
            yield from _check_policy(api)
            yield check_busy_calendars(api.get("scheduler", "/v1/busy-calendars"))
    except CallFailed as error:
        yield Check("services", "not reachable", f"{error} {_SETTINGS}; DRUMBEAT_API_KEY_FILE has a key.")


def _advice(settings: Settings, service: Literal["rules_engine", "scheduler", "notifier", "console"]) -> str:
    variable = f"DRUMBEAT_{service.upper()}__URL"
    return (
        f"check that {variable} is its address, and that {settings.url_of(service)} can be reached from here"
    )


def _check_console(settings: Settings) -> Iterator[Check]:
    address = settings.url_of("console")
    try:
        status = httpx.get(f"{address}/readyz", timeout=ANSWER_SECONDS).status_code
    except httpx.HTTPError:
        yield Check("console", f"{address}: no answer", _advice(settings, "console"))
        return
    yield Check("console", f"{address}: {status}", "" if status == 200 else _LOGS)


def _read_metrics(
    settings: Settings, service: Literal["rules_engine", "scheduler", "notifier", "console"]
) -> Iterator[Check]:
    """Nothing for a service that does not answer, which another check says."""
    try:
        answer = httpx.get(f"{settings.url_of(service)}/metrics", timeout=ANSWER_SECONDS)
    except httpx.HTTPError:
        return
    if answer.is_success:
        yield from check_metrics(service, answer.text)
    else:
        hint = "a proxy keeps /metrics to itself: ask Prometheus instead"
        yield Check(service, f"metrics: HTTP {answer.status_code}", "", hint)


def check_metrics(service: str, shown: str) -> Iterator[Check]:
    """What the metrics of a service tell of, each beyond its limit, or that none is."""
    limits = {limit.metric: limit for limit in LIMITS}
    found = 0
    for family in text_string_to_metric_families(shown):
        limit = limits.get(family.name)
        for sample in family.samples if limit is not None else ():
            if limit is not None and sample.value > limit.most:
                found += 1
                problem = limit.problem.format(
                    value=sample.value, labels="/".join(sample.labels.values()) or service
                )
                yield Check(service, problem, f"see “{limit.section}” in docs/runbook.md")
    if not found:
        yield Check(service, "metrics: nothing beyond its limit")


def _check_releases(api: ApiClient) -> Iterator[Check]:
    clocks = {service: api.get(service, "/v1/clock") for service in SERVICES}
    yield Check("service clock", str(clocks["scheduler"].get("now")))
    yield Check("public holidays", f"release {clocks['scheduler'].get('holidays')}")
    yield check_zone_data({service: str(clock.get("tzdata")) for service, clock in clocks.items()})


def _check_policy(api: ApiClient) -> Iterator[Check]:
    """Which version is in force; whether it is that of somebody's files is not known here."""
    current = api.get("rules_engine", "/v1/policies/current")
    (version, *_) = items(current, "versions") or [current]
    author = text(version, "author")
    yield Check(
        "policy in force", f"version {current.get('version')}{f', published by {author}' if author else ''}"
    )
