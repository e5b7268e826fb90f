"""CSMs as the directory has them."""

import orjson
import pytest

from services.cadence.csms import csm_record


@pytest.mark.parametrize(
    ("described", "timezone", "derived"),
    [
        ({"country": "JP"}, "Asia/Tokyo", True),
        ({"country": "JP", "timezone": "Europe/Berlin"}, "Europe/Berlin", False),
        ({"country": "US"}, None, False),
        ({}, None, False),
    ],
)
def test_the_country_of_a_csm_gives_the_zone_where_it_has_one(
    described: dict[str, object], timezone: str | None, *, derived: bool
) -> None:
    """Row 23, of the other people."""
    stamped = {"stamp": {name: orjson.dumps(value).decode() for name, value in described.items()}}
    record = csm_record("ada", stamped, 1)  # pyright: ignore[reportArgumentType]
    assert (record.timezone, record.timezone_derived) == (timezone, derived)
