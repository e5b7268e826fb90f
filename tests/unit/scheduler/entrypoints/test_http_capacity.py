"""The weeks of a whole team are computed beside other work of the loop, which never waits for long."""

import asyncio
from datetime import date, timedelta
from typing import Any

import pytest

from schemas.zones import find_zone
from services.calendar.open_hours import DateSpan, OpenHours
from services.calendar.public_holidays import HolidayCalendar
from services.chassis import time_slices
from services.scheduler.application.measure_capacity import CsmWeek, measure_weeks
from services.scheduler.entrypoints.http_capacity import write_weeks

BEGIN = date(2026, 12, 1)
PLACES = (("Europe/Berlin", "DE"), ("America/New_York", "US"), ("Asia/Tokyo", "JP"), ("Europe/London", "GB"))


def team(size: int) -> dict[str, CsmWeek]:
    """Everybody has time off of their own, so that the hours of none are known from another."""
    csms: dict[str, CsmWeek] = {}
    for number in range(size):
        zone, country = PLACES[number % len(PLACES)]
        first = BEGIN + timedelta(days=30 + number)
        away = (DateSpan(first, first + timedelta(days=6)),)
        hours = OpenHours(find_zone(zone), holidays=HolidayCalendar(country), away=away)
        csms[f"csm-{number:03}"] = CsmWeek(f"csm-{number:03}", 1500, hours)
    return csms


class Asked(dict[str, CsmWeek]):
    """A team that counts the weeks that were computed since the last turn of other work."""

    weeks = 0

    def get(self, *args: Any) -> Any:
        self.weeks += 1
        return super().get(*args)


async def test_other_work_goes_on_between_the_weeks_of_a_team(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SLICE_SECONDS", "SHORT_SLICE_SECONDS"):
        monkeypatch.setattr(time_slices, name, 0.0)
    monkeypatch.setattr("services.chassis.time_slices._SLICE.ends_at", 0.0)  # that of another test
    csms = Asked(team(20))
    longest = 0

    async def work_beside() -> None:
        nonlocal longest
        while True:
            await asyncio.sleep(0)
            longest, csms.weeks = max(longest, csms.weeks), 0

    beside = asyncio.create_task(work_beside())
    await asyncio.sleep(0)
    weeks = await write_weeks(measure_weeks(csms, (), BEGIN, BEGIN + timedelta(days=91)))
    beside.cancel()

    assert len(weeks) == 20 * 14
    assert {week["weekly_minutes"] for week in weeks} == {1500}
    assert longest == 1
