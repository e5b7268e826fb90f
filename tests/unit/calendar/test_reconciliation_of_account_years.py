"""Years of accounts of the shipped policy: no review in a season, none skipped, long gaps escalated.

Rows S26, S153-S155, F7 and X20. A sample in `make test`, ten thousand account-years in `make soak`.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise
from random import Random
from typing import NamedTuple

import pytest

from schemas.plans import PlanAdjusted
from services.calendar.avoid import Availability, covers
from services.calendar.person_book import NewRhythm, PersonBook, PlannedTouch, availability_key
from services.calendar.person_levelling import level_person
from services.calendar.reconciliation import reconcile
from services.calendar.reconciliation.context import ReconcileContext, StoredCalendar
from services.calendar.touchpoint import OPEN, Closure, Origin, Status, Touchpoint
from tests.unit.cadence.events import decided, make_event
from tests.unit.calendar.plans import EMPTY, HOURS, OFFICE, UTC_ZONE, apply_changes, come_due

SOAK = bool(os.environ.get("DRUMBEAT_SOAK"))
ACCOUNT_YEARS = 10_000 if SOAK else 24
BOOK = 24
"""Accounts of one person."""
STEP = timedelta(days=30)
LONGEST = timedelta(days=135)
"""Four and a half months: one and a half intervals of a quarterly review."""
BEGINNING = datetime(2026, 1, 5, 9, tzinfo=UTC)
INDUSTRIES = ("retail", "accounting", "software", None)
KEPT = ("business_review", "check_in")
pytestmark = pytest.mark.timeout(7200 if SOAK else 120)


class Account(NamedTuple):
    """An account by the months that have passed: its plans differ by what is ahead."""

    name: str
    industry: str | None
    stored: StoredCalendar


@cache
def shipped_plan(industry: str | None, month: int) -> PlanAdjusted:
    """The plan that the shipped policy makes of an enterprise account at that time, with its reviews and check-ins."""
    now = BEGINNING + month * STEP
    described = make_event(
        "account.described", BEGINNING - STEP, arr=300_000, csm_id="ada", industry=industry, currency="USD"
    )
    made = decided(described, now=now).plan
    rhythms = tuple(each for each in made.rhythms if each.touchpoint_type in KEPT)
    assert [each.touchpoint_type for each in rhythms] == list(KEPT)
    return PlanAdjusted(
        account_id="acme", version=month + 1, policy="p", decided_at=now, rhythms=rhythms, avoid=made.avoid
    )


def plan_of(account: Account, month: int) -> PlanAdjusted:
    return shipped_plan(account.industry, month).model_copy(update={"account_id": account.name})


def reconciled(account: Account, month: int, now: datetime) -> Account:
    context = ReconcileContext(plan_of(account, month), account.stored, HOURS, now, now)
    return account._replace(stored=apply_changes(account.stored, reconcile(context)))


def touches_of(account: Account) -> Iterator[PlannedTouch]:
    for each in account.stored.touchpoints:
        if each.status is Status.PLANNED and each.origin is not Origin.CALENDAR:
            shift = each.shift or ""
            yield PlannedTouch(
                each.id, account.name, each.type, each.due_at, each.start_at, each.earliest_at, each.latest_at,
                each.soft_days, each.minutes, 2 if each.type == "business_review" else 0, is_new=not each.is_levelled,
                is_shifted=shift.startswith(("moved before", "moved after")),
            )  # fmt: skip


def new_rhythms(account: Account) -> Iterator[NewRhythm]:
    for series in account.stored.series.values():
        if series.phase is not None:
            yield NewRhythm(
                account.name, series.type, series.every_days, series.minutes, series.anchor, series.phase
            )


def book_of(accounts: Sequence[Account], month: int, *, is_new: bool) -> PersonBook:
    periods = {each.name: plan_of(each, month).avoid for each in accounts}
    available = {
        availability_key(each.name, kind): Availability(
            [period for period in periods[each.name] if kind in period.touchpoint_types], UTC_ZONE, OFFICE
        )
        for each in accounts
        for kind in KEPT
    }
    touches = tuple(touch for each in accounts for touch in touches_of(each))
    rhythms = tuple(rhythm for each in accounts for rhythm in new_rhythms(each)) if is_new else ()
    return PersonBook("ada", OFFICE, 2400, touches, rhythms, available)


def with_anchors(account: Account, anchors: dict[tuple[str, str], datetime]) -> Account:
    series = dict(account.stored.series)
    for (name, kind), anchor in anchors.items():
        if name == account.name:
            series[kind] = replace(series[kind], anchor=anchor, until=None, phase=None)
    return account._replace(
        stored=StoredCalendar(account.stored.touchpoints, series, account.stored.last_due_at)
    )


def levelled(accounts: Sequence[Account], month: int, now: datetime) -> list[Account]:
    moves = {move.id: move for move in level_person(book_of(accounts, month, is_new=False), now).moves}

    def moved(touchpoint: Touchpoint) -> Touchpoint:
        move = moves.get(touchpoint.id)
        return touchpoint if move is None else touchpoint._replace(due_at=move.due_at, shift=move.reason)

    return [
        each._replace(
            stored=StoredCalendar(
                tuple(map(moved, each.stored.touchpoints)), each.stored.series, each.stored.last_due_at
            )
        )
        for each in accounts
    ]


def lived(industries: Sequence[str | None], months: int) -> list[Account]:
    """The accounts of one person after so many months, levelled each month."""
    accounts = [Account(f"a{n}", industry, EMPTY) for n, industry in enumerate(industries)]
    accounts = [reconciled(each, 0, BEGINNING) for each in accounts]
    anchors = dict(level_person(book_of(accounts, 0, is_new=True), BEGINNING).anchors)
    accounts = [reconciled(with_anchors(each, anchors), 0, BEGINNING) for each in accounts]
    for month in range(months + 1):
        now = BEGINNING + month * STEP
        accounts = [each._replace(stored=come_due(each.stored, now)) for each in accounts]
        accounts = [reconciled(each, month, now) for each in accounts]
        accounts = levelled(accounts, month, now)
        accounts = [reconciled(each, month, now) for each in accounts]
    return accounts


def reviews_of(account: Account) -> list[Touchpoint]:
    reviews = [each for each in account.stored.touchpoints if each.type == "business_review"]
    return sorted((each for each in reviews if each.status in OPEN), key=lambda each: each.due_at)


def check_account(account: Account, months: int) -> None:
    reviews = reviews_of(account)
    periods = [period for month in range(months + 1) for period in plan_of(account, month).avoid]
    own = [period for period in periods if "business_review" in period.touchpoint_types]
    assert own
    for review in reviews:
        assert not any(covers(period, review.due_at) for period in own), (account.industry, review)
    skipped = [
        each
        for each in account.stored.touchpoints
        if each.type == "business_review"
        and each.cancellation is not None
        and each.cancellation.closure is Closure.SUPPRESSED
    ]
    assert skipped == []
    escalated = {
        each.content.cause.id
        for each in account.stored.touchpoints
        if each.origin is Origin.CALENDAR and each.content is not None and each.content.cause is not None
    }
    for sooner, later in pairwise(reviews):
        is_short = later.due_at - sooner.due_at <= LONGEST
        assert is_short or later.id in escalated, (account.industry, sooner.due_at, later.due_at)


def test_no_strategic_quarter_is_without_its_review_and_none_lies_in_a_season() -> None:
    random, months = Random(12), 12
    for _ in range(-(-ACCOUNT_YEARS // BOOK)):
        accounts = lived([random.choice(INDUSTRIES) for _ in range(BOOK)], months)
        for account in accounts:
            check_account(account, months)
            assert len(reviews_of(account)) >= 4 * 2 - 1  # a year lived, a year ahead
