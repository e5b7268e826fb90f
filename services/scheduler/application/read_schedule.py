"""Read the schedule of an account for its own people: what contacts them in a period, and the rhythms behind it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Final

from schemas.plans import PlanAdjusted, RhythmItem
from schemas.schedule import AccountSchedule, Exactness, ScheduledRhythm, ScheduledTouchpoint
from schemas.standing import TouchpointContent
from services.calendar.touchpoint import Status, Touchpoint
from services.scheduler.application.project_rhythms import project_rhythms
from services.scheduler.application.read_touchpoints import (
    AccountRhythms,
    Person,
    TouchpointFilter,
    TouchpointReader,
)
from services.scheduler.domain.exactness import exactness_of

MOST: Final = 2000
"""Touchpoints of one account in a year; a plan with more of them shows its first ones."""
GUARANTEES: Final = frozenset({"floor", "escalation"})


async def read_schedule(
    reader: TouchpointReader, account_id: str, now: datetime, until: datetime
) -> AccountSchedule:
    """What is planned or projected from `now` up to `until`. Of an account that was merged, that of the other."""
    current_id = await reader.find_current_account(account_id)
    wanted = TouchpointFilter(
        account_id=current_id, statuses=frozenset({Status.PLANNED}), start_at=now, end_at=until
    )
    planned = await reader.list_touchpoints(wanted, None, MOST)
    rhythms = await reader.load_rhythms(current_id)
    found = [(entry.touchpoint, entry.content) for entry in planned]
    found += _projected(current_id, rhythms, now, until)
    led_by = {touchpoint.csm_id for touchpoint, _ in found if touchpoint.csm_id is not None}
    people = await reader.load_people(led_by)
    exactness: dict[str, Exactness] = {
        touchpoint.id: exactness_of(touchpoint, now) for touchpoint, _ in found
    }
    invited = await reader.find_invited([key for key, exact in exactness.items() if exact != "time"])
    exactness.update(dict.fromkeys(invited, "time"))
    shown = [_show(one, content, people, exactness[one.id]) for one, content in found if content.topic]
    return AccountSchedule(
        account_id=account_id,
        touchpoints=tuple(sorted(shown, key=lambda one: one.due_at)[:MOST]),
        rhythms=() if rhythms.plan is None else tuple(_rhythms(rhythms.plan)),
    )


def _projected(
    account_id: str, rhythms: AccountRhythms, now: datetime, until: datetime
) -> Iterator[tuple[Touchpoint, TouchpointContent]]:
    contents = {series.type: series.content for series in rhythms.series}
    projected = project_rhythms(
        account_id, rhythms.series, now, to=until, zones=rhythms.zones, plan=rhythms.plan
    )
    for touchpoint in projected:
        if now <= touchpoint.due_at < until:
            yield touchpoint, contents[touchpoint.type]


def _show(
    touchpoint: Touchpoint, content: TouchpointContent, people: Mapping[str, Person], exactness: Exactness
) -> ScheduledTouchpoint:
    person = people.get(touchpoint.csm_id or "")
    return ScheduledTouchpoint.of_valid(
        touchpoint_type=touchpoint.type,
        due_at=touchpoint.due_at,
        exactness=exactness,
        channel=content.channel,
        topic=content.topic,
        owner=touchpoint.owner,
        person=person.name if person else None,
        audience=content.audience,
        minutes=touchpoint.minutes,
    )


def _rhythms(plan: PlanAdjusted) -> Iterator[ScheduledRhythm]:
    for rhythm in plan.rhythms:
        if rhythm.topic is not None:
            yield ScheduledRhythm.of_valid(
                touchpoint_type=rhythm.touchpoint_type,
                every_days=rhythm.every_days,
                channel=rhythm.channel,
                topic=rhythm.topic,
                owner=rhythm.owner,
                audience=rhythm.audience,
                is_guaranteed=is_guaranteed(rhythm),
            )


def is_guaranteed(rhythm: RhythmItem) -> bool:
    """Whether no wish makes it rarer."""
    return rhythm.never_skip or rhythm.precedence in GUARANTEES
