"""What stands in a feed, and in whose words."""

from pathlib import Path

import pytest
import yaml

from services.scheduler.domain.feed import CUSTOMER_NAMES, SPOKEN, label_of, name_for_customer
from tests.unit.cadence.events import shipped

PHRASES = Path(__file__).resolve().parents[4] / "services" / "notifier" / "phrases" / "en.yaml"
LED = [
    kind.type
    for kind in shipped().catalogue.values()
    if kind.topic and kind.channel in SPOKEN and kind.owner in ("csm", "pooled_csm", "sales")
]


@pytest.mark.parametrize("touchpoint_type", LED)
def test_a_customer_reads_the_same_name_in_a_feed_and_in_mail(touchpoint_type: str) -> None:
    """The names of types are written for us: nobody invites a customer to an 'expansion discovery'."""
    phrases: dict[str, dict[str, str]] = yaml.safe_load(PHRASES.read_text(encoding="utf-8"))
    names = next(section for section in phrases.values() if "kickoff" in section)
    assert name_for_customer(touchpoint_type) == names[touchpoint_type]


def test_a_type_of_a_deployment_has_its_own_name() -> None:
    assert name_for_customer("roadmap_workshop") == label_of("roadmap_workshop") == "Roadmap workshop"


def test_no_name_is_listed_that_needs_no_other() -> None:
    assert not [name for name, text in CUSTOMER_NAMES.items() if label_of(name) == text]
