"""Granting: which of the wishes of triggers are to be.

1. Of one type, the earliest fact inside its window asks first, whichever rule it met.
2. What has come due or ended is never asked for again; it stands in the plan until settled or past its deadline.
3. A cool-down, a cap or a limit holds a wish back; when it ends inside the window, the wish may be granted then.
4. A pause or a season moves it to its end, if that is still inside the window.
"""

from collections.abc import Iterable, Iterator
from datetime import timedelta

from services.cadence.account import Fields, Stamp, moment, who
from services.cadence.evaluation.candidates import Scene, Stop, Wish, Wishes, over, own_touch, placed
from services.cadence.evaluation.event_entries import heard, recent_events
from services.cadence.policy import Cap, Trigger

_US = timedelta(microseconds=1)


def grant(scene: Scene, wishes: Wishes) -> None:
    """Ask for what the triggers answer, and grant what nothing stands in the way of."""
    asked: list[Wish] = []
    for event in recent_events(scene.facts, scene.view, scene.policy.longest_within):
        _ask(scene, event, asked)
    if not asked:
        return
    asked.sort(key=_order)
    first: dict[str, Wish] = {}
    for wish in asked:
        wishes.fired |= 1 << wish.bit
        own, known = own_touch(scene, wish)
        stop = over(known)
        if stop is not None and own in wishes.standing:
            continue
        found = stop or _behind(first, wish) or _full(scene, wishes, wish, own) or placed(scene, wish)
        if isinstance(found, Stop):
            wishes.refuse(wish, found)
        else:
            first[wish.rule.touchpoint] = found
            wishes.grant(found)


def _order(wish: Wish) -> tuple[Stamp, str]:
    return wish.stamp or "", wish.rule.rule


def _ask(scene: Scene, event: str, asked: list[Wish]) -> None:
    policy, view = scene.policy, scene.view
    judge, found = policy.entry_bits[event], policy.triggers[event]
    since, wanted = view.now - policy.longest_within[event], policy.entry_reads[event]
    for entry in heard(scene.facts, view, event, since, wanted):
        bits = judge(view.values, entry.words)
        for bit, rule in found if bits else ():
            end = entry.at + rule.within // _US
            if bits >> bit & 1 and view.now < end:
                start = entry.at + rule.after // _US if rule.after else entry.at
                deadline = end if rule.deadline is None else entry.at + rule.deadline // _US
                key = (rule.touchpoint, *who(entry.stamp))
                asked.append(Wish(bit, rule, key, entry.at, start, end, deadline, entry.stamp, entry.words))


def _behind(first: dict[str, Wish], wish: Wish) -> Stop | None:
    ahead = first.get(wish.rule.touchpoint)
    if ahead is None:
        return None
    if ahead.key == wish.key:
        return Stop("precedence", f"{ahead.rule.rule} answers the same fact", by=ahead.rule.rule)
    return Stop("asked_first", f"{ahead.rule.rule} asked first", by=ahead.rule.rule)


def _full(scene: Scene, wishes: Wishes, wish: Wish, own: str) -> Stop | None:
    """Whether too little time has passed, or too much has been, for one more."""
    rule, at = wish.rule, max(scene.view.now, wish.start)
    if not isinstance(rule, Trigger):
        return None
    if rule.cooldown is not None or rule.cap is not None:
        met = list(_met(scene.touches.get(rule.touchpoint, {}), own))
        if rule.cooldown is not None and met:
            until = max(met) + rule.cooldown // _US
            if at < until:
                return Stop("cooldown", f"cooling down until {_said(until)}", until)
        if rule.cap is not None:
            until = room_from(met, rule.cap, at)
            if until is not None:
                return Stop("cap", f"{_many(rule.cap)} were held; the next from {_said(until)}", until)
    return _limited(scene, wishes, rule, at, own)


def _limited(scene: Scene, wishes: Wishes, rule: Trigger, at: int, own: str) -> Stop | None:
    """Of a budget that types share, what is planned already takes its room, too."""
    for limit in scene.policy.limits:
        if rule.touchpoint not in limit.touchpoints:
            continue
        taken = [at for kind in limit.touchpoints for at in _met(scene.touches.get(kind, {}), own)]
        taken += [
            max(scene.view.now, each.start)
            for each in wishes.granted
            if each.rule.touchpoint in limit.touchpoints
        ]
        until = room_from(taken, limit.cap, at)
        if until is not None:
            return Stop(
                "limit", f"{limit.rule}: {_many(limit.cap)} are taken until {_said(until)}", until, limit.rule
            )
    return None


def room_from(taken: Iterable[int], cap: Cap, at: int) -> int | None:
    """When there is room for one more after these; None when there is at `at`. All in microseconds."""
    per = cap.per // _US
    recent = sorted((each for each in taken if each > at - per), reverse=True)
    return None if len(recent) < cap.count else recent[cap.count - 1] + per


def _met(touches: dict[str, Fields], own: str) -> Iterator[int]:
    """When touchpoints came due, or took place before they were."""
    for key, fields in touches.items():
        at = fields.get("due_at")
        if at is None and fields.get("ended") not in {None, "cancelled"}:
            at = fields.get("ended_at")
        if isinstance(at, int) and key != own:
            yield at


def _many(cap: Cap) -> str:
    return f"{cap.count} in {cap.per.days} days"


def _said(at: int) -> str:
    return f"{moment(at):%Y-%m-%d %H:%M} UTC"
