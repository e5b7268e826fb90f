"""What of the settings concerns the scheduler, and how it is tuned (real seconds)."""

from typing import Final

from services.chassis.settings import Http, Settings

GROUP: Final = "scheduler"
RELEASE_EVERY: Final = 0.25
"""The longest rest between two looks at what is due."""
SWEEP_EVERY: Final = 1.0
"""Between looks at horizons and deadlines."""


def http(settings: Settings) -> Http:
    return settings.scheduler
