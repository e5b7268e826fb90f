"""The book of a person in later months: what is new, beside the days of all else."""

from datetime import timedelta

from services.cadence.account import Facts
from services.cadence.account.codec import encode
from services.cadence.account.issued import Issued
from services.calendar.assignment import AccountOwners
from services.calendar.open_hours import OpenHours
from services.calendar.touchpoint import Touchpoint
from services.simulation.account import SimulatedAccount
from services.simulation.book import BookAccount, Colleague, Period, StandingCalendar
from services.simulation.people import PersonWork
from tests.unit.calendar.plans import NOW, UTC_ZONE, by_hand
from tests.unit.simulation.books import book_of, small_book

DAY = timedelta(days=1)
RULES = book_of(small_book()).rules.load()
PERIOD = Period(NOW, 100)


def touch(name: str, days: float, minutes: int = 60) -> Touchpoint:
    due_at = NOW + days * DAY
    return by_hand(due_at)._replace(
        id=name, csm_id="ada", minutes=minutes, earliest_at=due_at - 3 * DAY, latest_at=due_at + 3 * DAY,
    )  # fmt: skip


def account(name: str, *touchpoints: Touchpoint) -> SimulatedAccount:
    state = encode(Facts(name), Issued())
    return SimulatedAccount(
        BookAccount(
            name, state, AccountOwners(name, "ada"), calendar=StandingCalendar(touchpoints=touchpoints)
        ),
        RULES,
        PERIOD,
    )


def work(*accounts: SimulatedAccount, weekly_minutes: int = 600) -> PersonWork:
    """Levelled before."""
    found = PersonWork(Colleague("ada", OpenHours(UTC_ZONE), weekly_minutes, is_levelled=True))
    for each in accounts:
        found.note(each)
    return found


def test_only_what_is_new_may_move_and_other_accounts_are_a_load_of_their_days() -> None:
    own = account("own", touch("new", 10), touch("standing", 20))
    others = account("one", touch("a", 30, 45)), account("two", touch("b", 30, 15), touch("c", 33))
    ada = work(own, *others)
    ada.note(own, "new")

    book = ada.make_book_of_new(NOW)

    assert book is not None
    movable = {each.id: each.earliest_at is not None for each in book.touches}
    assert movable == {"new": True, "standing": False, "day 30": False, "day 33": False}
    assert {each.id: each.minutes for each in book.touches if "day" in each.id} == {
        "day 30": 60,
        "day 33": 60,
    }
    assert [each.id for each in book.touches if each.is_new] == ["new"]


def test_there_is_no_book_of_what_is_new_where_nothing_is() -> None:
    own = account("own", touch("new", 10))
    ada = work(own)
    assert ada.make_book_of_new(NOW) is None
    ada.note(own, "new")
    assert ada.make_book_of_new(NOW) is not None
    ada.settle(NOW)
    assert ada.make_book_of_new(NOW) is None


def test_a_week_is_overfull_by_what_is_left_of_it_and_is_asked_again_once_something_changes() -> None:
    """NOW is a Monday: of that week four days of two hours are left."""
    own = account("own", touch("near", 1, 480))
    assert not work(own).is_overfull(NOW)
    assert work(account("own", touch("near", 1, 481))).is_overfull(NOW)
    assert not work(account("own", touch("far", 8, 600))).is_overfull(NOW)
    ada = work(own)
    assert not ada.is_overfull(NOW)
    own.calendar["more"] = touch("more", 2)
    ada.note(own, "more")
    assert ada.is_overfull(NOW)
