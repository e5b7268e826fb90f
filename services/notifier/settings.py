"""The settings that concern the notifier, and its tuning."""

from datetime import timedelta
from typing import Final

from services.chassis.settings import Http, Settings

GROUP: Final = "notifier"
SWEEP_SECONDS: Final = 0.5
"""Real time between checks for deliveries that are due on the service clock."""
PRUNE_SECONDS: Final = 600.0
KEEP_EVENTS: Final = timedelta(days=40)
"""Real time for which the stream can be resumed and a failed webhook recovered; longer than any retry lasts."""


def http(settings: Settings) -> Http:
    return settings.notifier


def mail_host(settings: Settings) -> str:
    return settings.email.host or "127.0.0.1"


def public_url(settings: Settings) -> str:
    """The address under which customers reach the notifier from links in their mail."""
    return (settings.public_url or settings.url_of("notifier")).rstrip("/")
