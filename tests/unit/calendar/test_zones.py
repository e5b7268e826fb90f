"""The zone of a name; UTC, with the doubt noted, where it names none."""

import pytest

from schemas.zones import UTC_ZONE
from services.calendar.zones import load_zone


@pytest.mark.parametrize(
    "name", ["Mars/Olympus", "", "../etc/passwd", "America", "Europe/Berlin\x00", "\ud800"]
)
def test_an_unknown_zone_is_utc_with_the_doubt_noted(name: str) -> None:
    found = load_zone(name)

    assert found.info == UTC_ZONE
    assert found.doubt is not None


def test_no_zone_is_utc_without_a_doubt() -> None:
    assert load_zone(None).doubt is None
