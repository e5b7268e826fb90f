"""Composes what reads the calendars of CSMs, so that their busy time is kept free."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from typing import Final, Self

from services.chassis.loops import Loop
from services.chassis.secret_box import SecretBox
from services.chassis.service import Runtime
from services.chassis.worker_process import WorkerProcess
from services.scheduler.adapters.busy_calendar_repository import (
    PostgresBusyCalendarQueue,
    PostgresBusyCalendars,
    seal_addresses,
)
from services.scheduler.adapters.calendar_client import CalendarClient
from services.scheduler.application.ports import Count
from services.scheduler.entrypoints.calendar_reader import AT_ONCE, REST_SECONDS, CalendarReader
from services.scheduler.entrypoints.http_busy_calendars import BusyCalendarServices

PARSER: Final = "services.calendar.icalendar_busy"
PARSE_SECONDS: Final = 60.0
"""The longest that one calendar may take to read: five megabytes of events took eleven seconds."""
PARSE_MEGABYTES: Final = 1024


class BusyCalendars:
    """The parts of one runtime: the loop that reads, and what the routes need."""

    def __init__(self, runtime: Runtime, after_commit: Callable[[], None], count: Count) -> None:
        box = SecretBox(runtime.keys.secrets)
        settings = runtime.settings.busy_calendars
        client = CalendarClient(runtime.settings.webhook_allow_private, box)
        worker = WorkerProcess(
            seconds=PARSE_SECONDS, megabytes=PARSE_MEGABYTES, most_waiting=AT_ONCE, module=PARSER
        )
        queue = partial(
            PostgresBusyCalendarQueue,
            every=timedelta(seconds=settings.every_seconds),
            kept=timedelta(days=settings.kept_days),
        )
        reader = CalendarReader(
            runtime.database, runtime.clock, queue, client.fetch, worker, after_commit, count
        )
        self.loop: Final = Loop("read calendars", interval=REST_SECONDS, run_once=reader.run_once)
        self.close: Final[Callable[[], Awaitable[None]]] = worker.close
        self.services: Final = BusyCalendarServices(
            PostgresBusyCalendars(runtime.database, box),
            runtime.clock,
            client.check,
            timedelta(days=settings.kept_days),
            self.loop.wake,
            after_commit,
        )
        self._seal = partial(seal_addresses, runtime.database, box)

    async def start(self) -> Self:
        """Bring the stored addresses under the first key of the key file."""
        await self._seal()
        return self
