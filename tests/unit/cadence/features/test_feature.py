"""The closed lists of values are those of the schemas, in their order."""

from typing import get_args

from schemas import vocabulary
from services.cadence.account.retention import STAKEHOLDERS
from services.cadence.features import feature
from services.cadence.features.event_features import EVENT_FEATURES
from services.cadence.features.registry import FEATURES


def test_the_order_of_the_closed_lists_is_that_of_the_contract() -> None:
    assert feature.SEGMENTS == ("enterprise", "mid_market", "small_business", "self_service")
    assert feature.STAGES == ("onboarding", "adoption", "growth", "renewal", "churned")
    assert feature.COLORS == ("red", "yellow", "green")
    assert feature.CONTRACT_STATES == ("draft", "active", "signed", "notice", "churned", "ended")
    assert feature.ROLES[:3] == ("champion", "decision_maker", "executive_sponsor")
    assert feature.PROGRAM_KINDS == ("release", "webinar", "newsletter", "event", "tips")


def test_every_frequency_and_every_stakeholder_role_is_one_of_the_schemas() -> None:
    assert tuple(feature.FREQUENCIES) == get_args(vocabulary.Frequency)
    assert set(feature.ROLES) > STAKEHOLDERS


def test_exactly_the_choices_have_values() -> None:
    features = [*FEATURES.values(), *(item for items in EVENT_FEATURES.values() for item in items.values())]

    assert all((item.kind == "choice") == bool(item.values) for item in features)
