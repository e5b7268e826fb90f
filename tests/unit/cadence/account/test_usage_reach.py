"""Which usage reports new ones may change."""

from datetime import datetime

from services.cadence.account import FactEvent, micros
from services.cadence.account.usage_reach import EVERYTHING, usage_reach
from tests.unit.cadence.events import DAY, HOUR, NOW, facts_after, make_event

MIDNIGHT = NOW.replace(hour=0, minute=0, second=0, microsecond=0)


def report(end: datetime, length: object = DAY) -> FactEvent:
    start = end - (DAY if length is DAY else HOUR)
    return make_event("usage.reported", end, period_start=start, period_end=end, events=5)


def test_a_daily_report_reaches_what_ends_after_its_start() -> None:
    usage = facts_after([report(MIDNIGHT - day * DAY) for day in range(1, 9)]).usage

    reach = usage_reach(usage, [report(MIDNIGHT)])

    assert reach.covers(micros(MIDNIGHT))
    assert not reach.covers(micros(MIDNIGHT - DAY))


def test_a_report_of_the_day_after_completes_a_day_of_hours() -> None:
    usage = facts_after([report(MIDNIGHT - DAY + hour * HOUR, HOUR) for hour in range(1, 5)]).usage

    assert usage_reach(usage, [report(MIDNIGHT + DAY)]).covers(micros(MIDNIGHT - 20 * HOUR))


def test_reports_whose_windows_lose_a_day_are_reached() -> None:
    usage = facts_after([report(MIDNIGHT - day * DAY) for day in range(65, 0, -1)]).usage

    reach = usage_reach(usage, [report(MIDNIGHT + DAY)])

    assert reach.covers(micros(MIDNIGHT - 12 * DAY))
    assert not reach.covers(micros(MIDNIGHT - 2 * DAY))


def test_other_events_reach_none_and_too_many_periods_all() -> None:
    usage = facts_after([report(MIDNIGHT)]).usage

    assert not usage_reach(usage, [make_event("health.scored", NOW, score=3)]).covers(micros(NOW))
    assert usage_reach(usage, [report(MIDNIGHT)] * 40) == EVERYTHING
