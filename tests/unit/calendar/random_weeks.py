"""Random weeks of one person: work arrives and is planned, comes due and is done or not, time off is announced.

Everything that decides is production code: reconciliation, the release, the look at promises and the reroute. Random are
people, hours, holidays, time off, load, arrivals and what people do.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from random import Random
from zoneinfo import ZoneInfo

from schemas.ids import derived_id
from schemas.plans import OneOffItem
from schemas.times import Window
from services.calendar.absences import hand_over
from services.calendar.deputies import Deputy
from services.calendar.open_hours import DateSpan, OpenHours
from services.calendar.person_hours import PersonDays
from services.calendar.promise_review import KnownRisk, Review, WatchedPromise, review_promises
from services.calendar.promises import PromiseState, Risk, find_promised_at
from services.calendar.reconciliation.context import AccountHours, StoredCalendar
from services.calendar.reconciliation.context import Work as ContactWork
from services.calendar.rerouting import find_reroute, is_reroutable
from services.calendar.touchpoint import OPEN, RecordedOutcome, Status, Touchpoint, release, settle
from services.calendar.workload import Work
from tests.unit.calendar.plans import EMPTY, calendar, one_off, plan

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
MINUTE = timedelta(minutes=1)
PLACES = (
    ("Europe/Berlin", "DE", "BY"), ("America/New_York", "US", "NY"), ("Europe/London", "GB", "ENG"),
    ("Asia/Jakarta", "ID", None), ("America/Sao_Paulo", "BR", None), ("UTC", None, None),
)  # fmt: skip
LENGTH = 21 * DAY


@dataclass
class Breach:
    """A promise that was broken: when it was seen first, and when somebody was warned first."""

    touchpoint: Touchpoint
    promised_at: datetime
    seen_at: datetime
    warned_at: datetime | None

    @property
    def is_detected(self) -> bool:
        """Whether there was a warning before; what arrived too late is known at once."""
        if self.seen_at >= self.promised_at:
            return True
        return self.warned_at is not None and self.warned_at < self.promised_at


@dataclass
class RandomWeek:
    """One person's time, moved by its events. `breaches`: by touchpoint."""

    seed: int
    breaches: dict[str, Breach] = field(default_factory=dict[str, Breach])
    warned: dict[str, datetime] = field(default_factory=dict[str, datetime])
    covered: set[str] = field(default_factory=set[str])
    kept: set[str] = field(default_factory=set[str])
    _stored: StoredCalendar = EMPTY
    _known: dict[str, KnownRisk | None] = field(default_factory=dict[str, KnownRisk | None])
    _seen: dict[str, datetime] = field(default_factory=dict[str, datetime])
    _items: list[OneOffItem] = field(default_factory=list[OneOffItem])
    _away: list[DateSpan] = field(default_factory=list[DateSpan])
    _queue: list[tuple[datetime, int, str, str]] = field(default_factory=list[tuple[datetime, int, str, str]])
    _looks: set[datetime] = field(default_factory=set[datetime])
    _number: int = 0

    def run(self) -> None:
        """Let everything happen."""
        self._random = Random(self.seed)
        self._start = datetime(2026, 1, 5, tzinfo=UTC) + self._random.randrange(104) * 7 * DAY
        self._zone, country, region = self._random.choice(PLACES)
        self._country, self._region = country, region
        days = self._random.choice([frozenset(range(5)), frozenset(self._random.sample(range(7), 3))])
        self._usual = OpenHours(ZoneInfo(self._zone), days, time(self._random.randrange(6, 11)), time(17))
        self._colleague = Deputy("ben", OpenHours(ZoneInfo("UTC"), frozenset(range(7))), 0)
        self._has_colleague = self._random.random() < 0.4
        self._fixed = [self._make_fixed(number) for number in range(self._random.randrange(8))]
        for number in range(self._random.randrange(1, 7)):
            self._add(self._start + self._moment(6 * DAY), "arrive", str(number))
        if self._random.random() < 0.6:
            self._add(self._start + self._moment(7 * DAY), "leave", "")
        while self._queue:
            now, _, kind, name = heapq.heappop(self._queue)
            if now > self._start + LENGTH:
                break
            self._happen(now, kind, name)
            self._look(now)

    def _moment(self, span: timedelta) -> timedelta:
        return self._random.randrange(int(span / MINUTE)) * MINUTE

    def _add(self, at: datetime, kind: str, name: str) -> None:
        self._number += 1
        heapq.heappush(self._queue, (at, self._number, kind, name))

    def _make_fixed(self, number: int) -> Work:
        by = self._start + self._moment(10 * DAY)
        return Work(f"fixed-{number}", self._random.randrange(30, 480) * MINUTE, by, is_promise=False)

    @property
    def _hours(self) -> OpenHours:
        days = PersonDays("Ada", self._country, self._region, tuple(self._away))
        return days.close(self._usual, ())

    def _happen(self, now: datetime, kind: str, name: str) -> None:
        match kind:
            case "arrive":
                self._items.append(self._make_item(name, now))
                self._reconcile(now)
            case "leave":
                first = now.date() + timedelta(days=self._random.randrange(3))
                self._away.append(DateSpan(first, first + timedelta(days=self._random.randrange(8))))
                self._reconcile(now)
            case "release":
                self._change(name, lambda each: self._release(each, now))
            case "settle":
                outcome = RecordedOutcome("completed", now, "/test", name)
                self._change(name, lambda each: settle(each, outcome) if each.status in OPEN else each)
            case _:
                pass

    def _make_item(self, name: str, now: datetime) -> OneOffItem:
        start = now + self._random.choice([0, 0, 0, 2, 5]) * DAY
        end = start + self._random.choice([3, 24, 48, 48, 48, 96, 240]) * HOUR
        owner = self._random.choice(["csm", "csm", "csm", "pooled_csm", "automation"])
        is_unowned = owner == "automation" or self._random.random() < 0.1
        return one_off(
            name, id=derived_id("touchpoint", "acme", f"{self.seed}-{name}"), window=Window(from_=start, to=end),
            deadline=self._random.choice([None, end]), owner=owner, csm_id=None if is_unowned else "ada",
            topic=self._random.choice(["account", None]), minutes=self._random.randrange(15, 240),
            channel="email", precedence=self._random.choice(["default", "escalation"]),
        )  # fmt: skip

    def _reconcile(self, now: datetime) -> None:
        account = AccountHours(ZoneInfo(self._zone), self._usual, {"ada": self._hours})
        wanted = plan((), self._items, version=self._number, at=now)
        self._stored = calendar(wanted, self._stored, account, now)
        for each in self._stored.touchpoints:
            self._seen.setdefault(each.id, now)
            if each.status is Status.PLANNED:
                self._add(max(each.due_at, now), "release", each.id)

    def _release(self, touchpoint: Touchpoint, now: datetime) -> Touchpoint:
        if touchpoint.status is not Status.PLANNED or touchpoint.due_at > now:
            return touchpoint
        if self._random.random() < 0.6:
            self._add(now + self._moment(4 * DAY), "settle", touchpoint.id)
        return release(touchpoint, now)

    def _change(self, name: str, change: Callable[[Touchpoint], Touchpoint]) -> None:
        touchpoints = [change(each) if each.id == name else each for each in self._stored.touchpoints]
        self._stored = StoredCalendar(tuple(touchpoints), {}, {})

    def _look(self, now: datetime) -> None:
        account = AccountHours(
            ZoneInfo(self._zone), self._usual, {"ada": self._hours, "ben": self._colleague.hours}
        )
        for person in ("ada", "ben", None):
            own = [each for each in self._stored.touchpoints if each.csm_id == person]
            hours = None if person is None else account.of_csm(person)
            watched = [self._watch(each, account) for each in own]
            fixed = self._fixed if person == "ada" else []
            for each, review in zip(own, review_promises(watched, fixed, hours, now), strict=True):
                self._record(each, review, now)

    def _watch(self, touchpoint: Touchpoint, account: AccountHours) -> WatchedPromise:
        content = touchpoint.content
        assert content is not None
        work = ContactWork(
            touchpoint.owner, touchpoint.csm_id, content.topic, content.channel, touchpoint.minutes
        )
        _, hours = account.opening(work, content.quiet_hours)
        if hours is None and touchpoint.is_led_by_person:
            hours = account.of_csm(touchpoint.csm_id)
        return WatchedPromise(touchpoint, hours, self._known.get(touchpoint.id))

    def _record(self, touchpoint: Touchpoint, review: Review, now: datetime) -> None:
        self._known[touchpoint.id] = review.risk
        if review.look_at is not None and review.look_at not in self._looks:
            self._looks.add(review.look_at)
            self._add(review.look_at, "look", "")
        if review.state is PromiseState.KEPT:
            self.kept.add(touchpoint.id)
        if review.state is PromiseState.AT_RISK and not self._reroute(touchpoint, review, now):
            self.warned.setdefault(touchpoint.id, now)
        if review.state is PromiseState.BREACHED and touchpoint.id not in self.breaches:
            promised_at = find_promised_at(touchpoint)
            assert promised_at is not None
            self.breaches[touchpoint.id] = Breach(
                touchpoint, promised_at, self._seen[touchpoint.id], self.warned.get(touchpoint.id)
            )

    def _reroute(self, touchpoint: Touchpoint, review: Review, now: datetime) -> bool:
        if review.promise is None or review.risk is None or not self._has_colleague:
            return False
        risk = Risk(*review.risk[:2])
        if touchpoint.csm_id != "ada" or not is_reroutable(review.promise, risk):
            return False
        cover = find_reroute(review.promise, risk, [self._colleague], (), now)
        if cover is None:
            return False
        self.covered.add(touchpoint.id)
        self._change(touchpoint.id, lambda each: hand_over(each, cover))
        self._add(now, "look", touchpoint.id)
        self._add(max(now, cover.due_at), "release", touchpoint.id)
        return True
