"""Seeded books of people with accounts: the same seed is the same book."""

import random
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

from services.calendar.levelling import HORIZON_WEEKS, Beat, Book, Hold, Touch, choose_phases

MONDAY = date(2026, 3, 2)
SIZE = HORIZON_WEEKS * 7
ROUTINE, REVIEW, RENEWAL = 0, 2, 3
RENEWAL_STEPS = (90, 60, 30, 14)
RHYTHMS = {  # kind, interval in days, minutes with preparation, priority
    "enterprise": (
        ("check_in", 14, 45, ROUTINE),
        ("business_review", 90, 120, REVIEW),
        ("executive_review", 365, 150, REVIEW),
    ),
    "mid_market": (("check_in", 30, 45, ROUTINE), ("business_review", 180, 90, REVIEW)),
    "small": (("check_in", 90, 30, ROUTINE), ("business_review", 365, 60, REVIEW)),
    "monthly": (("check_in", 28, 30, ROUTINE),),
}
BOOKS = {  # accounts, minutes for touches in a week
    "enterprise": (25, 1800),
    "mid_market": (60, 1800),
    "mixed": (45, 1500),
    "small": (100, 1200),
    "monthly": (100, 1500),
}


class Rhythm(NamedTuple):
    account_id: str
    kind: str
    every: int
    minutes: int
    priority: int
    anchor: int

    def beat(self, since: int = 0) -> Beat:
        first = max(since, self.anchor % self.every if self.every < 60 else 0)
        return Beat(self.account_id, self.kind, self.every, self.minutes, first, first + self.every - 1)

    def touches(self, first: int) -> Iterator[Touch]:
        """A fixed grid on the phase, with the windows that a plan gives to routine and to protected touches."""
        soft = max(1, self.every // 5)
        hard = max(soft, self.every // 2 - 1 if self.priority == ROUTINE else self.every // 3)
        for number, target in enumerate(range(first, SIZE, self.every)):
            yield touch(
                f"{self.account_id}.{self.kind}.{number:03d}",
                self.account_id,
                target,
                kind=self.kind,
                priority=self.priority,
                minutes=self.minutes,
                soft=soft,
                hard=hard,
            )


class Draft(NamedTuple):
    """A book whose rhythms have no phase yet. `closed`: by account the days on which it cannot be met."""

    book: Book
    rhythms: tuple[Rhythm, ...]
    closed: Mapping[str, range]

    def beats(self) -> list[Beat]:
        return [each.beat() for each in self.rhythms]

    def build(self, phases: Mapping[tuple[str, str], int]) -> Book:
        """The book with a touch for each beat; a check-in within three days of a review, by targets, is part of it."""
        touches = [
            each for rhythm in self.rhythms for each in rhythm.touches(phases[rhythm.account_id, rhythm.kind])
        ]
        return with_touches(self.book, close_days(fold(touches), self.closed))


def touch(
    name: str, account_id: str, target: int, *, soft: int = 5, hard: int = 10, kind: str = "check_in",
    priority: int = ROUTINE, minutes: int = 30, hold: Hold = Hold.FREE, day: int = -1, closed: Iterable[int] = (),
) -> Touch:  # fmt: skip
    window = target - hard, target + hard
    return Touch(name, account_id, kind, priority, minutes, target, soft, *window, tuple(closed), hold, day)


def make_book(day_minutes: Sequence[int], touches: Iterable[Touch]) -> Book:
    return Book("csm-1", MONDAY, tuple(day_minutes), tuple(sorted(touches)))


def with_touches(book: Book, touches: Iterable[Touch]) -> Book:
    return book._replace(touches=tuple(sorted((*book.touches, *touches))))


def with_days(book: Book, days: Sequence[int]) -> Book:
    placed = zip(book.touches, days, strict=True)
    return book._replace(touches=tuple(each._replace(day=day) for each, day in placed))


def working_week(minutes: int, weeks: int = HORIZON_WEEKS) -> tuple[int, ...]:
    return ((minutes // 5,) * 5 + (0, 0)) * weeks


def close_days(touches: Iterable[Touch], closed: Mapping[str, range]) -> list[Touch]:
    return [
        each._replace(closed=tuple(range(max(each.earliest, days.start), min(each.latest + 1, days.stop))))
        if (days := closed.get(each.account_id))
        else each
        for each in touches
    ]


def fold(touches: Sequence[Touch]) -> list[Touch]:
    reviews: dict[str, set[int]] = {}
    for each in touches:
        if each.priority == REVIEW:
            reviews.setdefault(each.account_id, set()).update(range(each.target - 3, each.target + 4))
    return [
        each
        for each in touches
        if each.kind != "check_in" or each.target not in reviews.get(each.account_id, ())
    ]


def draft_book(seed: str, segment: str, accounts: int | None = None) -> Draft:
    """A book of one segment, or of several (`mixed`). Anchors cluster on the starts of months, as contracts do."""
    rng = random.Random(seed)
    usual, minutes = BOOKS[segment]
    rhythms: list[Rhythm] = []
    once: list[Touch] = []
    closed: dict[str, range] = {}
    for number in range(usual if accounts is None else accounts):
        name = f"{number:04d}"
        own = (
            rng.choice(("enterprise", "mid_market", "mid_market", "small")) if segment == "mixed" else segment
        )
        anchor = rng.choice((0, 0, 0, rng.randrange(28)))
        rhythms += (Rhythm(name, *figures, anchor) for figures in RHYTHMS[own])
        if own in {"enterprise", "mid_market"}:
            once += list_renewal_steps(
                name, 30 * rng.randrange(1, 13) + rng.choice((0, 0, rng.randrange(30)))
            )
        if rng.random() < 0.1:
            begin = rng.choice((60, 150, 318))
            closed[name] = range(begin, begin + 28)
    book = Book(seed, MONDAY, draw_minutes(rng, minutes), ())
    return Draft(with_touches(book, close_days(once, closed)), tuple(rhythms), closed)


def list_renewal_steps(account_id: str, ends: int) -> Iterator[Touch]:
    for step in RENEWAL_STEPS:
        target = ends - step
        if 0 <= target < SIZE:
            name = f"{account_id}.renewal.{step:03d}"
            yield Touch(
                name, account_id, "renewal", RENEWAL, 60, target, 3, target - 7, min(target + 3, SIZE - 1)
            )


def draw_minutes(rng: random.Random, weekly: int) -> tuple[int, ...]:
    """The minutes of each day, with holidays and some weeks off."""
    days = 4 if rng.random() < 0.15 else 5
    off = {0, 94, 97, 120, 130, 141, 275, 358, 359, 360} | {rng.randrange(SIZE) for _ in range(5)}
    for length in (14, 7, 7):
        begin = 7 * rng.randrange(1, 50)
        off |= set(range(begin, begin + length))
    return tuple(weekly // 5 if day % 7 < days and day not in off else 0 for day in range(SIZE))


def phased_book(seed: str, segment: str, accounts: int | None = None) -> Book:
    draft = draft_book(seed, segment, accounts)
    return draft.build(choose_phases(draft.book, draft.beats()))


def draft_company(seed: str, accounts: int) -> list[Draft]:
    """People with 25 to 100 accounts each, of all segments."""
    rng = random.Random(seed)
    drafts: list[Draft] = []
    while accounts > 0:
        segment = rng.choice(tuple(BOOKS))
        size = min(BOOKS[segment][0], accounts)
        drafts.append(draft_book(f"{seed}-{len(drafts):03d}", segment, size))
        accounts -= size
    return drafts
