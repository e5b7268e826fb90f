"""Levelling and reconciling agree: nothing leaves its window, and what one of them placed the other leaves there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from schemas.plans import OneOffItem, PlanAdjusted, RhythmItem
from schemas.times import Window
from schemas.zones import find_zone
from services.calendar.avoid import Availability, periods_for
from services.calendar.customer_days import CustomerPlace
from services.calendar.open_hours import EVERY_DAY, WORKDAYS, OpenHours
from services.calendar.person_book import (
    AccountDays,
    PersonBook,
    PlannedTouch,
    availability_key,
    find_availability,
    find_priority,
    find_work,
)
from services.calendar.person_levelling import PersonLevelling, level_person
from services.calendar.reconciliation import reconcile
from services.calendar.reconciliation.context import (
    AccountHours,
    ChangeKind,
    ReconcileContext,
    StoredCalendar,
    find_account_hours,
)
from services.calendar.touchpoint import Status, Touchpoint, give_way
from services.calendar.windows import is_by_season
from tests.unit.calendar.plans import EMPTY, apply_changes, one_off, rhythm, season

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
NOW = datetime(2026, 12, 1, 17, tzinfo=UTC)  # a Tuesday
ZONES = (
    "Pacific/Honolulu", "America/Los_Angeles", "America/New_York", "America/Sao_Paulo", "Europe/London", "Europe/Berlin",
    "Asia/Kolkata", "Asia/Tokyo", "Australia/Lord_Howe", "Pacific/Auckland",
)  # fmt: skip
NEW_YORK = CustomerPlace("America/New_York", (), "US")


@dataclass
class PersonAndAccounts:
    """A person, their accounts with plans, and what stands: all by the functions that production runs."""

    hours: OpenHours
    plans: Sequence[PlanAdjusted]
    places: Sequence[CustomerPlace]
    now: datetime = NOW
    weekly_minutes: int = 1500

    def __post_init__(self) -> None:
        self.stored: dict[str, StoredCalendar] = {plan.account_id: EMPTY for plan in self.plans}
        self.levelled_ids: frozenset[str] = frozenset()

    def hours_of(self, place: CustomerPlace) -> AccountHours:
        return find_account_hours(place, (), self.hours, {"ada": self.hours})

    def reconcile(self) -> list[tuple[ChangeKind, Touchpoint, str]]:
        changed: list[tuple[ChangeKind, Touchpoint, str]] = []
        for plan, place in zip(self.plans, self.places, strict=True):
            stored = self.stored[plan.account_id]
            found = reconcile(ReconcileContext(plan, stored, self.hours_of(place), NOW, self.now))
            self.stored[plan.account_id] = apply_changes(stored, found)
            changed += [(change.kind, change.touchpoint, change.reason) for change in found.changes]
        return changed

    def _touchpoints(self) -> list[Touchpoint]:
        return [each for stored in self.stored.values() for each in stored.touchpoints]

    def book(self) -> PersonBook:
        known: dict[str, Availability] = {}
        for plan, place in zip(self.plans, self.places, strict=True):
            for item in (*plan.rhythms, *plan.touchpoints):
                found = self._find_availability(item, plan, place)
                if found is not None:
                    known[availability_key(plan.account_id, item.touchpoint_type)] = found
        own = [each for each in self._touchpoints() if each.is_led_by_person and each.csm_id == "ada"]
        planned = [self._plan(each) for each in own if each.status is Status.PLANNED]
        yielded = [self._plan(each) for each in own if each.gave_way]
        return PersonBook("ada", self.hours, self.weekly_minutes, tuple(planned), (), known, tuple(yielded))

    def _find_availability(
        self, item: RhythmItem | OneOffItem, plan: PlanAdjusted, place: CustomerPlace
    ) -> Availability | None:
        hours = self.hours_of(place)
        zones = hours.season_zones(item.owner, item.csm_id)
        periods = periods_for(plan.avoid, item.touchpoint_type, item.topic, zones)
        days = AccountDays(hours.customer, plan.quiet_hours)
        work = find_work(None, item.minutes)._replace(topic=item.topic, channel=item.channel)
        return find_availability(periods, work, self.hours, days)

    def _plan(self, each: Touchpoint) -> PlannedTouch:
        return PlannedTouch(
            each.id, each.account_id, each.type, each.due_at, each.start_at, each.earliest_at, each.latest_at,
            each.soft_days, each.minutes, find_priority(None, None, each.origin), each.id not in self.levelled_ids,
            is_shifted=is_by_season(each.shift), has_yielded=each.gave_way,
        )  # fmt: skip

    def level(self) -> PersonLevelling:
        """Level the book, and store what that changes."""
        levelled = level_person(self.book(), self.now)
        moves = {move.id: move for move in levelled.moves}
        given_up = {each.touch.id: each.reason for each in levelled.relief.given_up}
        self.levelled_ids = frozenset(each.id for each in self._touchpoints())
        for account_id, stored in self.stored.items():
            touchpoints: list[Touchpoint] = []
            for each in stored.touchpoints:
                if each.id in moves and not each.gave_way:
                    touchpoints.append(
                        each._replace(due_at=moves[each.id].due_at, shift=moves[each.id].reason)
                    )
                else:
                    touchpoints.append(give_way(each, given_up[each.id]) if each.id in given_up else each)
            self.stored[account_id] = replace(stored, touchpoints=touchpoints)
        return levelled


def plan_of(account_id: str, items: Sequence[RhythmItem | OneOffItem], *, has_season: bool) -> PlanAdjusted:
    return PlanAdjusted(
        account_id=account_id, version=1, policy="p", decided_at=NOW,
        rhythms=tuple(item for item in items if isinstance(item, RhythmItem)),
        touchpoints=tuple(item for item in items if isinstance(item, OneOffItem)),
        avoid=(season(285, 289),) if has_season else (),
    )  # fmt: skip


def window_of(book: PersonBook) -> Mapping[str, tuple[datetime, datetime]]:
    return {each.id: each.window for each in book.touches}


@st.composite
def persons(draw: st.DrawFn) -> PersonAndAccounts:
    zones, minutes = st.sampled_from(ZONES), st.sampled_from([300, 1500])
    start, end = draw(st.sampled_from([(time(9), time(17)), (time(22), time(6)), (time(13), time(21))]))
    days = draw(st.sampled_from([WORKDAYS, frozenset({6, 0, 1, 2}), EVERY_DAY]))
    hours = OpenHours(find_zone(draw(zones)), days, start, end, person="Ada")
    plans: list[PlanAdjusted] = []
    places: list[CustomerPlace] = []
    has_season = draw(st.booleans())
    for number in range(draw(st.integers(1, 6))):
        account_id = f"acc-{number}"
        items: list[RhythmItem | OneOffItem] = []
        for name in ("kickoff", "renewal")[: draw(st.integers(1, 2))]:
            opens_at = NOW + draw(st.integers(-24, 24 * 15)) * HOUR
            to = opens_at + draw(st.integers(1, 24 * 9)) * HOUR
            deadline = draw(st.sampled_from([None, to, to + 2 * DAY]))
            items.append(
                one_off(
                    name, id=one_off(f"{name}-{number}").id, window=Window(from_=opens_at, to=to), deadline=deadline,
                    topic=draw(st.sampled_from(["account", None])),
                )
            )  # fmt: skip
        if draw(st.booleans()):
            items.append(rhythm(draw(st.sampled_from([3, 7, 14, 30]))))
        plans.append(plan_of(account_id, items, has_season=has_season and draw(st.booleans())))
        places.append(draw(st.sampled_from([CustomerPlace(), CustomerPlace(draw(zones)), NEW_YORK])))
    # What gives way beside a season makes room for what the season left out: that is another matter.
    return PersonAndAccounts(hours, plans, places, weekly_minutes=1500 if has_season else draw(minutes))


@given(persons())
def test_nothing_leaves_its_window_and_nothing_moves_back_and_forth(person: PersonAndAccounts) -> None:
    person.reconcile()
    book = person.book()
    windows, known = window_of(book), book.accounts
    accounts = {each.id: availability_key(each.account_id, each.type) for each in book.touches}
    levelled = person.level()
    for move in levelled.moves:
        opens_at, closes_at = windows[move.id]
        assert opens_at <= move.due_at <= closes_at
        available = known.get(accounts[move.id], Availability((), person.hours.zone, person.hours))
        assert available.is_available(move.due_at)
    again = person.reconcile()
    assert [each for each in again if each[0] not in (ChangeKind.KEEP, ChangeKind.REFRESH)] == []
    once_more = person.level()
    assert (once_more.moves, once_more.relief.given_up) == ((), [])


def single(opens_at: datetime, to: datetime, zone: str, place: CustomerPlace) -> PersonAndAccounts:
    hours = OpenHours(find_zone(zone), person="Ada")
    item = one_off(window=Window(from_=opens_at, to=to))
    return PersonAndAccounts(hours, [plan_of("acme", [item], has_season=False)], [place])


def test_a_window_that_opens_in_the_evening_before_is_not_open_that_morning() -> None:
    """8 December 00:00 in UTC is 7 December, 19:00 in New York."""
    opens_at = datetime(2026, 12, 8, tzinfo=UTC)
    person = single(opens_at, opens_at + 7 * DAY, "America/New_York", NEW_YORK)
    person.reconcile()
    levelled = person.level()
    assert (levelled.moves, levelled.homeless) == ((), ())


def test_a_window_that_ends_in_the_night_has_no_room_on_the_day_after_it() -> None:
    """It ends on 8 December at 1:00 in Berlin, and the 7th is full."""
    opens_at = datetime(2026, 12, 7, tzinfo=UTC)
    person = single(opens_at, opens_at + DAY, "Europe/Berlin", CustomerPlace("Europe/Berlin"))
    person.reconcile()
    book = person.book()
    (touch,) = book.touches
    others = tuple(
        touch._replace(id=f"z{number}", account_id=f"z{number}", earliest_at=None) for number in range(8)
    )
    assert level_person(book._replace(touches=(touch, *others)), NOW).moves == ()


def test_what_no_customer_sees_has_days_also_where_its_window_opens_outside_working_hours() -> None:
    opens_at = datetime(2026, 12, 8, tzinfo=UTC)
    person = single(opens_at, opens_at + 7 * DAY, "America/New_York", CustomerPlace())
    person.reconcile()
    assert person.level().homeless == ()


def touch_of(name: str, day: int, touchpoint_type: str, account_id: str = "acme") -> PlannedTouch:
    target_at = datetime(2026, 12, day, 9, tzinfo=UTC)
    return PlannedTouch(
        name, account_id, touchpoint_type, target_at, target_at, target_at - 6 * DAY, target_at + 6 * DAY, 2, 30, 0,
        is_new=False,
    )  # fmt: skip


def test_a_move_that_keeps_two_touchpoints_of_an_account_apart_says_so() -> None:
    touches = touch_of("a", 15, "check_in"), touch_of("b", 16, "business_review")
    book = PersonBook("ada", OpenHours(find_zone("Europe/Berlin")), 2400, touches, (), {})

    (move,) = level_person(book, NOW).moves
    assert (
        move.reason == "levelled: another day keeps it two days apart from another touchpoint of the account"
    )
    others = tuple(each._replace(account_id=each.id) for each in touches)
    assert all("apart" not in each.reason for each in level_person(book._replace(touches=others), NOW).moves)
