"""Accept: plans become calendars, a whole batch of accounts at a time.

A stale plan is ignored; a plan that wishes for what already stands costs no look at the calendar; a missing
touchpoint's outcome that came first is applied as soon as the touchpoint is there.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo

from services.scheduler.application.ports import Account, Calendar, Kept, Kind, Page, Reworded, Wish
from services.scheduler.domain.calendar import Hours, zone
from services.scheduler.domain.plan import (
    Cancel,
    Change,
    Context,
    Convergence,
    Create,
    Held,
    Keep,
    Move,
    Plan,
    converge,
    erase,
)
from services.scheduler.domain.recurrence import Series, horizon, slots
from services.scheduler.domain.touchpoint import Closure, Face, Origin, Outcome, Status, Touchpoint, settled

BREATH = timedelta(hours=1)
"""No account is looked at again sooner, whatever its rhythms come to."""
NOBODYS_HOURS = Hours(ZoneInfo("UTC"))


@dataclass(frozen=True, slots=True)
class Tally:
    """How many calendars were looked at, and what there was to tell beyond the changes themselves.

    `left_out`: occurrences that a time to avoid left no room; `stretched`: moves that make too long a gap.
    """

    calendars: int = 0
    left_out: int = 0
    stretched: int = 0


async def accept(wishes: Sequence[Wish], calendar: Calendar, now: datetime) -> Tally:
    """Bring the calendars of these plans' accounts to them."""
    newest: dict[str, Wish] = {}
    for wish in wishes:
        held = newest.get(wish.plan.account_id)
        if held is None or wish.letter is None or wish.plan.version >= held.plan.version:
            newest[wish.plan.account_id] = wish
    accounts = await calendar.lock(newest.keys())
    fresh = [wish for name, wish in newest.items() if _is_news(wish, accounts[name])]
    if not fresh:
        return Tally()
    contexts = await _contexts([wish.plan for wish in fresh], accounts, calendar)
    changed: list[tuple[Wish, bytes]] = []
    reworded: list[Reworded] = []
    for wish in fresh:
        shape = shape_of(wish.plan, contexts[wish.plan.account_id])
        if wish.letter is not None and shape == accounts[wish.plan.account_id].shape:
            reworded.append(Reworded(wish, {each.type: each.face for each in wish.plan.rhythms}))
        else:
            changed.append((wish, shape))
    await calendar.keep_reworded(reworded)
    return await _turn_pages(changed, contexts, calendar, now)


def _is_news(wish: Wish, account: Account) -> bool:
    return wish.letter is None or wish.plan.version > account.version


def erasure(account_id: str, now: datetime) -> Wish:
    """The wish that nothing be planned for an account that is to be forgotten."""
    return Wish(Plan(account_id, -1, now, (), ()), None)


async def refresh(
    letters: Mapping[str, bytes], read: Callable[[bytes], Plan], calendar: Calendar, now: datetime
) -> Tally:
    """Look again at accounts whose horizon has moved on, or whose hours have changed; already locked."""
    accounts = await calendar.lock(letters.keys())
    wishes = [Wish(replace(read(letter), decided_at=now), letter) for letter in letters.values()]
    contexts = await _contexts([wish.plan for wish in wishes], accounts, calendar)
    shaped = [(wish, shape_of(wish.plan, contexts[wish.plan.account_id])) for wish in wishes]
    return await _turn_pages(shaped, contexts, calendar, now)


async def _contexts(
    plans: Sequence[Plan], accounts: Mapping[str, Account], calendar: Calendar
) -> dict[str, Context]:
    csm_ids = {each.csm_id for plan in plans for each in (*plan.rhythms, *plan.one_offs) if each.csm_id}
    hours = await calendar.hours(csm_ids)
    return {
        plan.account_id: Context(zone(accounts[plan.account_id].zone).info, NOBODYS_HOURS, hours)
        for plan in plans
    }


