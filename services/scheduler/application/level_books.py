"""Level the books of people whose work has changed: one person in one transaction.

A person's marks are taken before their touchpoints are read: whoever adds a mark later has it seen by the next pass. What
somebody else changes meanwhile wins, and the person is marked again.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from services.calendar.person_book import LevelledTouch, PersonBook
from services.calendar.person_levelling import PersonLevelling
from services.calendar.person_relief import PersonRelief, TouchRelief
from services.calendar.sharing import leave_out
from services.scheduler.application.cover_absences import AbsenceRepository, cover_absences, find_colleagues

Compute = Callable[[PersonBook, datetime], Awaitable[PersonLevelling | None]]
"""`level_person` off the event loop; None: the book cannot be levelled."""
STALE: Final = "others changed it meanwhile"


class UnreadableBook(Exception):
    """What is stored about a person or their accounts cannot be read: their book stays as it is."""

    def __init__(self, csm_id: str, problem: Exception) -> None:
        super().__init__(f"the book of {csm_id} cannot be read: {problem!r}")
        self.csm_id = csm_id


class LevelResult(NamedTuple):
    """What a pass did. `stale`: what somebody else changed meanwhile; `homeless`: touchpoints without an allowed day, of
    which `covered` went to colleagues; `escalated`: new escalations about them; `crowded`: touchpoints less than two days
    from another of their account; `gave_way`: cancelled, because there is no room; `returned`: planned again;
    `shared`: went to colleagues instead.
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
    gave_way: int = 0
    returned: int = 0
    shared: int = 0

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
        """Move touchpoints that are as they were read, and plan again those that gave way; how many."""
        ...

    async def save_given_up(self, book: PersonBook, given_up: Sequence[TouchRelief], now: datetime) -> int:
        """Cancel touchpoints that are as they were read, because there is no room; how many."""
        ...

    async def save_relief(self, csm_id: str, relief: PersonRelief) -> None:
        """Store what does not fit, instead of what was stored before, and when the person is marked because of it."""
        ...

    async def mark(self, csm_id: str, cause: str) -> None:
        """Have the person's book levelled again."""
        ...


async def level_next_book(books: BookRepository, compute: Compute, now: datetime) -> LevelResult:
    """Level the book of one person, and give up what does not fit; an empty result when nobody is marked."""
    book = await books.claim(now)
    if book is None:
        return LevelResult()
    levelled = await compute(book, now)
    if levelled is None:
        return LevelResult(1, failed=1)
    if levelled.anchors:
        phases = await books.save_anchors(book.csm_id, levelled.anchors)
        stale = len(levelled.anchors) - phases
        await books.mark(book.csm_id, STALE if stale else "its new rhythms have their phases")
        return LevelResult(1, phases=phases, stale=stale)
    result = await _save_levelling(books, book, levelled, now)
    if result.stale:
        await books.mark(book.csm_id, STALE)
    elif result.shared:
        await books.mark(book.csm_id, "colleagues lead what had no room")
    await books.save_relief(book.csm_id, levelled.relief)
    return result


async def _save_levelling(
    books: BookRepository, book: PersonBook, levelled: PersonLevelling, now: datetime
) -> LevelResult:
    shares = await find_colleagues(book, levelled, books.absences, now)
    levelled = leave_out(levelled, shares)
    given_up, yielded = levelled.relief.given_up, {each.id for each in book.yielded}
    back = [move for move in levelled.moves if move.id in yielded]
    gave_way = await books.save_given_up(book, given_up, now)
    returned = await books.save_moves(book, back, now)
    moves = [move for move in levelled.moves if move.id not in yielded]
    moved = await books.save_moves(book, moves, now)
    absence = await cover_absences(book, levelled, shares, books.absences, now)
    wanted = len(given_up) + len(levelled.moves)
    return LevelResult(
        1,
        moved,
        stale=wanted - gave_way - returned - moved + absence.stale,
        homeless=len(levelled.homeless),
        covered=absence.covered,
        escalated=absence.escalated,
        crowded=levelled.crowded,
        gave_way=gave_way,
        returned=returned,
        shared=len(shares),
    )
