"""The scheduler's settings and its tuning."""

from typing import Final

from services.chassis.settings import Http, Settings

GROUP: Final = "scheduler"
PRUNE_INTERVAL_SECONDS: Final = 30.0
"""Between two passes over what is old enough to be archived or deleted, in real seconds."""
LEVEL_SECONDS: Final = 30.0
"""The longest that levelling one person's book may take, in real seconds."""
LEVEL_MEGABYTES: Final = 1024
"""Of the process that levels."""


def console_url(settings: Settings) -> str:
    """The address under which people reach the console from links in events."""
    return (settings.public_url or settings.url_of("console")).rstrip("/")


def feed_url(settings: Settings) -> str:
    """The address under which readers of calendars reach the scheduler."""
    return (settings.public_url or settings.url_of("scheduler")).rstrip("/")


def http(settings: Settings) -> Http:
    return settings.scheduler
