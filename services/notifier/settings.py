"""What of the settings concerns the notifier, and how it is tuned (real seconds)."""

from datetime import timedelta
from typing import Final

from services.chassis.settings import Http, Settings

GROUP: Final = "notifier"
SWEEP_EVERY: Final = 0.5
"""Between looks at what is held on the service clock."""
PRUNE_EVERY: Final = 600.0
KEEP_ANNOUNCEMENTS: Final = timedelta(days=40)
"""How long the stream can be resumed and a failed webhook recovered; longer than any retry lasts."""


def http(settings: Settings) -> Http:
    return settings.notifier


def mail_host(settings: Settings) -> str:
    return settings.email.host or "127.0.0.1"


def public_url(settings: Settings) -> str:
    """The address customers reach the notifier under: it stands in their mail."""
    return (settings.public_url or settings.url_of("notifier")).rstrip("/")
