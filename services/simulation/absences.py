"""Colleagues who lead what people are away for or have no room for, and escalations about the rest, as live."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from services.calendar.absences import (
    Cover,
    change_escalations_about,
    describe_difficulties,
    find_covers,
    find_in_question,
    hand_over,
    is_about,
    span_around,
)
from services.calendar.deputies import Deputy, DeputyWork
from services.calendar.escalation import make_escalation
from services.calendar.levelling import Obstacle
from services.calendar.person_book import PersonBook, PlannedTouch
from services.calendar.person_levelling import PersonLevelling
from services.calendar.reconciliation.context import ChangeKind
from services.calendar.sharing import find_shareable, find_shares, make_deputy
from services.calendar.shortages import describe_shortages
from services.calendar.touchpoint import Status, Touchpoint
from services.simulation.account import SimulatedAccount
from services.simulation.book import Colleague
from services.simulation.people import PersonWork

ListPlanned = Callable[[str, datetime, datetime], list[DeputyWork]]
"""What a person has planned from one moment up to another."""


FindDeputies = Callable[[Sequence[PlannedTouch]], Mapping[str, Sequence[Deputy]]]
"""By account who may lead these touchpoints instead."""


class Covered(NamedTuple):
    """What went to colleagues, and the accounts in whose calendars anything changed; `owed` are to be reconciled."""

    handed_over: Sequence[tuple[SimulatedAccount, Touchpoint]]
    accounts: Sequence[SimulatedAccount]
    owed: Sequence[SimulatedAccount]


def cover_absences(
    work: PersonWork,
    levelled: tuple[PersonBook, PersonLevelling],
    shares: Sequence[Cover],
    deputies: FindDeputies,
    now: datetime,
) -> Covered:
    """Hand over what finds no day because its person is away, and `shares`; escalate what nobody can lead.

    `levelled`: the person's book and what became of it.
    """
    book, outcome = levelled
    in_question = find_in_question(book, outcome.homeless)
    touches = [each.touch for each in in_question if each.obstacle is Obstacle.AWAY]
    covers = [*(find_covers(book, touches, deputies(touches), now) if touches else []), *shares]
    handed_over = _hand_over(work, book, covers)
    difficulties = describe_difficulties(book, in_question, {each.touch_id for each in covers})
    difficulties += describe_shortages(book, outcome.relief.escalated)
    wanted = {each.id: each for each in (make_escalation(found, book.hours, now) for found in difficulties)}
    escalated = _escalate(work, wanted)
    changed = {account.account_id: account for account in (*(pair[0] for pair in handed_over), *escalated)}
    owed = {each.account_id for each in touches if each.owed_within is not None}
    accounts = [changed[account_id] for account_id in sorted(changed)]
    return Covered(handed_over, accounts, [each for each in accounts if each.account_id in owed])


def find_colleagues(
    book: PersonBook, levelled: PersonLevelling, deputies: FindDeputies, now: datetime
) -> list[Cover]:
    """Who of the pools leads instead what has no room in the weeks of its person."""
    shareable = find_shareable(levelled.relief)
    touches = [each.touch for each in shareable]
    return find_shares(book, shareable, deputies(touches), now) if touches else []


def list_work(work: PersonWork, after: datetime, span: tuple[datetime, datetime]) -> list[DeputyWork]:
    """What of a person comes due after that moment within the span."""
    first, last = span
    return [
        DeputyWork(each.due_at, each.minutes, work.is_invited(account, each, after))
        for account, each in work.planned(after)
        if first <= each.due_at < last
    ]


def find_deputies(
    work: PersonWork, people: Sequence[Colleague], planned: ListPlanned, touches: Sequence[PlannedTouch]
) -> Mapping[str, Sequence[Deputy]]:
    """By account the other members of its pool. `people`: those of the directory."""
    span = span_around(touches)
    found: dict[str, list[Deputy]] = {}
    for account_id in sorted({touch.account_id for touch in touches}):
        pool = work.accounts[account_id].owners.pool
        members = [each for each in people if pool is not None and each.pool == pool]
        found[account_id] = [
            make_deputy(each.csm_id, each.hours, each.weekly_minutes, planned(each.csm_id, *span), span)
            for each in members
            if each.csm_id != work.colleague.csm_id and each.role in (None, "csm")
        ]
    return found


def _hand_over(
    work: PersonWork, book: PersonBook, covers: Sequence[Cover]
) -> list[tuple[SimulatedAccount, Touchpoint]]:
    account_of = {touch.id: touch.account_id for touch in book.touches}
    handed_over: list[tuple[SimulatedAccount, Touchpoint]] = []
    for each in covers:
        account = work.accounts[account_of[each.touch_id]]
        touchpoint = account.calendar[each.touch_id]
        if not touchpoint.pinned:
            covered = hand_over(touchpoint, each)
            account.change_by_levelling(covered)
            handed_over.append((account, covered))
    return handed_over


def _escalate(work: PersonWork, wanted: Mapping[str, Touchpoint]) -> list[SimulatedAccount]:
    """Bring the escalations about the person's days to those that are wanted; the accounts that have other ones now."""
    stored = {
        each.id: each
        for account in work.accounts.values()
        for each in account.calendar.values()
        if (each.status is Status.PLANNED or each.id in wanted) and is_about(each, work.colleague.csm_id)
    }
    changes = [
        change for change in change_escalations_about(wanted, stored) if change.kind is not ChangeKind.KEEP
    ]
    work.change()
    for change in changes:
        work.accounts[change.touchpoint.account_id].calendar[change.touchpoint.id] = change.touchpoint
    return [work.accounts[change.touchpoint.account_id] for change in changes]
