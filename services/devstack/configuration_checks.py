"""Checks of what a deployment is given: settings, disk, mail relay, policy files, exchange rates."""

import asyncio
import shutil
from collections.abc import Iterator
from pathlib import Path

from services.cadence.policy.load import PolicyRefused, load_policy
from services.cadence.rates import RatesRefused, load_rates
from services.cadence.testing.load import policy_and_tests
from services.chassis.mail_server import find_mail_problem
from services.chassis.setting_names import unknown_settings
from services.chassis.settings import Settings
from services.chassis.text_channels import closed_channels
from services.chassis.urls import leads_outside, without_user
from services.devstack.check import Check
from services.rules_engine.adapters.policy_jobs import check_own_tests
from services.rules_engine.settings import policy_path

_NEEDED_GB = 2


def check_setting_names() -> Iterator[Check]:
    """Variables that look like settings and have no effect."""
    unknown = unknown_settings(Settings)
    for problem in unknown:
        name, _, remedy = problem.partition(": ")
        yield Check("settings", name, remedy)
    if not unknown:
        yield Check("settings", "every variable is known")


def check_data_directory(settings: Settings) -> Iterator[Check]:
    path = settings.data_dir.absolute()
    yield Check("data directory", f"{path}" if path.exists() else f"{path}, created at the first start")
    yield check_free_space(settings)


def check_free_space(settings: Settings) -> Check:
    """The space of the disk on which the data directory is, or will be."""
    path = settings.data_dir.absolute()
    existing: Path = next(folder for folder in (path, *path.parents) if folder.exists())
    free_gb = shutil.disk_usage(existing).free / 1e9
    remedy = (
        "" if free_gb >= _NEEDED_GB else f"free some space on {existing}: a deployment needs {_NEEDED_GB} GB"
    )
    return Check("free space", f"{free_gb:.1f} GB", remedy)


def check_mail(settings: Settings) -> Iterator[Check]:
    """The public address, the relay, and whether customers get mail."""
    email, hold = settings.email, settings.mail_hold()
    yield _public_address(settings)
    yield check_mail_server(settings)
    if _is_stored(settings):
        yield Check("customer mail", "stored, not delivered")
    elif hold is not None:
        yield Check("customer mail", "held", hold)
    else:
        yield Check("customer mail", f"sent to {email.host}:{email.port}")


def check_text_channels(settings: Settings) -> Iterator[Check]:
    """Text messages, Slack and telephone tasks. One that nobody set up is no finding; one that is half set up is."""
    closed, redirected = (
        closed_channels(settings),
        {"sms": settings.sms.redirect_to, "slack": settings.slack.redirect_to},
    )
    is_wanted = {"sms": settings.sms.is_wanted, "slack": settings.slack.token is not None}
    urls = {"sms": settings.sms.url, "slack": settings.slack.url, "call": settings.phone.url or ""}
    names = {"sms": "text messages", "slack": "Slack", "call": "telephone tasks"}
    for channel, name in names.items():
        problem, to = closed.get(channel), redirected.get(channel)
        if problem is None:
            yield Check(name, f"sent through {without_user(urls[channel])}{f', all to {to}' if to else ''}")
        elif is_wanted.get(channel, False):
            yield Check(name, "not sent", problem)
        else:
            yield Check(name, "none", hint=f"{problem}, to send them")


def _public_address(settings: Settings) -> Check:
    url = settings.public_url
    if url is not None and leads_outside(url):
        return Check("public address", without_user(url))
    advice = (
        "set DRUMBEAT_PUBLIC_URL to the notifier's address on the internet, like https://drumbeat.example.com"
    )
    link = without_user(url) if url else settings.url_of("notifier")
    local = f"none: links lead to {link}, which only this machine reaches"
    is_needed = settings.email.is_relay
    return Check("public address", local, advice if is_needed else "", "" if is_needed else advice)


def check_mail_server(settings: Settings) -> Check:
    """Whether the relay answers as configured; takes a few seconds at most."""
    email = settings.email
    if _is_stored(settings):
        stored = "none: `drumbeat run` stores mail in the data directory and delivers nothing"
        return Check("mail relay", stored, hint="set DRUMBEAT_EMAIL__HOST to a mail relay to send it")
    problem = asyncio.run(find_mail_problem(email))
    if problem is not None:
        return Check("mail relay", problem.reason, problem.remedy)
    return Check("mail relay", f"{email.host}:{email.port} answers")


def _is_stored(settings: Settings) -> bool:
    """Whether mail goes to the sink of `drumbeat run`, or would: with parts of their own services are run one by one."""
    has_own_parts = settings.kafka.bootstrap_servers is not None and settings.database.url is not None
    return not settings.email.is_relay and not (settings.email.host is None and has_own_parts)


def check_policy_files(settings: Settings) -> Check:
    path = policy_path(settings)
    name = "shipped" if settings.policy is None else str(path)
    try:
        policy = load_policy(path)
        if settings.policy is not None:
            check_own_tests(policy_and_tests(path))
    except PolicyRefused as refused:
        return Check("policy files", f"{name}: refused", str(refused))
    return Check("policy files", f"{name}, {len(policy.rules)} rules")


def check_exchange_rates(settings: Settings) -> Check:
    if settings.rates is None:
        return Check(
            "exchange rates", "none: revenue in other currencies than the policy's counts as unknown"
        )
    try:
        rates = load_rates(settings.rates)
    except RatesRefused as refused:
        return Check("exchange rates", "not readable", str(refused))
    return Check("exchange rates", f"of {rates.on}: {', '.join(sorted(rates.worth))} in {rates.base}")
