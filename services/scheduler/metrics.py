"""The metrics of the scheduler, besides those of every service."""

from typing import Final

from services.chassis.metric_catalogue import MetricGroup

SCHEDULER: Final = MetricGroup("scheduler")
CALENDAR: Final = SCHEDULER.counter(
    "drumbeat_calendar_total", "What the scheduler did, by kind", ["what"], unit="acts"
)
CALENDAR.labels("promise_unannounced")  # 0 before the first one, so that an alert sees it
