"""The weeks of a whole team are computed beside other work of the loop, which never waits for long."""

import asyncio
from datetime import date, timedelta
from time import thread_time

from schemas.zones import find_zone
from services.calendar.open_hours import DateSpan, OpenHours
from services.calendar.public_holidays import HolidayCalendar
from services.scheduler.application.measure_capacity import CsmWeek, measure_weeks
from services.scheduler.entrypoints.http_capacity import write_weeks

BEGIN = date(2026, 12, 1)
PLACES = (("Europe/Berlin", "DE"), ("America/New_York", "US"), ("Asia/Tokyo", "JP"), ("Europe/London", "GB"))
LONGEST_SECONDS = 0.25
"""Of processor time between two turns of other work."""


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


async def test_other_work_goes_on_while_a_team_of_150_is_measured() -> None:
    longest = 0.0

    async def work_beside() -> None:
        nonlocal longest
        before = thread_time()
        while True:
            await asyncio.sleep(0)
            now = thread_time()
            longest, before = max(longest, now - before), now

    beside = asyncio.create_task(work_beside())
    await asyncio.sleep(0)
    weeks = await write_weeks(measure_weeks(team(150), (), BEGIN, BEGIN + timedelta(days=91)))
    beside.cancel()

    assert len(weeks) == 150 * 14
    assert {week["weekly_minutes"] for week in weeks} == {1500}
    assert 0 < longest < LONGEST_SECONDS
