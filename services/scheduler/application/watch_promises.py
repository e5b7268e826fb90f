"""Look at promises that may be broken: give them to a colleague who can keep them, else announce the danger once a cause.

What changes is found through the change feed, what time alone changes by the moment at which to look again. What is about
to be planned anew, levelled or announced waits for that, as long as there is time.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple, Protocol

from schemas.plans import Avoid
from schemas.touchpoints import TouchpointRisk
from services.calendar.absences import Cover, hand_over
from services.calendar.deputies import Deputy
from services.calendar.open_hours import OpenHours
from services.calendar.promise_review import Review, WatchedPromise, review_promises
from services.calendar.promises import PromiseState, Risk
from services.calendar.rerouting import find_reroute, is_reroutable
from services.calendar.workload import Work
from services.scheduler.application.ports import StoredTouchpoint, TouchpointUpdate

CHANGES: Final = 2000
"""Changes of touchpoints that one pass follows."""
BATCH: Final = 200
"""Promises that one pass looks at."""


@dataclass(frozen=True, slots=True)
class StoredPromise:
    """A promise to look at, its touchpoint and the times that it is to avoid.

    `is_claimed`: the pass looks at it; the others only take time of their owner.
    """

    stored: StoredTouchpoint
    watched: WatchedPromise
    avoid: Sequence[Avoid] = ()
    is_claimed: bool = True


class OwnerPromises(NamedTuple):
    """The promises of one person that are near, and what else has a fixed time. `hours`: None: nobody leads them."""

    hours: OpenHours | None
    promises: Sequence[StoredPromise]
    fixed: Sequence[Work]


@dataclass(frozen=True, slots=True)
class PromiseUpdate:
    """A promise as it is to be stored after a look. `is_announced`: its risk is announced with it."""

    stored: StoredTouchpoint
    review: Review
    is_announced: bool = False


class Patience(NamedTuple):
    """How long a look waits: for plans and levelling, unless it is promised before `urgent_at`; `awaits_quiet`: also
    until the account has been quiet and is announced.
    """

    urgent_at: datetime
    awaits_quiet: bool = True


class PromiseRepository(Protocol):
    """Promises in one transaction, in which nobody else looks at any."""

    async def follow_changes(self, limit: int) -> int | None:
        """Have what changed since the last pass looked at; how many changes. None: another pass is at work."""
        ...

    async def claim(self, now: datetime, patience: Patience, limit: int) -> Sequence[OwnerPromises]:
        """What is to be looked at now. What is about to change waits."""
        ...

    async def is_anything_due(self, now: datetime) -> bool:
        """Whether anything is to be looked at by now, also if it waits, or has changed since it was."""
        ...

    async def load_deputies(
        self, promises: Sequence[StoredPromise], now: datetime
    ) -> Mapping[str, Sequence[Deputy]]:
        """By touchpoint the other members of its account's pool, with the minutes that they have planned around it."""
        ...

    async def lock(self, promises: Sequence[StoredTouchpoint]) -> Collection[str]:
        """The ids of those of these touchpoints that are as they were read and that nobody else has locked."""
        ...

    async def save(self, updates: Sequence[PromiseUpdate], now: datetime) -> None: ...

    async def reroute(self, updates: Sequence[TouchpointUpdate], now: datetime) -> None:
        """Store touchpoints with other owners, and announce what has come due at once."""
        ...

    async def announce(self, alarms: Sequence[TouchpointUpdate], now: datetime) -> None:
        """Publish alarms, after what readers of events do not know of these touchpoints yet."""
        ...


@dataclass(frozen=True, slots=True)
class PromisesWatched:
    """What a pass did. `unannounced`: of the breached ones those without a risk that was known before.

    `has_more`: it stopped at the limit of a batch.
    """

    looked_at: int = 0
    at_risk: int = 0
    rerouted: int = 0
    breached: int = 0
    unannounced: int = 0
    has_more: bool = False

    @property
    def has_changed(self) -> bool:
        """Whether others have something to do because of it."""
        return bool(self.at_risk or self.rerouted)

    def counts(self) -> dict[str, int]:
        """By kind of the metric."""
        counts = {
            "promise_looked_at": self.looked_at,
            "promise_at_risk": self.at_risk,
            "promise_rerouted": self.rerouted,
            "promise_breached": self.breached,
            "promise_unannounced": self.unannounced,
        }
        return {kind: number for kind, number in counts.items() if number}


