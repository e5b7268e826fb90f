"""Hand the book of a person over to another one, or share it out over a pool: a preview, then batches of accounts.

A hand-over lasts while the directory names the former person for the account: the calendar follows it instead. Once the
directory names somebody else, that wins, also when it later names the former person again. Nothing is told to the
directory; the answer lists the accounts that still name the former person.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple, Protocol

from services.calendar.assignment import Person
from services.calendar.open_hours import OpenHours
from services.calendar.person_hours import DEFAULT_HOURS
from services.scheduler.application.measure_capacity import CapacityWeek, CsmWeek, measure_weeks
from services.scheduler.application.ports import CalendarRepository, TouchpointUpdate
from services.scheduler.application.read_touchpoints import TouchpointReader
from services.scheduler.domain.handover import (
    WEEKS,
    AccountHandover,
    Book,
    BookAccount,
    Colleague,
    HandoverPlan,
    plan_handover,
)

BATCH: Final = 20
"""Accounts in one transaction."""
MOST_NAMED: Final = 10
"""Accounts that a message names."""


class HandoverRefused(Exception):
    """The hand-over asks for a person or an account that does not fit; the message says which."""


class StaleHandover(Exception):
    def __init__(self, csm_id: str) -> None:
        super().__init__(f"the book of {csm_id} has changed since the preview; preview it again")


class WantedHandover(NamedTuple):
    """Whose book, to whom (None: over the pool), and which accounts (None: all). `version`: that of the preview."""

    csm_id: str
    to: str | None = None
    account_ids: Collection[str] | None = None
    version: str | None = None


class HandoverRepository(Protocol):
    """People's books in one transaction."""

    async def pause_if_long(self) -> None:
        """Let other work go on when this has computed for long."""
        ...

    async def load_accounts(self, csm_id: str) -> Sequence[BookAccount]:
        """The accounts whose open touchpoints, rhythms or directory name the person, by id."""
        ...

    async def load_people(self) -> Sequence[Person]:
        """Everybody whom the directory describes."""
        ...

    async def find_pool(self, csm_id: str) -> str | None:
        """The pool of a person, also of one who has left."""
        ...

    async def count_accounts(self) -> Mapping[str, int]:
        """By person the accounts with open touchpoints."""
        ...

    async def find_open(self, csm_id: str, account_ids: Collection[str]) -> Collection[str]:
        """The ids of the person's open touchpoints of these accounts."""
        ...

    async def save(self, csm_id: str, takers: Mapping[str, str]) -> None:
        """Let each account be led by its taker instead of the person, and record it in the audit log."""
        ...

    async def claim_left(self) -> Person | None:
        """Somebody who has left and whose accounts nobody has shared out yet."""
        ...

    async def finish_left(self, csm_id: str) -> None: ...


class HandoverContext(NamedTuple):
    """What a hand-over reads and writes in one transaction, and its time."""

    handovers: HandoverRepository
    calendars: CalendarRepository
    reader: TouchpointReader
    now: datetime


async def preview_handover(wanted: WantedHandover, context: HandoverContext) -> HandoverPlan:
    """Who would take which accounts; nothing is written. Raises HandoverRefused and StaleHandover."""
    people = {person.csm_id: person for person in await context.handovers.load_people()}
    if wanted.to is not None:
        await _check_taker(wanted, context)
    accounts = await context.handovers.load_accounts(wanted.csm_id)
    if not accounts and not await context.calendars.assignments.find_named({wanted.csm_id}):
        raise HandoverRefused(
            f"from: nobody is known as {wanted.csm_id[:200]!r}, and nobody of that id has accounts"
        )
    accounts = _select_accounts(wanted, accounts)
    pool = await context.handovers.find_pool(wanted.csm_id)
    pools = {account.pool or pool for account in accounts}
    csms = [each for each in people.values() if each.role in (None, "csm") and each.pool in pools]
    takers = {each.csm_id for each in csms} if wanted.to is None else {wanted.to}
    if wanted.to is None and accounts and not takers - {wanted.csm_id}:
        raise HandoverRefused(
            f"to: nobody else is in the pool of {wanted.csm_id} or of these accounts; say who takes them"
        )
    start = _monday(context.now)
    colleagues = await _load_colleagues({*takers, wanted.csm_id}, people, start, context)
    plan = plan_handover(Book(wanted.csm_id, pool, start, accounts, colleagues), wanted.to)
    if wanted.version is not None and wanted.version != plan.version:
        raise StaleHandover(wanted.csm_id)
    return plan


