"""What the doctor finds in a running deployment."""

from services.devstack.service_checks import (
    check_busy_calendars,
    check_holidays,
    check_zone_data,
    halted_partitions,
)


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


def test_a_halted_partition_is_named_from_the_metrics() -> None:
    """A10: a partition that halted is found, the others are not."""
    metrics = """
# TYPE drumbeat_partition_halted gauge
drumbeat_partition_halted{partition="3",topic="account.signals"} 1.0
drumbeat_partition_halted{partition="4",topic="account.signals"} 0.0
"""
    assert halted_partitions(metrics) == ["account.signals/3"]


def test_calendars_that_cannot_be_read_are_named_with_their_problem() -> None:
    ada = {"csm_id": "ada", "problem": None}
    ben = {"csm_id": "ben", "problem": {"text": "HTTP 404", "since": "2026-03-02T10:00:00Z", "failures": 2}}

    assert check_busy_calendars({"items": [ada]}).remedy == ""
    found = check_busy_calendars({"items": [ada, ben]})
    assert found.result == "1 of 2 cannot be read"
    assert found.remedy.startswith("ben: HTTP 404")
