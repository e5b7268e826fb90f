"""Escalates what a reconciled calendar cannot place as it should, and withdraws escalations whose cause is gone.

What has no allowed day in its window (`services.calendar.absences`) and protected work for which there is no room
(`services.calendar.shortages`) are found when a person's book is levelled.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import islice, pairwise
from typing import Final, NamedTuple

from schemas.plans import OneOffItem, RhythmItem
from schemas.recurrence_dates import iterate_dates, read_rule
from schemas.zones import TimeZone
from services.calendar.avoid import NEVER, PAUSE
from services.calendar.escalation import (
    OF_PEOPLE,
    Difficulty,
    Problem,
    make_escalation,
    name_person,
    name_type,
    name_weeks,
    problem_of,
)
from services.calendar.open_hours import OpenHours, to_wall
from services.calendar.plan import latest_of
from services.calendar.reconciliation.context import CalendarChange, ChangeKind, ReconcileContext
from services.calendar.touchpoint import OPEN, Closure, Origin, Status, Touchpoint, plan_again


class ChangedRhythm(NamedTuple):
    """The changes of a rhythm whose first moment is `anchor`."""

    rhythm: RhythmItem
    anchor: datetime
    changes: Sequence[CalendarChange]


CAUSE_GONE = "its cause is gone"
_DATES_OF_A_RULE: Final = 25
"""Two years of a monthly rule."""


def change_escalations(
    rhythms: Iterable[ChangedRhythm], one_offs: Sequence[CalendarChange], context: ReconcileContext
) -> list[CalendarChange]:
    """The changes of the calendar's own escalations; of those about people's days none."""
    found = [gap for changed in rhythms for gap in _find_gaps(changed, context)]
    found += _find_missed(one_offs, context)
    stored = {each.id: each for each in context.stored.touchpoints if each.origin is Origin.CALENDAR}
    wanted = [make_escalation(each, context.hours.of_csm(each.csm_id), context.now) for each in found]
    changes = [escalate(each, stored) for each in wanted]
    ids = {each.id for each in wanted}
    return changes + [
        CalendarChange.cancel(each, Closure.WITHDRAWN, CAUSE_GONE)
        for each in stored.values()
        if each.id not in ids and each.status is Status.PLANNED and problem_of(each) not in OF_PEOPLE
    ]


def escalate(wanted: Touchpoint, stored: Mapping[str, Touchpoint]) -> CalendarChange:
    """Bring the stored escalation, if there is one, to the one that is wanted."""
    before = stored.get(wanted.id)
    reason = "" if wanted.content is None else wanted.content.reason.text
    if before is None:
        return CalendarChange.create(wanted, reason)
    if before.status is Status.CANCELLED and before.is_withdrawn:
        return CalendarChange(ChangeKind.MOVE, plan_again(before, wanted), reason)
    if before.status is not Status.PLANNED or before.pinned:
        return CalendarChange.keep(before, "a person knows of it")
    if before.end_at == wanted.end_at and before.csm_id == wanted.csm_id:
        return CalendarChange.keep(before, "its cause is as it was")
    return CalendarChange.between(
        before, wanted._replace(sequence=before.sequence, group=before.group), reason
    )


def _find_gaps(changed: ChangedRhythm, context: ReconcileContext) -> Iterator[Difficulty]:
    """Neighbours that stand too far apart, whatever made them: a season, a pause, what a person cancelled.

    What had passed before anybody could act is no difficulty, as between an old contact and a rhythm that is new.
    """
    rhythm, anchor, changes = changed
    if not rhythm.never_skip:
        return
    longest = _find_longest(rhythm, anchor, context.availability(rhythm).zone)
    standing = sorted(
        (each.touchpoint for each in changes if each.touchpoint.status in OPEN),
        key=lambda touchpoint: touchpoint.due_at,
    )
    last = _find_last(rhythm, context)
    first = anchor if last is None or anchor - last > longest else last
    later = [each for each in standing if each.due_at > first]
    pairs = pairwise([(first, first), *((each.start_at, each.due_at) for each in later)])
    for ((target, since), (next_target, due_at)), touchpoint in zip(pairs, later, strict=True):
        is_long = longest < due_at - since and due_at < NEVER
        if not is_long or touchpoint.status is not Status.PLANNED:
            continue  # what is held until further notice has no end that could be added to
        if since + longest > context.now or next_target - target <= longest:
            is_first = touchpoint is standing[0] and first != last
            yield _gap(rhythm, touchpoint, _Gap(since, longest, is_first), context)


class _Gap(NamedTuple):
    """`longest`: what is allowed from `since` on. `is_first`: nothing was before it, it is late in its rhythm."""

    since: datetime
    longest: timedelta
    is_first: bool


def _find_longest(rhythm: RhythmItem, anchor: datetime, zone: TimeZone) -> timedelta:
    """One and a half intervals; where its rule names days farther apart, half an interval more than these are."""
    interval = timedelta(days=rhythm.every_days)
    if rhythm.rrule is None:
        return interval * 3 / 2
    begin = to_wall(anchor, zone).date()
    days = islice(iterate_dates(read_rule(rhythm.rrule), begin, begin), _DATES_OF_A_RULE)
    widest = max((later - sooner for sooner, later in pairwise(days)), default=interval)
    return widest + interval / 2 if widest > interval * 3 / 2 else interval * 3 / 2


def _find_last(rhythm: RhythmItem, context: ReconcileContext) -> datetime | None:
    """When one of its type came due or took place last."""
    contacts = (rhythm.last_touch_at, context.stored.last_due_at.get(rhythm.touchpoint_type))
    return max((moment for moment in contacts if moment is not None), default=None)


def _gap(rhythm: RhythmItem, touchpoint: Touchpoint, gap: _Gap, context: ReconcileContext) -> Difficulty:
    name, hours = name_type(rhythm.touchpoint_type), context.hours.of_csm(rhythm.csm_id)
    days = (touchpoint.due_at - gap.since).days
    weeks = name_weeks([gap.since, touchpoint.due_at], hours)
    what = (
        f"The first touchpoint of type {name} is only after {days} days"
        if gap.is_first
        else f"Between two touchpoints of type {name} pass {days} days"
    )
    text = (
        f"{what} ({weeks}, {_person(touchpoint, hours)}), "
        f"more than the {gap.longest / timedelta(days=1):g} that its {rhythm.every_days} days "
        "allow. What helps: agree with the customer on an earlier day, or let a colleague lead it."
        f"{_why(touchpoint)}"
    )
    return Difficulty(
        Problem.GAP, touchpoint.account_id, touchpoint.id, _csm_of(touchpoint, context), gap.since + gap.longest,
        f"Find an earlier day for the {name}", text,
    )  # fmt: skip


def _find_missed(changes: Sequence[CalendarChange], context: ReconcileContext) -> Iterator[Difficulty]:
    """One-offs that a person leads and that can only take place after their latest moment.

    Whoever pauses outreach knows what they hold back.
    """
    items = {item.id: item for item in context.plan.touchpoints}
    for change in changes:
        touchpoint = change.touchpoint
        item = items.get(touchpoint.id)
        is_by_plan = touchpoint.status is Status.PLANNED and not touchpoint.pinned
        if item is None or not is_by_plan or (touchpoint.shift or "").startswith(f"moved after {PAUSE}"):
            continue
        if touchpoint.is_led_by_person and _latest(item, touchpoint) < touchpoint.due_at < NEVER:
            yield _missed(item, touchpoint, context)


def _missed(item: OneOffItem, touchpoint: Touchpoint, context: ReconcileContext) -> Difficulty:
    name, hours = name_type(touchpoint.type), context.hours.of_csm(touchpoint.csm_id)
    latest = _latest(item, touchpoint)
    text = (
        f"The {name} is to take place by {latest.date().isoformat()}, but the first possible "
        f"day is {touchpoint.due_at.date().isoformat()} ({name_weeks([latest, touchpoint.due_at], hours)}, "
        f"{_person(touchpoint, hours)}). What helps: a later deadline, an exception agreed with the customer, or a "
        f"colleague who has time before it.{_why(touchpoint)}"
    )
    return Difficulty(
        Problem.DEADLINE, touchpoint.account_id, touchpoint.id, _csm_of(touchpoint, context), latest,
        f"Save the deadline of the {name}", text,
    )  # fmt: skip


def _why(touchpoint: Touchpoint) -> str:
    """Last in its text, so that whoever translates it finds where the reason of the shift ends."""
    return f" Why it is on that day: {touchpoint.shift}" if touchpoint.shift else ""


def _latest(item: OneOffItem, touchpoint: Touchpoint) -> datetime:
    return latest_of(item) if touchpoint.deadline is None else touchpoint.deadline


def _person(touchpoint: Touchpoint, hours: OpenHours) -> str:
    return "nobody leads it yet" if touchpoint.csm_id is None else name_person(touchpoint.csm_id, hours)


def _csm_of(touchpoint: Touchpoint, context: ReconcileContext) -> str | None:
    """The account's CSM as far as the plan names one, else whoever leads the touchpoint."""
    items = (*context.plan.rhythms, *context.plan.touchpoints)
    named = (item.csm_id for item in items if item.owner == "csm" and item.csm_id is not None)
    return next(named, touchpoint.csm_id)
