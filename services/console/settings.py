"""What of the settings concerns the console."""

from services.chassis.settings import Http, Settings


def http(settings: Settings) -> Http:
    return settings.console
