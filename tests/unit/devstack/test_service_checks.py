"""What the doctor finds in a running deployment."""

from pathlib import Path

import pytest

from services.chassis.halts import OFFSET_MISSING
from services.console.client import Health
from services.devstack.service_checks import (
    check_busy_calendars,
    check_halted,
    check_holidays,
    check_zone_data,
)

RUNBOOK = Path(__file__).resolve().parents[3] / "docs" / "runbook.md"


def test_services_with_another_release_of_the_holidays_are_to_be_restarted() -> None:
    assert check_holidays("0.109", "0.109").remedy == ""
    assert "0.110 is installed" in check_holidays("0.109", "0.110").remedy


def test_the_release_of_the_time_zones_is_shown_and_two_releases_are_repaired() -> None:
    """Row 50 of the reported faults."""
    same = check_zone_data({"scheduler": "2026f", "notifier": "2026f"})
    assert (same.result, same.remedy) == ("tzdata 2026f", "")

    mixed = check_zone_data({"scheduler": "2026f", "notifier": "2025b"})
    assert mixed.result == "scheduler 2026f, notifier 2025b"
    assert "one installation" in mixed.remedy


@pytest.mark.parametrize(
    ("reason", "section"),
    [
        ("more than 100 dead letters among 1000 records before offset 700", "Halted partitions"),
        (OFFSET_MISSING, "Offset out of range"),
    ],
)
def test_a_halted_partition_is_named_with_its_reason_and_the_section_that_repairs_it(
    reason: str, section: str
) -> None:
    """A10: a partition that halted is found."""
    (check,) = check_halted("scheduler", Health(503, "Not ready", halted={"account.signals/3": reason}))
    assert (check.name, check.result) == (
        "scheduler",
        f"the partition account.signals/3 is halted ({reason})",
    )
    assert f"“{section}” in docs/runbook.md" in check.remedy
    assert f"\n## {section}\n" in RUNBOOK.read_text()
    assert list(check_halted("scheduler", Health(200))) == []


def test_calendars_that_cannot_be_read_are_named_with_their_problem() -> None:
    ada = {"csm_id": "ada", "problem": None}
    ben = {"csm_id": "ben", "problem": {"text": "HTTP 404", "since": "2026-03-02T10:00:00Z", "failures": 2}}

    assert check_busy_calendars({"items": [ada]}).remedy == ""
    found = check_busy_calendars({"items": [ada, ben]})
    assert found.result == "1 of 2 cannot be read"
    assert found.remedy.startswith("ben: HTTP 404")
