"""Which channels besides mail are closed for want of settings, and what to set."""

from services.chassis.settings import Settings
from services.chassis.urls import leads_outside


def closed_channels(settings: Settings) -> dict[str, str]:
    """Of text messages, Slack and telephone tasks: what keeps each closed. A channel that works is not in it."""
    tasks = ["set DRUMBEAT_PHONE__URL"] if settings.phone.url is None else []
    problems = {"sms": _sms_problems(settings), "slack": _slack_problems(settings), "call": tasks}
    return {channel: "; ".join(found) for channel, found in problems.items() if found}


def _sms_problems(settings: Settings) -> list[str]:
    sms = settings.sms
    if sms.missing:
        return [f"set {' and '.join(sms.missing)}"]
    return [*_staging(settings, "SMS", sms.redirect_to), *_sender_problems(settings, sms.url)]


def _slack_problems(settings: Settings) -> list[str]:
    slack = settings.slack
    if slack.token is None:
        return ["set DRUMBEAT_SLACK__TOKEN"]
    return [*_staging(settings, "SLACK", slack.redirect_to), *_sender_problems(settings, slack.url)]


def _staging(settings: Settings, group: str, redirect_to: str | None) -> list[str]:
    """Where mail is redirected, nothing else may reach the real people either."""
    if settings.email.redirect_to is None or redirect_to is not None:
        return []
    return [f"mail is redirected by DRUMBEAT_EMAIL__REDIRECT_TO: set DRUMBEAT_{group}__REDIRECT_TO, too"]


def _sender_problems(settings: Settings, gateway: str) -> list[str]:
    """A message has to say who writes, and its link has to lead somewhere; a gateway on this machine is a test."""
    if not leads_outside(gateway):
        return []
    nameless = (
        ["set DRUMBEAT_ORGANIZATION__NAME, which says who writes"]
        if settings.organization.name is None
        else []
    )
    return [*filter(None, [settings.link_problem()]), *nameless]
