"""Let colleagues lead what a person is away for or has no room for, and escalate what nobody can lead."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, Protocol

from services.calendar.absences import (
    AccountTouch,
    Cover,
    change_escalations_about,
    describe_difficulties,
    find_covers,
    find_in_question,
)
from services.calendar.deputies import Deputy
from services.calendar.escalation import make_escalation
from services.calendar.levelling import Obstacle
from services.calendar.person_book import PersonBook, PlannedTouch
from services.calendar.person_levelling import PersonLevelling
from services.calendar.reconciliation.context import ChangeKind
from services.calendar.sharing import find_shareable, find_shares
from services.calendar.shortages import describe_shortages
from services.calendar.touchpoint import Touchpoint
from services.scheduler.application.ports import TouchpointUpdate
from services.scheduler.application.reconcile_calendar import describe_update


class AbsenceRepository(Protocol):
    """What the cover of absences needs, in the transaction that levels the person's book."""

    async def load_deputies(
        self, book: PersonBook, touches: Sequence[PlannedTouch]
    ) -> Mapping[str, Sequence[Deputy]]:
        """By account the other members of its pool."""
        ...

    async def save_covers(self, book: PersonBook, covers: Sequence[Cover], now: datetime) -> Collection[str]:
        """Hand over touchpoints that are as they were read; the ids of those."""
        ...

    async def lock_escalations(
        self, book: PersonBook, wanted: Mapping[str, Touchpoint]
    ) -> Mapping[str, Touchpoint] | None:
        """The calendar's planned escalations about the person, and the stored ones of the wanted; None: others change
        them or their accounts.
        """
        ...

    async def save_escalations(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None: ...


class AbsenceResult(NamedTuple):
    """How many touchpoints were handed to colleagues, and how many escalations are new. `stale`: others changed some."""

    covered: int = 0
    escalated: int = 0
    stale: int = 0


async def find_colleagues(
    book: PersonBook, levelled: PersonLevelling, absences: AbsenceRepository, now: datetime
) -> list[Cover]:
    """Who of the pools leads instead what has no room in the weeks of its person."""
    shareable = find_shareable(levelled.relief)
    if not shareable:
        return []
    colleagues = await absences.load_deputies(book, [each.touch for each in shareable])
    return find_shares(book, shareable, colleagues, now)


async def cover_absences(
    book: PersonBook,
    levelled: PersonLevelling,
    shares: Sequence[Cover],
    absences: AbsenceRepository,
    now: datetime,
) -> AbsenceResult:
    """Level-triggered: escalations whose cause is gone are cancelled. `shares`: what colleagues take because of room."""
    homeless, escalated = levelled.homeless, levelled.relief.escalated
    in_question = find_in_question(book, homeless)
    covers = [*await _find_covers(book, in_question, absences, now), *shares]
    covered = await absences.save_covers(book, covers, now) if covers else ()
    difficulties = describe_difficulties(book, in_question, {each.touch_id for each in covers})
    difficulties += describe_shortages(book, escalated)
    wanted = {each.id: each for each in (make_escalation(found, book.hours, now) for found in difficulties)}
    stored = await absences.lock_escalations(book, wanted)
    if stored is None:
        return AbsenceResult(len(covered), 0, 1)
    changes = change_escalations_about(wanted, stored)
    updates = [
        describe_update(change, content, stored.get(change.touchpoint.id))
        for change in changes
        if change.kind is not ChangeKind.KEEP and (content := change.touchpoint.content) is not None
    ]
    await absences.save_escalations(updates, now)
    new = sum(update.event_kind == "scheduled" for update in updates)
    return AbsenceResult(len(covered), new, len(covers) - len(covered))


async def _find_covers(
    book: PersonBook, in_question: Sequence[AccountTouch], absences: AbsenceRepository, now: datetime
) -> list[Cover]:
    touches = [each.touch for each in in_question if each.obstacle is Obstacle.AWAY]
    return find_covers(book, touches, await absences.load_deputies(book, touches), now) if touches else []
