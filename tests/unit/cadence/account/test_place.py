"""Row 23: a country gives the zone where it has one."""

import pytest

from services.cadence.account.place import AccountZones, zones_of
from tests.unit.cadence.events import facts_after, make_event

TOKYO = AccountZones("Asia/Tokyo", timezone_derived=True)
SPAIN = AccountZones(zones=("Europe/Madrid", "Atlantic/Canary"))


@pytest.mark.parametrize(
    ("described", "expected"),
    [
        ({"country": "JP"}, TOKYO),
        ({"country": "Japan", "timezone": None}, TOKYO),
        ({"country": "JP", "timezone": "Europe/Berlin"}, AccountZones("Europe/Berlin")),
        ({"country": "ES"}, SPAIN),
        ({"country": "Atlantis"}, AccountZones()),
        ({"country": None}, AccountZones()),
        ({"name": "Acme"}, AccountZones()),
    ],
)
def test_the_zone_told_comes_before_those_of_the_country(
    described: dict[str, object], expected: AccountZones
) -> None:
    """Row 23."""
    assert zones_of(facts_after([make_event("account.described", **described)])) == expected
