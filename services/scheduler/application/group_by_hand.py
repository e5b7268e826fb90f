"""Find what a touchpoint that a person plans belongs together with."""

from datetime import datetime

from services.calendar.grouping import Member, find_groups
from services.calendar.reconciliation.context import StoredCalendar
from services.scheduler.application.ports import CalendarRepository, StoredTouchpoint, TouchpointUpdate


async def find_company(
    planned: StoredTouchpoint, calendars: CalendarRepository, now: datetime
) -> tuple[str | None, list[TouchpointUpdate]]:
    """The group of a new touchpoint of an account whose row is locked, and those that get a group with it."""
    account_id = planned.touchpoint.account_id
    calendar = (await calendars.load_calendars([account_id], [], now))[account_id]
    members = {member.touchpoint.id: member for member in _members(calendar)}
    groups = find_groups([*members.values(), Member(planned.touchpoint, planned.content)])
    group = groups.get(planned.touchpoint.id)
    if group is None:
        return None, []
    company = [members[key] for key in groups if groups[key] == group and key in members]
    return group, [
        TouchpointUpdate(member.touchpoint._replace(group=group), member.content, None)
        for member in company
        if member.touchpoint.group != group
    ]


def _members(calendar: StoredCalendar) -> list[Member]:
    contents = {series.type: series.content for series in calendar.series.values()}
    found = [(each, each.content or contents.get(each.type)) for each in calendar.touchpoints]
    return [Member(touchpoint, content) for touchpoint, content in found if content is not None]
