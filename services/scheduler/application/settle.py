"""Settle: what became of a touchpoint closes it, in whatever order the news arrives.

The latest (time, source, id) wins. What a delivery proves is weaker than what a person says, and a message
that reached somebody outweighs those that did not. An outcome of an unknown touchpoint waits for it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from services.scheduler.application.ports import Found, Kept, Ledger
from services.scheduler.domain.recurrence import derived
from services.scheduler.domain.touchpoint import Origin, Outcome, Status, Touchpoint, settled

DELIVERY = "/drumbeat/notifier"


@dataclass(frozen=True, slots=True)
class Settlement:
    """News of a touchpoint: by its id, else the earliest open one of its type. `to`: rescheduled to."""

    account_id: str
    touchpoint_id: str | None
    type: str
    outcome: Outcome
    to: datetime | None = None
    by_delivery: bool = False


class _Desk:
    """The touchpoints of one batch, as they stand while its news is read one by one."""

    def __init__(self, found: Sequence[Found]) -> None:
        self.by_id = {each.touchpoint.id: each for each in found}
        self.kept: dict[str, Kept] = {}
        self.early: dict[str, tuple[str, Outcome]] = {}
        self.unmatched = 0

    def put(self, after: Touchpoint, found: Found) -> None:
        self.by_id[after.id] = Found(after, found.face)
        self.kept[after.id] = Kept(after, found.face, None)

    def earliest_open(self, account_id: str, touchpoint_type: str) -> Found | None:
        waiting = [
            each
            for each in self.by_id.values()
            if each.touchpoint.account_id == account_id
            and each.touchpoint.type == touchpoint_type
            and each.touchpoint.status in (Status.DUE, Status.OVERDUE)
        ]
        return min(waiting, key=lambda each: (each.touchpoint.due_at, each.touchpoint.id), default=None)


async def settle(settlements: Sequence[Settlement], ledger: Ledger, now: datetime) -> int:
    """Apply a batch in its order; answers how many named nothing that could be settled."""
    await ledger.lock({each.account_id for each in settlements})
    named = await ledger.find({each.touchpoint_id for each in settlements if each.touchpoint_id})
    unnamed = {(each.account_id, each.type) for each in settlements if not each.touchpoint_id}
    open_ones = await ledger.find_open(unnamed) if unnamed else ()
    desk = _Desk([*named.values(), *open_ones])
    for each in settlements:
        _apply(each, desk)
    await ledger.keep(list(desk.kept.values()), now)
    await ledger.remember_early(desk.early)
    return desk.unmatched


def _apply(news: Settlement, desk: _Desk) -> None:
    if news.touchpoint_id is None:
        found = desk.earliest_open(news.account_id, news.type)
    else:
        found = desk.by_id.get(news.touchpoint_id)
        if found is None:
            _wait(news, news.touchpoint_id, desk)
            return
    if found is None or found.touchpoint.account_id != news.account_id or not _counts(news, found.touchpoint):
        desk.unmatched += 1
        return
    after = settled(found.touchpoint, _outweighing(news, found.touchpoint))
    if after is found.touchpoint:
        return
    desk.put(after, found)
    if news.outcome.kind == "rescheduled" and news.to is not None:
        following = follow_up(after, news.to, news.outcome)
        if following.id not in desk.by_id:
            desk.kept[following.id] = Kept(replace(following, face=found.face), found.face, "scheduled")


def _wait(news: Settlement, touchpoint_id: str, desk: _Desk) -> None:
    held = desk.early.get(touchpoint_id)
    if not news.by_delivery and (held is None or held[1].stamp < news.outcome.stamp):
        desk.early[touchpoint_id] = (news.account_id, news.outcome)


def _counts(news: Settlement, touchpoint: Touchpoint) -> bool:
    if touchpoint.status is Status.CANCELLED:
        return False
    if not news.by_delivery:
        return True
    if touchpoint.led_by_a_person:
        return False  # that a person was told does not mean that the touchpoint took place
    if touchpoint.outcome is None:
        return True
    return touchpoint.outcome.source == DELIVERY and touchpoint.outcome.kind == "missed"


def _outweighing(news: Settlement, touchpoint: Touchpoint) -> Outcome:
    """A message that reached somebody counts above one that did not, whichever was stamped later."""
    held = touchpoint.outcome
    if not news.by_delivery or held is None or news.outcome.kind == "missed":
        return news.outcome
    return replace(news.outcome, time=max(news.outcome.time, held.time + timedelta(microseconds=1)))


def follow_up(touchpoint: Touchpoint, to: datetime, outcome: Outcome) -> Touchpoint:
    """The touchpoint that a rescheduled one that had already come due lives on in: planned by hand."""
    return Touchpoint(
        id=derived("touchpoint", touchpoint.account_id, touchpoint.type, outcome.source, outcome.id),
        account_id=touchpoint.account_id, type=touchpoint.type, origin=Origin.HAND,
        due_at=to, start=to, end=to, deadline=None, owner=touchpoint.owner, csm_id=touchpoint.csm_id,
        minutes=touchpoint.minutes, face=touchpoint.face, pinned=True, follows=touchpoint.id,
    )  # fmt: skip
