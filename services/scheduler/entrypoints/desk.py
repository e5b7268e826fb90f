"""What the HTTP doors are given: the shelf to read from, and the desk to act at."""

from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.chassis.clock import ServiceClock
from services.chassis.database import Connection, Database, real_now
from services.chassis.problems import Problem
from services.scheduler.application.act import NoSuchTouchpoint, StaleVersion
from services.scheduler.application.capacity import Load, Person
from services.scheduler.application.look import Entry, Filter, Shelf
from services.scheduler.application.ports import Ledger
from services.scheduler.domain.touchpoint import IllegalTransition


class Reads(Shelf, Protocol):
    async def now(self) -> datetime: ...

    async def one(self, touchpoint_id: str) -> Entry | None: ...

    async def changed(self, wanted: Filter, after: tuple[int, str] | None, limit: int) -> list[Entry]: ...

    async def load(
        self, start: datetime, end: datetime, csm_id: str | None
    ) -> tuple[Mapping[str, Person], list[Load]]: ...


@dataclass(frozen=True, slots=True)
class Answers:
    shelf: Reads
    clock: ServiceClock

    async def now(self) -> datetime:
        """Service now by the database's clock."""
        return self.clock.at(await self.shelf.now())


@dataclass(frozen=True, slots=True)
class Counter:
    """Where people act: one transaction a request, errors as problem documents."""

    database: Database
    clock: ServiceClock
    ledger: Callable[[Connection], Ledger]
    after_commit: Callable[[], None]

    @asynccontextmanager
    async def open(self) -> AsyncGenerator[tuple[Ledger, datetime]]:
        """The ledger and service now. 404 and 409 are raised as problems; nothing is changed then."""
        try:
            async with self.database.transaction() as connection:
                yield self.ledger(connection), self.clock.at(await real_now(connection))
        except NoSuchTouchpoint as missing:
            raise Problem(404, f"{missing}.") from missing
        except StaleVersion as stale:
            raise Problem(409, f"{stale}.", current=stale.current, sequence=stale.current) from stale
        except IllegalTransition as refused:
            raise Problem(409, f"{refused}.") from refused
        self.after_commit()
