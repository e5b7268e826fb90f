"""What is left out of a simulation after its first month, beside one that leaves out nothing."""

from datetime import datetime
from typing import Any, cast

from schemas.times import format_instant
from services.cadence.account.codec import decode
from services.simulation.book import DAY, Period
from services.simulation.decisions import AccountDecisions
from services.simulation.jobs import add_up, plan_jobs, simulate
from services.simulation.totals import Wanted
from tests.unit.calendar.plans import by_hand
from tests.unit.simulation.books import NOW, account, book_of, event, person, write

DAYS = 150


def events() -> bytes:
    """Terms that end within the days, an answer, and a signal: steps, one-offs, and other rhythms before the end."""
    found = [person("ana")]
    for number, arr in enumerate((250_000, 60_000, 12_000, 900)):
        name = f"acc-{number}"
        found += account(name, arr, csm_id="ana")
        found.append(event("nps.answered", name, {"score": 9, "contact_id": "kay"}))
        found.append(event("expansion.signalled", name, {"signal": "seat_limit"}))
    return write(found)


def followed(exact_days: int) -> dict[str, Any]:
    book, wanted = book_of(events()), Wanted(DAYS, keep_schedule=True)
    period = Period(book.now, DAYS, follows_live=True, exact_days=exact_days)
    jobs = plan_jobs(book.rules, book.accounts, book.colleagues, period, wanted, 1)
    return cast("dict[str, Any]", add_up(list(map(simulate, jobs)), "p", period, wanted))


def ids_of(document: dict[str, Any], days: int = DAYS) -> set[str]:
    """Of what came due in the first days."""
    end = format_instant(NOW + days * DAY)
    return {touch["id"] for touch in document["schedule"] if touch["due_at"] < end}


def test_a_plan_is_followed_part_by_part_as_it_is_as_a_whole() -> None:
    """The same touchpoints, though not on the same days, with fewer evaluations."""
    exact, later = followed(DAYS), followed(0)
    assert ids_of(exact, DAYS - 30) <= ids_of(later)
    assert ids_of(later, DAYS - 30) <= ids_of(exact)
    assert later["work"]["evaluations"] * 3 < exact["work"]["evaluations"] * 2
    assert later["work"]["levellings"] < exact["work"]["levellings"]


def test_a_one_off_is_evaluated_again_only_where_it_has_not_come_due_when_its_window_ends() -> None:
    book = book_of(events())
    state = decode(book.accounts[0].account_id, book.accounts[0].state)
    decisions = AccountDecisions(state, book.rules.load(), Period(book.now, DAYS), None)
    change = decisions.evaluate(None, book.now)
    assert change is not None
    item = next(each for each in change.plan.touchpoints if each.touchpoint_type == "advocacy_ask")

    def moments(due_at: datetime) -> list[datetime]:
        return list(decisions.next_moments({item.id: by_hand(due_at)._replace(id=item.id)}))

    assert item.window.to in moments(item.window.to)
    assert item.window.to not in moments(item.window.from_)