async def watch_promises(promises: PromiseRepository, now: datetime, patience: Patience) -> PromisesWatched:
    """One pass."""
    followed = await promises.follow_changes(CHANGES)
    if followed is None:
        return PromisesWatched()
    reviewed = [
        (promise, review)
        for owner in await promises.claim(now, patience, BATCH)
        for promise, review in _review_owner(owner, now)
    ]
    covers = await _find_covers(reviewed, promises, now)
    changing = [each.stored for each, review in reviewed if review.is_alarm or _id_of(each) in covers]
    locked = await promises.lock(changing) if changing else ()
    free = [
        (each, review)
        for each, review in reviewed
        if _id_of(each) in locked or not (review.is_alarm or _id_of(each) in covers)
    ]
    rerouted = [_reroute(each.stored, covers[_id_of(each)]) for each, _ in free if _id_of(each) in covers]
    await promises.reroute(rerouted, now)
    alarms = [_alarm(each.stored, review) for each, review in free if _is_announced(each, review, covers)]
    await promises.announce(alarms, now)
    await promises.save(
        [
            PromiseUpdate(each.stored, review, _is_announced(each, review, covers))
            for each, review in free
            if _id_of(each) not in covers  # it is looked at again as it is with the colleague
        ],
        now,
    )
    breached = [review for _, review in free if review.state is PromiseState.BREACHED]
    unannounced = sum(review.risk is None for review in breached)
    has_more = followed == CHANGES or len(free) >= BATCH
    return PromisesWatched(len(free), len(alarms), len(rerouted), len(breached), unannounced, has_more)


def _review_owner(owner: OwnerPromises, now: datetime) -> list[tuple[StoredPromise, Review]]:
    reviews = review_promises([each.watched for each in owner.promises], owner.fixed, owner.hours, now)
    pairs = zip(owner.promises, reviews, strict=True)
    return [(promise, review) for promise, review in pairs if promise.is_claimed]


async def _find_covers(
    reviewed: Sequence[tuple[StoredPromise, Review]], promises: PromiseRepository, now: datetime
) -> dict[str, Cover]:
    """By touchpoint who keeps the promise instead."""
    in_question = [(each, review) for each, review in reviewed if _may_reroute(review)]
    if not in_question:
        return {}
    deputies = await promises.load_deputies([each for each, _ in in_question], now)
    covers: dict[str, Cover] = {}
    taken: dict[str, int] = {}
    for each, review in in_question:
        touchpoint = each.stored.touchpoint
        able = [
            deputy._replace(minutes=deputy.minutes + taken.get(deputy.csm_id, 0))
            for deputy in deputies.get(touchpoint.id, ())
        ]
        if review.promise is None or review.risk is None:
            continue
        cover = find_reroute(review.promise, Risk(*review.risk[:2]), able, each.avoid, now)
        if cover is not None:
            covers[touchpoint.id] = cover
            taken[cover.csm_id] = taken.get(cover.csm_id, 0) + touchpoint.minutes
    return covers


def _may_reroute(review: Review) -> bool:
    if review.promise is None or review.risk is None:
        return False
    return is_reroutable(review.promise, Risk(*review.risk[:2]))


def _id_of(promise: StoredPromise) -> str:
    return promise.stored.touchpoint.id


def _is_announced(promise: StoredPromise, review: Review, covers: Mapping[str, Cover]) -> bool:
    return review.is_alarm and _id_of(promise) not in covers


def _reroute(stored: StoredTouchpoint, cover: Cover) -> TouchpointUpdate:
    before = stored.touchpoint
    after = hand_over(before, cover)
    return TouchpointUpdate(
        after, stored.content, "moved", cover.reason, before.due_at, "plan", before.holder
    )


def _alarm(stored: StoredTouchpoint, review: Review) -> TouchpointUpdate:
    risk, promised_at = review.risk, review.promised_at
    if risk is None or promised_at is None:
        raise ValueError(f"touchpoint {stored.touchpoint.id} is not at risk: there is nothing to announce")
    announced = TouchpointRisk(
        cause=risk.cause, deadline=promised_at, detail=risk.detail[:2000], since=risk.since
    )
    return TouchpointUpdate(stored.touchpoint, stored.content, "at_risk", risk=announced)
