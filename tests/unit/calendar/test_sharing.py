"""What has no room in the weeks of a person goes to a colleague with room, before anything is given up or escalated."""

from collections import Counter
from dataclasses import replace
from datetime import timedelta
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.vocabulary import Owner
from services.calendar.avoid import Availability
from services.calendar.customer_days import CustomerDays
from services.calendar.deputies import Deputy, DeputyWork
from services.calendar.person_book import PersonBook, PlannedTouch, availability_key
from services.calendar.person_levelling import level_person
from services.calendar.person_relief import Action, PersonRelief, TouchRelief
from services.calendar.sharing import (
    find_shareable,
    find_shares,
    leave_out,
    make_deputy,
    may_be_shared,
    measure_room,
)
from tests.unit.calendar.plans import NOW, OFFICE, season
from tests.unit.calendar.test_person_relief import MONDAY, person, touch

DAY = timedelta(days=1)
SPAN = NOW, NOW + 60 * DAY
WEEK = MONDAY.date()


def shared(number: int, week: int = 2, priority: int = 0, **changed: object) -> PlannedTouch:
    return touch(number, week, priority, may_be_shared=True, **changed)


def colleague(csm_id: str, weekly_minutes: int = 2400, minutes: int = 0) -> Deputy:
    """With some minutes planned long before the weeks in question."""
    return make_deputy(csm_id, OFFICE, weekly_minutes, [DeputyWork(NOW, minutes)] if minutes else [], SPAN)


def without_room(*touches: PlannedTouch) -> list[TouchRelief]:
    return [TouchRelief(each, Action.GAVE_WAY, "no room in 2026-W12: 120 minutes", 2, 2) for each in touches]


def everybody(book: PersonBook, *colleagues: Deputy) -> dict[str, list[Deputy]]:
    return {each.account_id: list(colleagues) for each in book.touches}


def test_what_is_to_be_given_up_goes_to_the_colleague_with_the_least_planned_work() -> None:
    """12.5, 12.6: 120 minutes hold two of three calls."""
    book = person([shared(1), shared(2), shared(3)])
    levelled = level_person(book, NOW)

    shareable = find_shareable(levelled.relief)
    shares = find_shares(
        book, shareable, everybody(book, colleague("bob", minutes=60), colleague("cyd")), NOW
    )
    left = leave_out(levelled, shares)

    assert [each.touch_id for each in shares] == [each.touch.id for each in levelled.relief.given_up]
    assert [each.csm_id for each in shares] == ["cyd"]
    assert shares[0].reason.startswith("shared with cyd: no room in 2026-W")
    assert left.relief.given_up == []
    assert not {each.id for each in left.moves} & {each.touch_id for each in shares}


def test_what_is_bound_to_its_person_what_is_far_and_what_gave_way_before_is_not_shared() -> None:
    far, near = shared(1), shared(2)
    relief = PersonRelief(
        without_room=(
            TouchRelief(far, Action.PROPOSED, "no room", 2, 2),
            *without_room(touch(3, 2), shared(4, has_yielded=True), near),
        )
    )
    assert [each.touch for each in find_shareable(relief)] == [near]
    assert leave_out(level_person(person([]), NOW), []) == level_person(person([]), NOW)


@pytest.mark.parametrize(
    ("owner", "share", "may"),
    [
        ("pooled_csm", None, True),
        ("csm", None, False),
        ("csm", True, True),
        ("pooled_csm", False, False),
        ("sales", True, False),
        ("sales", None, False),
    ],
)
def test_the_policy_says_what_may_be_shared(owner: str, share: bool | None, may: bool) -> None:  # noqa: FBT001
    assert may_be_shared(cast("Owner", owner), share=share) is may


def test_of_what_has_no_room_the_protected_gets_the_room_of_a_colleague_first() -> None:
    touches = shared(1, priority=1), shared(2, priority=3), shared(3, is_never_skipped=True)
    book = person(touches)

    shares = find_shares(book, without_room(*touches), everybody(book, colleague("bob", 120)), NOW)

    assert [each.touch_id for each in shares] == ["t002", "t003"]


def test_nobody_takes_more_than_their_week_holds_nor_on_a_day_of_nobody() -> None:
    book = person([shared(1)])
    full = Deputy(
        "bob", OFFICE, 2400, measure_room(OFFICE, 2400, [DeputyWork(book.touches[0].due_at, 2400)], SPAN)
    )
    away = colleague("cyd")._replace(hours=replace(OFFICE, days=frozenset({6})))

    assert find_shares(book, without_room(*book.touches), everybody(book, full, away), NOW) == []
    assert find_shares(book, without_room(*book.touches), {}, NOW) == []


def test_a_colleague_meets_a_customer_only_when_the_customer_can_be_met() -> None:
    """The nearest day to Wednesday that is outside the freeze."""
    own, target_at = shared(1), MONDAY + 16 * DAY
    first = (target_at - NOW).days
    around = Availability((season(first - 1, first + 1),), OFFICE.zone, OFFICE)
    book = person([own], accounts={availability_key(own.account_id, own.type): around})

    (share,) = find_shares(book, without_room(own), everybody(book, colleague("bob")), NOW)

    assert not around.is_avoided(share.due_at)
    assert share.due_at.date() != target_at.date()
    fridays = CustomerDays((OFFICE.zone,), weekend=frozenset({0, 1, 2, 3, 5, 6}))
    rarely = Availability((), OFFICE.zone, replace(OFFICE, customer=fridays))
    book = person([own], accounts={availability_key(own.account_id, own.type): rarely})
    (share,) = find_shares(book, without_room(own), everybody(book, colleague("bob")), NOW)
    assert share.due_at.weekday() == 4


def test_what_people_have_the_date_of_keeps_its_date() -> None:
    own = shared(1, due_at=MONDAY + 17 * DAY, is_invited=True)
    book = person([own])

    (share,) = find_shares(book, without_room(own), everybody(book, colleague("bob")), NOW)

    assert share.due_at == own.due_at


@given(
    st.lists(st.tuples(st.integers(1, 4), st.integers(0, 3), st.sampled_from([30, 60, 90])), max_size=12),
    st.lists(st.integers(0, 400), min_size=1, max_size=3),
)
def test_no_week_of_a_colleague_holds_more_than_it_can_and_each_stays_in_its_window(
    works: list[tuple[int, int, int]], weekly: list[int]
) -> None:
    touches = [shared(number, *work[:2], minutes=work[2]) for number, work in enumerate(works)]
    book = person(touches)
    colleagues = [colleague(f"c{number}", minutes) for number, minutes in enumerate(weekly)]
    named = everybody(book, *colleagues)

    shares = find_shares(book, without_room(*touches), named, NOW)

    assert shares == find_shares(book, without_room(*reversed(touches)), named, NOW)
    by_id = {each.id: each for each in touches}
    taken = Counter[tuple[str, object]]()
    for each in shares:
        taken[each.csm_id, each.due_at.isocalendar()[:2]] += by_id[each.touch_id].minutes
        assert by_id[each.touch_id].window[0] <= each.due_at <= by_id[each.touch_id].window[1]
        assert each.due_at >= NOW + 2 * DAY
    limits = {each.csm_id: minutes for each, minutes in zip(colleagues, weekly, strict=True)}
    assert all(minutes <= limits[csm_id] for (csm_id, _), minutes in taken.items())
