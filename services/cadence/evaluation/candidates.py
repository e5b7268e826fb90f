"""Wishes: the one-offs that triggers and timelines ask for, before anybody says which of them are granted."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from json.encoder import encode_basestring_ascii
from typing import NamedTuple

from services.cadence.account import Facts, Fields, Plain, Stamp, moment
from services.cadence.evaluation.avoid import Avoided
from services.cadence.evaluation.shapes import Cause, Suppressed
from services.cadence.features.compute import AccountView
from services.cadence.policy import Policy, Step, Trigger
from services.cadence.portfolio import Portfolio


class Wish(NamedTuple):
    """A one-off that is to be. `key`: what its identity is made of; times in microseconds.

    `base`: the moment it counts from; `mark`: the fact it springs from, if one fact alone.
    """

    bit: int
    rule: Trigger | Step
    key: tuple[str, ...]
    base: int
    start: int
    end: int
    deadline: int
    stamp: Stamp | None
    words: Mapping[str, Plain]


class Scene(NamedTuple):
    """All that wishes are held against. `touches`: what was issued, by type and touchpoint."""

    policy: Policy
    facts: Facts
    portfolio: Portfolio
    view: AccountView
    touches: dict[str, dict[str, Fields]]
    pause: Avoided | None
    seasons: tuple[Avoided, ...]


class Stop(NamedTuple):
    """What stands in the way of a wish; `until` in microseconds when that is known; `by`: the rule, limit or season."""

    cause: Cause
    reason: str
    until: int | None = None
    by: str = ""


class Wishes:
    """Granted ones, those of the plan that came due already, what was refused, when time alone changes any of it."""

    __slots__ = ("fired", "granted", "refused", "standing", "turns")

    def __init__(self) -> None:
        self.granted: list[Wish] = []
        self.standing: dict[str, Fields] = {}
        self.refused: list[Suppressed] = []
        self.turns: list[int] = []
        self.fired = 0

    def grant(self, wish: Wish) -> None:
        self.granted.append(wish)
        self.turns.append(wish.end)

    def refuse(self, wish: Wish, stop: Stop) -> None:
        until: datetime | None = None
        if stop.until is not None:
            until = moment(stop.until)
            if stop.until < wish.end:
                self.turns.append(stop.until)
        rule = wish.rule
        self.refused.append(Suppressed(rule.touchpoint, rule.rule, stop.reason, stop.cause, until, stop.by))


def touchpoint_id(*parts: str) -> str:
    """The id that follows from a cause: blake2b-128 of the parts as JSON, written as a UUID."""
    said = f'["touchpoint",{",".join(map(encode_basestring_ascii, parts))}]'
    text = hashlib.blake2b(said.encode(), digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def own_touch(scene: Scene, wish: Wish) -> tuple[str, Fields | None]:
    """The id of what is asked for, and what is known of it; no id where nothing of its type was ever issued."""
    known = scene.touches.get(wish.rule.touchpoint)
    if not known:
        return "", None
    own = touchpoint_id(scene.facts.account_id, *wish.key)
    return own, known.get(own)


def over(fields: Fields | None) -> Stop | None:
    """It came due or ended; one that was only withdrawn may come back."""
    if fields is None:
        return None
    ended = fields.get("ended")
    if ended is not None and not (ended == "cancelled" and fields.get("ended_why") == "withdrawn"):
        return Stop("over", f"it was {ended} already")
    return Stop("over", "it came due already") if fields.get("due_at") is not None else None


def placed(scene: Scene, wish: Wish) -> Wish | Stop:
    """The wish where pause and seasons leave it room, at their end; or which of them leaves none."""
    if scene.pause is None and not scene.seasons:
        return wish
    kind = scene.policy.catalogue[wish.rule.touchpoint]
    start, close = wish.start, min(wish.end, wish.deadline)
    pause = scene.pause
    if pause is not None and kind.topic is not None:
        if pause.end is None or pause.end >= close:
            return Stop("pause", pause.text, pause.end)
        start = max(start, pause.end)
    for season in scene.seasons:
        if season.end is None or not season.start <= start < season.end or kind.type not in season.types:
            continue
        if season.end < close:
            start = season.end
        elif not kind.never_skip:
            return Stop("blackout", f"{season.name}: {season.text}", season.end, season.name)
    return wish if start == wish.start else wish._replace(start=start)