async def _check_taker(wanted: WantedHandover, context: HandoverContext) -> None:
    assert wanted.to is not None  # noqa: S101
    if wanted.to == wanted.csm_id:
        raise HandoverRefused(f"to: {wanted.to} has these accounts already; name somebody else")
    if wanted.to not in await context.calendars.assignments.find_named({wanted.to}):
        raise HandoverRefused(
            f"to: nobody is known as {wanted.to[:200]!r}; check the id, or describe the person with csm.described"
        )


def _select_accounts(wanted: WantedHandover, accounts: Sequence[BookAccount]) -> list[BookAccount]:
    if wanted.account_ids is None:
        return list(accounts)
    chosen = set(wanted.account_ids)
    unknown = sorted(chosen.difference(account.account_id for account in accounts))
    if unknown:
        named = ", ".join(name[:200] for name in unknown[:MOST_NAMED])
        raise HandoverRefused(f"account_ids: {wanted.csm_id} does not lead {named}; leave them out")
    return [account for account in accounts if account.account_id in chosen]


async def _load_colleagues(
    csm_ids: Collection[str], people: Mapping[str, Person], start: datetime, context: HandoverContext
) -> dict[str, Colleague]:
    end = start + timedelta(weeks=WEEKS)
    described, loads = await context.reader.load_weeks(start, end, None)
    mine = {csm_id: described.get(csm_id, CsmWeek(csm_id)) for csm_id in csm_ids}
    loads = [load for load in loads if load.csm_id in mine]
    last = (end - timedelta(days=1)).date()
    weeks: dict[str, list[CapacityWeek]] = {}
    for week in measure_weeks(mine, loads, start.date(), last):
        await context.handovers.pause_if_long()
        weeks.setdefault(week.csm_id, []).append(week)
    hours: Mapping[str, OpenHours] = await context.calendars.load_hours(csm_ids)
    accounts = await context.handovers.count_accounts()
    return {
        csm_id: Colleague(
            csm_id,
            people[csm_id].pool if csm_id in people else None,
            [week.planned_minutes for week in weeks[csm_id]],
            [week.available_minutes for week in weeks[csm_id]],
            hours.get(csm_id, DEFAULT_HOURS),
            accounts.get(csm_id, 0),
        )
        for csm_id in sorted(csm_ids)
    }


async def hand_over_batch(
    csm_id: str, accounts: Sequence[AccountHandover], note: str, context: HandoverContext
) -> int:
    """Give the open touchpoints of these accounts to their takers, and let their plans follow; how many touchpoints.

    What a person pinned keeps its time; the rest is placed into the hours of its new owner when its account is
    reconciled next, and levelled with their book.
    """
    takers = {each.account_id: each.to for each in accounts if each.to is not None}
    await context.calendars.lock(takers)
    found = await context.calendars.find(await context.handovers.find_open(csm_id, takers))
    updates: list[TouchpointUpdate] = []
    for stored in found.values():
        touchpoint = stored.touchpoint
        to = takers[touchpoint.account_id]
        given = touchpoint._replace(csm_id=to, sequence=touchpoint.sequence + 1)
        reason = f"{note} from {csm_id} to {to}"
        updates.append(
            TouchpointUpdate(
                given, stored.content, "moved", reason, touchpoint.due_at, "person", touchpoint.holder
            )
        )
    await context.calendars.save_quietly(updates, context.now)
    await context.handovers.save(csm_id, takers)
    return len(updates)


async def share_out_left(context: HandoverContext) -> int | None:
    """Share out a batch of the accounts of somebody who has left; how many, None: nobody has left.

    Accounts without a pool wait for whoever hands them over by hand: nobody knows who may take them.
    """
    person = await context.handovers.claim_left()
    if person is None:
        return None
    accounts = await context.handovers.load_accounts(person.csm_id)
    pooled = [each.account_id for each in accounts if each.pool or person.pool]
    try:
        plan = await preview_handover(WantedHandover(person.csm_id, account_ids=pooled), context)
    except HandoverRefused:
        plan = None
    takes = [] if plan is None else [each for each in plan.accounts if each.to is not None]
    if len(takes) <= BATCH:
        await context.handovers.finish_left(person.csm_id)
    if takes:
        await hand_over_batch(person.csm_id, takes[:BATCH], "handed over, since they left,", context)
    return len(takes[:BATCH])


def _monday(moment: datetime) -> datetime:
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    return midnight - timedelta(days=midnight.weekday())
