"""Levels the books of people, one in a transaction, on every replica; the computing is done in a worker process."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import structlog

from services.calendar.person_book import PersonBook
from services.calendar.person_levelling import PersonLevelling, level_person
from services.chassis.clock import ServiceClock
from services.chassis.database import INFRASTRUCTURE, Connection, Database, real_now
from services.chassis.faults import fault
from services.chassis.worker_process import WorkerBusy, WorkerProcess
from services.scheduler.application.level_books import (
    BookRepository,
    LevelResult,
    UnreadableBook,
    level_next_book,
)
from services.scheduler.application.ports import Count

log = structlog.get_logger(__name__)

WAIT_SECONDS: Final = 0.2
"""Real time until marks that are too fresh, or that another replica works at, are looked at again."""
IDLE_SECONDS: Final = 60.0
"""Real time without a book, after which the worker process is closed: it has NumPy in its memory."""


@dataclass(slots=True)
class Leveller:
    """`is_waiting`: somebody is marked whose book nobody has levelled yet."""

    database: Database
    clock: ServiceClock
    books: Callable[[Connection], BookRepository]
    worker: WorkerProcess
    after_commit: Callable[[], None]
    count: Count
    is_waiting: bool = True
    _last_at: float = 0.0

    async def run_once(self) -> float | None:
        async with self.database.transaction() as connection:
            now = self.clock.at(await real_now(connection))
            books = self.books(connection)
            result = await self._level_next(books, now)
            self.is_waiting = result.books > 0 or await books.is_anybody_marked()
            fault("sweep.before_commit")
        loop_time = asyncio.get_running_loop().time()
        if not result.books:
            if loop_time - self._last_at > IDLE_SECONDS:
                await self.worker.close()
            return WAIT_SECONDS if self.is_waiting else None
        self._last_at = loop_time
        for kind, number in result.counts().items():
            self.count(kind, number)
        self.after_commit()
        return 0

    async def _level_next(self, books: BookRepository, now: datetime) -> LevelResult:
        try:
            return await level_next_book(books, self._compute, now)
        except UnreadableBook as problem:
            log.exception("level.failed", csm_id=problem.csm_id, problem=str(problem))
        return LevelResult(1, failed=1)

    async def _compute(self, book: PersonBook, now: datetime) -> PersonLevelling | None:
        """None: it cannot be computed, which is logged; what was there before stays."""
        try:
            return await self.worker.run(level_person, book, now)
        except (*INFRASTRUCTURE, WorkerBusy):
            raise
        except Exception as problem:
            log.exception(
                "level.failed", csm_id=book.csm_id, touchpoints=len(book.touches), problem=repr(problem)
            )
        return None
