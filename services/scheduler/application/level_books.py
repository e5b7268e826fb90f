"""Level the books of people whose work has changed: one person in one transaction.

A person's marks are taken before their touchpoints are read: whoever adds a mark later has it seen by the next pass. What
somebody else changes meanwhile wins, and the person is marked again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from services.calendar.person_book import LevelledTouch, PersonBook, PersonLevelling
from services.calendar.person_conflicts import PersonConflict
from services.scheduler.application.cover_absences import AbsenceRepository, AbsenceResult, cover_absences

Compute = Callable[[PersonBook, datetime], Awaitable[PersonLevelling | None]]
"""`level_person` off the event loop; None: the book cannot be levelled."""
FindConflicts = Callable[[PersonBook, datetime], Awaitable[Sequence[PersonConflict] | None]]
"""`find_person_conflicts` off the event loop; None: they cannot be found."""


class UnreadableBook(Exception):
    """What is stored about a person or their accounts cannot be read: their book stays as it is."""

    def __init__(self, csm_id: str, problem: Exception) -> None:
        super().__init__(f"the book of {csm_id} cannot be read: {problem!r}")
        self.csm_id = csm_id


class LevelResult(NamedTuple):
    """What a pass did. `stale`: what somebody else changed meanwhile; `homeless`: touchpoints without an allowed day, of
    which `covered` went to colleagues; `escalated`: new escalations about them; `crowded`: touchpoints less than two days
    from another of their account.
    """

    books: int = 0
    moved: int = 0
    phases: int = 0
    stale: int = 0
    homeless: int = 0
    failed: int = 0
    covered: int = 0
    escalated: int = 0
    crowded: int = 0

    def counts(self) -> dict[str, int]:
        """By kind of the metric."""
        return {f"level_{name}": number for name, number in self._asdict().items() if number}


class BookRepository(Protocol):
    """People's books in one transaction, in which nobody else levels the person who was claimed."""

    @property
    def absences(self) -> AbsenceRepository:
        """In the same transaction."""
        ...

    async def claim(self, now: datetime) -> PersonBook | None:
        """The book of somebody who is marked; their marks are taken. None: nobody is, or others level them.

        Raises UnreadableBook with the marks taken, so that the others do not wait for ever behind that person.
        """
        ...

    async def is_anybody_marked(self) -> bool: ...

    async def save_anchors(self, csm_id: str, anchors: Mapping[tuple[str, str], datetime]) -> int:
        """Store the anchors of rhythms whose phase is still to be chosen; how many."""
        ...

    async def save_moves(self, book: PersonBook, moves: Sequence[LevelledTouch], now: datetime) -> int:
        """Move touchpoints that are as they were read; how many."""
        ...

    async def save_conflicts(self, csm_id: str, conflicts: Sequence[PersonConflict]) -> None:
        """Store what does not fit, instead of what was stored before."""
        ...

    async def mark(self, csm_id: str, cause: str) -> None:
        """Have the person's book levelled again."""
        ...


async def level_next_book(
    books: BookRepository, compute: Compute, now: datetime, find_conflicts: FindConflicts | None = None
) -> LevelResult:
    """Level the book of one person, and find what does not fit; an empty result when nobody is marked."""
    book = await books.claim(now)
    if book is None:
        return LevelResult()
    levelled = await compute(book, now)
    if levelled is None:
        return LevelResult(1, failed=1)
    phases = await books.save_anchors(book.csm_id, levelled.anchors)
    moved = await books.save_moves(book, levelled.moves, now)
    absence = AbsenceResult()
    if not levelled.anchors:
        absence = await cover_absences(book, levelled.homeless, books.absences, now)
    stale = len(levelled.anchors) - phases + len(levelled.moves) - moved + absence.stale
    if levelled.anchors or stale:
        cause = "its new rhythms have their phases" if not stale else "others changed it meanwhile"
        await books.mark(book.csm_id, cause)
    conflicts = None if levelled.anchors or find_conflicts is None else await find_conflicts(book, now)
    if conflicts is not None:
        await books.save_conflicts(book.csm_id, conflicts)
    return LevelResult(
        1,
        moved,
        phases,
        stale,
        len(levelled.homeless),
        covered=absence.covered,
        escalated=absence.escalated,
        crowded=levelled.crowded,
    )
