"""Reads the calendars of CSMs, one after another of those whose time has come, on every replica."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from services.calendar.icalendar_busy import CalendarOwner, ReadCalendar, UnreadableCalendar, read_calendar
from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.worker_process import JobTooLarge, WorkerProcess
from services.scheduler.application.busy_calendars import (
    BusyCalendarQueue,
    CalendarToRead,
    CalendarUnreachable,
    Fetch,
    Reading,
    read_busy_calendar,
)
from services.scheduler.application.ports import Count

log = structlog.get_logger(__name__)

AT_ONCE: Final = 8
REST_SECONDS: Final = 5.0
"""Between two looks at the queue, in real seconds: a new address is read at once, or on another replica by then."""


@dataclass(frozen=True, slots=True)
class CalendarReader:
    """`worker`: reads the files, which come from outside, in a process with limits of its own."""

    database: Database
    clock: ServiceClock
    queue: Callable[[Connection], BusyCalendarQueue]
    fetch: Fetch
    worker: WorkerProcess
    after_commit: Callable[[], None]
    count: Count

    async def run_once(self) -> float | None:
        async with self.database.transaction() as connection:
            real = await real_now(connection)
            claimed = await self.queue(connection).claim(real, self.clock.at(real), AT_ONCE)
        if not claimed:
            await self.worker.close()
            return REST_SECONDS
        results = await asyncio.gather(*map(self._read, claimed), return_exceptions=True)
        for problem in results:  # of the database: what was claimed is claimed again
            if problem is not None:
                raise problem
        return 0

    async def _read(self, wanted: CalendarToRead) -> None:
        reading, problem = await self._try(wanted)
        async with self.database.transaction() as connection:
            queue, real = self.queue(connection), await real_now(connection)
            now = self.clock.at(real)
            if reading is not None:
                has_changed = await queue.save_reading(wanted, reading, real, now)
            else:
                has_changed = await queue.save_failure(wanted, problem, real, now)
        self.count("busy_calendar_read" if reading is not None else "busy_calendar_failed", 1)
        if has_changed:
            self.after_commit()

    async def _try(self, wanted: CalendarToRead) -> tuple[Reading | None, str]:
        """What was read, or why nothing was."""
        try:
            return await read_busy_calendar(wanted, self.fetch, self._parse, self.clock.now()), ""
        except (CalendarUnreachable, UnreadableCalendar) as problem:
            text = str(problem)
        except JobTooLarge as problem:
            text = f"the calendar takes too much to read: {problem}"
        log.warning("busy_calendar.failed", csm_id=wanted.csm_id, problem=text, failures=wanted.failures + 1)
        return None, text

    async def _parse(
        self, content: bytes, owner: CalendarOwner, first: datetime, until: datetime
    ) -> ReadCalendar:
        return await self.worker.run(read_calendar, content, owner, first, until)
