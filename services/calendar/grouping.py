"""Which open touchpoints of an account are one thing for the person who leads them.

Two kinds belong together: one-offs of one cause that begin at the same moment over the same channel (an escalation and
its action plan), and an unplanned call with the call of a rhythm in the same week. Each stays a touchpoint of its own;
they are told, shown and settled as one.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from schemas.standing import TouchpointContent
from services.calendar.touchpoint import OPEN, Origin, Touchpoint


class Member(NamedTuple):
    """A touchpoint with the content that it has itself or from its rhythm."""

    touchpoint: Touchpoint
    content: TouchpointContent


def find_groups(members: Iterable[Member]) -> dict[str, str]:
    """By touchpoint id the group, which is named after one of its touchpoints; who is alone has none.

    `members` are those of one account.
    """
    candidates = [member for member in members if _is_led(member.touchpoint)]
    parents = {member.touchpoint.id: member.touchpoint.id for member in candidates}
    for causes in _by_cause(candidates).values():
        for touchpoint_id in causes:
            parents[touchpoint_id] = causes[0]
    unplanned = [each.touchpoint for each in candidates if _is_unplanned_call(each)]
    calls = _rhythm_calls(candidates if unplanned else ())
    for touchpoint in unplanned:
        rhythm = _nearest(touchpoint, calls.get(_week_of(touchpoint), ()))
        if rhythm is not None:
            parents[parents[touchpoint.id]] = rhythm
    roots = {touchpoint_id: _root(touchpoint_id, parents) for touchpoint_id in parents}
    sizes: defaultdict[str, int] = defaultdict(int)
    for root in roots.values():
        sizes[root] += 1
    return {touchpoint_id: root for touchpoint_id, root in roots.items() if sizes[root] > 1}


def _is_led(touchpoint: Touchpoint) -> bool:
    return touchpoint.status in OPEN and touchpoint.is_led_by_person and touchpoint.csm_id is not None


def _is_call(content: TouchpointContent) -> bool:
    return content.channel == "call" and content.topic is not None


def _is_unplanned_call(member: Member) -> bool:
    return member.touchpoint.origin is not Origin.RHYTHM and _is_call(member.content)


def _by_cause(members: Iterable[Member]) -> Mapping[object, list[str]]:
    """The one-offs of each cause, person, moment and channel, in the order of their ids."""
    found: defaultdict[object, list[str]] = defaultdict(list)
    one_offs = [member for member in members if member.touchpoint.origin is not Origin.RHYTHM]
    for touchpoint, content in sorted(one_offs, key=lambda member: member.touchpoint.id):
        if content.cause is not None:
            cause = (content.cause.source, content.cause.id)
            key = (touchpoint.csm_id, cause, touchpoint.start_at, content.channel)
            found[key].append(touchpoint.id)
    return found


Week = tuple[str | None, int, int]


def _week_of(touchpoint: Touchpoint) -> Week:
    """The person and the ISO week (UTC)."""
    year, week, _ = touchpoint.due_at.isocalendar()
    return touchpoint.csm_id, year, week


def _rhythm_calls(members: Iterable[Member]) -> Mapping[Week, list[Touchpoint]]:
    found: defaultdict[Week, list[Touchpoint]] = defaultdict(list)
    for touchpoint, content in members:
        if touchpoint.origin is Origin.RHYTHM and _is_call(content):
            found[_week_of(touchpoint)].append(touchpoint)
    return found


def _nearest(call: Touchpoint, rhythms: Iterable[Touchpoint]) -> str | None:
    """The nearest call of a rhythm of another type: the next of its own is another conversation."""
    others = [rhythm for rhythm in rhythms if rhythm.type != call.type]
    if not others:
        return None
    return min(others, key=lambda rhythm: (_distance(call.due_at, rhythm.due_at), rhythm.id)).id


def _distance(one: datetime, other: datetime) -> float:
    return abs((one - other).total_seconds())


def _root(touchpoint_id: str, parents: Mapping[str, str]) -> str:
    while parents[touchpoint_id] != touchpoint_id:
        touchpoint_id = parents[touchpoint_id]
    return touchpoint_id
