"""Occurrences of a rhythm that are part of another touchpoint of the account, such as a check-in of a business review.

Targets decide, never the days on which touchpoints stand: else an occurrence would appear and vanish with every move. The
reason names the day on which the other one is.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from schemas.plans import RhythmItem
from schemas.zones import TimeZone
from services.calendar.avoid import NEVER
from services.calendar.escalation import name_type
from services.calendar.open_hours import to_wall
from services.calendar.placing import LeftOutSlot
from services.calendar.reconciliation.context import CalendarChange, Host
from services.calendar.recurrence import Slot
from services.calendar.touchpoint import OPEN, PEOPLE, Touchpoint

NEAR_DAYS: Final = 3


def sort_hosts_first(rhythms: Iterable[RhythmItem]) -> list[RhythmItem]:
    """Those that take in others before those that they take in; else in their order."""
    return sorted(rhythms, key=lambda rhythm: bool(rhythm.folds_into))


def find_hosts(
    rhythm: RhythmItem,
    others: Iterable[tuple[RhythmItem, Sequence[CalendarChange]]],
    zone: TimeZone,
) -> list[Host]:
    """The days of rhythms of the same person that take in occurrences of this one.

    `others`: those whose first day is chosen; else what is folded today would not be tomorrow.
    """
    stands_alone = rhythm.never_skip or rhythm.precedence == "escalation"
    if not rhythm.folds_into or stands_alone or rhythm.owner not in PEOPLE:
        return []
    return [
        _host(change.touchpoint, zone)
        for other, changes in others
        if other.touchpoint_type in rhythm.folds_into
        and (other.owner, other.csm_id) == (rhythm.owner, rhythm.csm_id)
        for change in changes
        if change.touchpoint.status in OPEN
    ]


def _host(touchpoint: Touchpoint, zone: TimeZone) -> Host:
    is_on = None if touchpoint.due_at >= NEVER else to_wall(touchpoint.due_at, zone).date()
    return Host(touchpoint.type, to_wall(touchpoint.start_at, zone).date(), is_on)


def fold(
    slots: Iterable[Slot], hosts: Sequence[Host], zone: TimeZone
) -> tuple[list[Slot], list[LeftOutSlot]]:
    """The slots that stay, and those that are part of a host's touchpoint."""
    kept: list[Slot] = []
    folded: list[LeftOutSlot] = []
    for slot in slots:
        day = to_wall(slot.nominal, zone).date()
        near = [host for host in hosts if abs((host.on - day).days) <= NEAR_DAYS]
        if not near:
            kept.append(slot)
            continue
        host = min(near, key=lambda host: (abs((host.on - day).days), host.on, host.type))
        when = (
            ", which is held until further notice" if host.is_on is None else f" on {host.is_on.isoformat()}"
        )
        folded.append(LeftOutSlot(slot.nominal, f"part of the {name_type(host.type)}{when}"))
    return kept, folded
