"""Zones come from the pinned release alone, whatever the machine has."""

import subprocess
import sys
import zoneinfo
from datetime import UTC, datetime
from importlib.resources import files

import pytest

from schemas.zones import (
    ZONE_NAMES,
    UnknownZone,
    find_zone,
    is_country,
    spell_country,
    spell_zone,
    zones_of_country,
)

VANCOUVER = """
from datetime import UTC, datetime
from schemas.zones import find_zone
print(datetime(2026, 12, 1, 17, tzinfo=UTC).astimezone(find_zone("America/Vancouver")).hour)
"""


def test_no_file_of_the_system_is_read() -> None:
    """Row 50 of the reported faults."""
    assert zoneinfo.TZPATH == ()


def test_british_columbia_stays_on_summer_time_by_the_pinned_release() -> None:
    """Row 50: since 2026 nothing changes in Vancouver in autumn; older files of a system say 9 o'clock."""
    winter = datetime(2026, 12, 1, 17, tzinfo=UTC).astimezone(find_zone("America/Vancouver"))
    assert winter.hour == 10


@pytest.mark.parametrize("path", ["/usr/share/zoneinfo", ""])
def test_a_path_in_the_environment_changes_nothing(path: str) -> None:
    run = [sys.executable, "-c", VANCOUVER]
    answer = subprocess.run(run, env={"PYTHONTZPATH": path}, capture_output=True, check=True, text=True)
    assert answer.stdout.strip() == "10"


def test_every_name_has_a_zone() -> None:
    assert all(find_zone(name).key == name for name in ZONE_NAMES)
    assert len(ZONE_NAMES) > 500
    assert set(files("tzdata").joinpath("zones").read_text("utf-8").split()) > ZONE_NAMES


@pytest.mark.parametrize(
    "name",
    [
        "localtime",
        "posixrules",
        "Factory",
        "posix/Europe/Berlin",
        "right/Europe/Berlin",
        "Europe",
        "",
        "../UTC",
    ],
)
def test_what_stands_for_no_place_is_no_zone(name: str) -> None:
    """Row 37."""
    with pytest.raises(UnknownZone):
        find_zone(name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("europe/berlin", "Europe/Berlin"),
        ("AMERICA/ARGENTINA/BUENOS_AIRES", "America/Argentina/Buenos_Aires"),
        ("america/new york", "America/New_York"),
        ("utc", "UTC"),
        ("Asia/Calcutta", "Asia/Calcutta"),
        ("Mars/Olympus", "Mars/Olympus"),
    ],
)
def test_a_name_is_found_whatever_its_letter_case(text: str, name: str) -> None:
    assert spell_zone(text) == name


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("JP", "JP"),
        ("jp", "JP"),
        ("Japan", "JP"),
        ("united  kingdom", "GB"),
        ("UK", "GB"),
        ("Britain (UK)", "GB"),
        ("USA", "US"),
        ("Bosnia and Herzegovina", "BA"),
        ("South Korea", "KR"),
        ("Korea", "Korea"),
        ("JPN", "JPN"),
        ("Samoa", "Samoa"),
        ("Atlantis", "Atlantis"),
    ],
)
def test_a_country_is_read_by_code_or_clear_name(text: str, code: str) -> None:
    """Row 23: two countries are called Korea and Samoa, none Atlantis or JPN."""
    assert spell_country(text) == code
    assert is_country(code) == (code not in {"Korea", "Samoa", "Atlantis", "JPN"})


@pytest.mark.parametrize(
    ("country", "zones"),
    [
        ("JP", ("Asia/Tokyo",)),
        ("Japan", ("Asia/Tokyo",)),
        ("DE", ("Europe/Berlin",)),
        ("ES", ("Europe/Madrid", "Atlantic/Canary")),
        ("CN", ("Asia/Shanghai", "Asia/Urumqi")),
        ("BV", ()),
        ("Atlantis", ()),
        ("", ()),
    ],
)
def test_a_country_has_the_zones_whose_clocks_differ(country: str, zones: tuple[str, ...]) -> None:
    """Row 23: Busingen's clocks show what Berlin's show; nobody lives on Bouvet Island."""
    assert zones_of_country(country) == zones


def test_the_zones_of_all_countries_are_known() -> None:
    """Row 23."""
    countries = [
        name[:2] for name in files("tzdata.zoneinfo").joinpath("iso3166.tab").read_text("utf-8").splitlines()
    ]
    found = {zone for country in countries if is_country(country) for zone in zones_of_country(country)}
    assert len(found) > 200
    assert found <= ZONE_NAMES