async def _turn_pages(
    changed: Sequence[tuple[Wish, bytes]], contexts: Mapping[str, Context], calendar: Calendar, now: datetime
) -> Tally:
    if not changed:
        return Tally()
    held = await calendar.held([wish.plan for wish, _ in changed], now)
    pages: list[Page] = []
    left_out = stretched = 0
    for wish, wished_shape in changed:
        name = wish.plan.account_id
        forget = wish.letter is None
        shape = None if forget else wished_shape
        convergence = erase(held[name]) if forget else converge(wish.plan, held[name], contexts[name], now)
        kept = list(_kept(convergence, held[name]))
        left_out += _left_out(kept)
        stretched += convergence.stretched
        again = extend_at(convergence.series, contexts[name])
        again = None if again is None else max(again, now + BREATH)
        pages.append(Page(wish, shape, kept, convergence.series, again))
    made = [each.touchpoint.id for page in pages for each in page.touchpoints if each.tell == "scheduled"]
    early = await calendar.take_early_outcomes(made)
    if early:
        pages = [
            replace(page, touchpoints=[_told(each, early) for each in page.touchpoints]) for page in pages
        ]
    await calendar.keep_pages(pages, now)
    return Tally(len(changed), left_out, stretched)


def _left_out(kept: Iterable[Kept]) -> int:
    cancelled = (each.touchpoint for each in kept if each.tell == "cancelled")
    return sum(
        each.origin is Origin.RHYTHM
        and each.verdict is not None
        and each.verdict.closure is Closure.SUPPRESSED
        for each in cancelled
    )


def _kept(convergence: Convergence, held: Held) -> Iterable[Kept]:
    """Only what changed; a cancelled occurrence leaves with the face its rhythm had until now."""
    new = {each.type: each.face for each in convergence.series}
    before = {each.id: each for each in held.touchpoints}
    for change in convergence.changes:
        if isinstance(change, Keep) and not change.refreshed:
            continue
        touchpoint = change.touchpoint
        series = held.series.get(touchpoint.type)
        old = None if series is None else series.face
        speaks = old if isinstance(change, Cancel) and old is not None else new.get(touchpoint.type, old)
        face = touchpoint.face or speaks
        if face is not None:
            yield _said(change, face, before.get(touchpoint.id))


def _said(change: Change, face: Face, before: Touchpoint | None) -> Kept:
    touchpoint = change.touchpoint
    kind: Kind | None = None
    note = None if touchpoint.verdict is None else f"{touchpoint.verdict.closure}: {touchpoint.verdict.text}"
    previous = None
    match change:
        case Create():
            kind = "cancelled" if touchpoint.status is Status.CANCELLED else "scheduled"
            note = note or touchpoint.shift
        case Move():
            again = before is not None and before.status is Status.CANCELLED
            kind = "scheduled" if again else "moved"
            previous = None if again or before is None else before.due_at
            note = change.why
        case Cancel():
            kind = "cancelled"
        case Keep():
            note = None
    return Kept(touchpoint, face, kind, note, previous)


def _told(kept: Kept, early: Mapping[str, Outcome]) -> Kept:
    outcome = early.get(kept.touchpoint.id)
    if outcome is None:
        return kept
    return replace(kept, touchpoint=settled(kept.touchpoint, outcome))


def extend_at(series: Iterable[Series], context: Context) -> datetime | None:
    """When the horizon of one of these rhythms reaches its next occurrence."""
    moments: list[datetime] = []
    for each in series:
        if each.active:
            info, opening = context.opening(each.owner, each.csm_id, each.face)
            following = next(slots(each.anchor, each.every_days, info, opening, after=each.until))
            moments.append(following.nominal - horizon(each.owner))
    return min(moments, default=None)


def shape_of(plan: Plan, context: Context) -> bytes:
    """A digest of all that decides where touchpoints stand and how one-offs read.

    Left out is what only a rhythm's start reads (its urgency, the last contact), and rhythms' reasons, which
    the rhythm says for all its occurrences.
    """
    rhythms = [
        (
            each.type, each.every_days, each.owner.value, each.csm_id, each.minutes, each.face.topic,
            each.face.channel, each.never_skip, _hours(context, each.csm_id),
        )
        for each in plan.rhythms
    ]  # fmt: skip
    one_offs = [(each, _hours(context, each.csm_id)) for each in plan.one_offs]
    return blake2b(
        repr((rhythms, one_offs, plan.avoid, context.zone.key)).encode("utf-8", "replace"), digest_size=16
    ).digest()


def _hours(context: Context, csm_id: str | None) -> str:
    return repr(context.by_csm.get(csm_id or "", context.default))
