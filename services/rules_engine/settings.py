"""What of the settings concerns the rules engine."""

from pathlib import Path

from services.cadence.policy.load import SHIPPED
from services.chassis.settings import Http, Settings


def http(settings: Settings) -> Http:
    return settings.rules_engine


def policy_path(settings: Settings) -> Path:
    return settings.policy or SHIPPED
