"""What of the settings concerns the rules engine."""

from pathlib import Path

from services.cadence.policy.load import SHIPPED, PolicyRefused, load_policy
from services.cadence.rates import RatesRefused, load_rates
from services.chassis.settings import CannotStart, Http, Settings


def http(settings: Settings) -> Http:
    return settings.rules_engine


def policy_path(settings: Settings) -> Path:
    return settings.policy or SHIPPED


def read_files(settings: Settings) -> None:
    """Read the policy and the rates before anything is started. Raises `CannotStart` with every mistake."""
    path = policy_path(settings)
    try:
        load_policy(path)
        if settings.rates is not None:
            load_rates(settings.rates)
    except PolicyRefused as refused:
        raise CannotStart(f"the policy {path} is refused:\n{refused}") from refused
    except RatesRefused as refused:
        raise CannotStart(str(refused)) from refused
