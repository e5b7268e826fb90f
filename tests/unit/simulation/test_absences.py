"""Time off, public holidays and folding in a simulation are those of the live calendar (F4, S157)."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, cast

from schemas.standing import StandingPerson
from schemas.times import TimeOff
from services.calendar.busy_time import make_busy_time
from services.calendar.stretches import to_micros
from services.simulation.from_standing import colleague_of_person
from services.simulation.groups import split_book
from services.simulation.totals import Wanted
from tests.unit.simulation.books import account, book_of, person, simulate_book, simulated, write

AWAY = [{"from": "2026-03-16", "to": "2026-04-24"}]
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FIRST, LAST = date(2026, 3, 16), date(2026, 4, 24)


def meetings(document: object, csm_id: str) -> list[dict[str, Any]]:
    schedule = cast("dict[str, list[dict[str, Any]]]", document)["schedule"]
    return [each for each in schedule if each["csm_id"] == csm_id]


def accounts(**described: object) -> list[dict[str, object]]:
    revenues = (250_000, 60_000, 12_000)
    return [each for number in range(3) for each in account(f"a{number}", revenues[number], **described)]


def days_of(touches: Sequence[dict[str, Any]]) -> set[date]:
    return {datetime.fromisoformat(each["due_at"]).date() for each in touches}


def test_a_colleague_of_the_pool_stands_in_while_somebody_is_away() -> None:
    events = [person("ana", pool="emea", time_off=AWAY), person("eve", pool="emea")]
    book = write([*events, *accounts(csm_id="ana", pool="emea")])
    document = simulated(book, Wanted(60, keep_schedule=True))
    covered = meetings(document, "eve")
    assert not {day for day in days_of(meetings(document, "ana")) if FIRST <= day <= LAST}
    assert covered
    assert all(each["shift"].startswith("covered by eve: ana is away") for each in covered)


def test_what_nobody_can_lead_is_escalated() -> None:
    book = write([person("ana", time_off=AWAY), *accounts(csm_id="ana")])
    document = simulated(book, Wanted(60, keep_schedule=True))
    assert [each for each in meetings(document, "ana") if each["type"] == "escalation"]


def test_nobody_meets_on_a_public_holiday_of_either() -> None:
    """Good Friday and Easter Monday are holidays in Berlin, Memorial Day is one in New York."""
    places = {"country": "US", "region": "NY", "timezone": "America/New_York"}
    people = [person("ana", country="DE", region="BE")]
    closed = {date(2026, 4, 3), date(2026, 4, 6), date(2026, 5, 1), date(2026, 5, 14), date(2026, 5, 25)}
    for number in range(4):
        people += account(f"b{number}", 250_000, csm_id="ana", **places)
    document = simulated(write(people), Wanted(90, keep_schedule=True))
    internal = {"value_watch", "escalation"}
    met = [each for each in meetings(document, "ana") if each["type"] not in internal]
    assert len(met) > 20
    assert not days_of(met) & closed
    assert not days_of(meetings(document, "ana")) & (closed - {date(2026, 5, 25)})


def test_a_check_in_near_a_review_is_part_of_it() -> None:
    """The target of the check-in decides, also once the review has come due."""
    document = simulated(write([person("ana"), *accounts(csm_id="ana")]), Wanted(200, keep_schedule=True))
    touches = meetings(document, "ana")
    reviews = [each for each in touches if each["type"] == "business_review"]
    assert reviews
    for review in reviews:
        same = [each for each in touches if each["account_id"] == review["account_id"]]
        check_ins = [each for each in same if each["type"] == "check_in" and each["shift"] is None]
        assert not [each for each in check_ins if days_of([each]) == days_of([review])]


def test_parts_of_a_book_hold_those_who_may_stand_in_for_each_other() -> None:
    """The members of a pool; accounts without one are simulated in as many parts as they have people."""
    for pool, parts in (({"pool": "emea"}, 1), ({}, 2)):
        book = book_of(write([person("ana"), person("eve", pool="emea"), *accounts(csm_id="ana", **pool)]))
        assert len(split_book(book.accounts, book.colleagues, 2)) == parts


def test_a_colleague_of_the_pool_leads_what_has_no_room_before_anything_is_given_up() -> None:
    """12.5, 12.6: full weeks are shared, and each touchpoint says which weeks were full."""
    people = [person("ana", pool="emea", weekly_minutes=60), person("eve", pool="emea")]
    events = [each for number in range(12) for each in account(f"m{number}", csm_id="ana", pool="emea")]
    document = simulated(write([*people, *events]), Wanted(60, keep_schedule=True))
    shared = meetings(document, "eve")
    assert shared
    assert {each["type"] for each in shared} == {"check_in"}, "reviews are bound to their CSM"
    assert all(each["shift"].startswith("shared with eve: no room ") for each in shared)
    alone = simulated(write([people[0], *events]), Wanted(60, keep_schedule=True))
    assert len(meetings(document, "ana")) + len(shared) > len(meetings(alone, "ana"))


def test_busy_time_is_kept_free_in_a_simulation_and_takes_minutes_of_the_weeks() -> None:
    """12.9: with busy time in the book too."""
    book = book_of(write([person("ana", weekly_minutes=600), *accounts(csm_id="ana")]))
    free = simulate_book(book, Wanted(60, keep_schedule=True))
    days = [datetime(2026, 3, 16, tzinfo=UTC) + number * DAY for number in range(12)]
    busy = make_busy_time((to_micros(day), to_micros(day + 20 * HOUR)) for day in days)
    assert busy is not None
    [ana] = book.colleagues
    person_of = StandingPerson.of_valid(
        csm_id="ana", timezone="Europe/Berlin", weekly_minutes=600, busy=busy.bounds
    )
    colleagues = [colleague_of_person(person_of)]
    document = simulate_book(book._replace(colleagues=colleagues), Wanted(60, keep_schedule=True))
    calls = [each for each in meetings(document, "ana") if each["channel"] in ("call", "meeting")]
    assert any(each["shift"] and "is busy then" in each["shift"] for each in calls)
    assert not days_of(calls) & {day.date() for day in days}
    assert ana.hours.busy is None
    assert document != free
    everybody = cast("list[dict[str, Any]]", document["people"])
    weeks = {week["week"]: week["available_minutes"] for each in everybody for week in each["weeks"]}
    assert all(minutes == 600 for week, minutes in weeks.items() if week > "2026-03-29")
    assert weeks.get("2026-03-16", 0) == 0


def test_a_person_of_a_deployment_is_the_one_of_their_events() -> None:
    described = person(
        "ana", country="DE", region="BE", time_off=AWAY, working_hours={"from": "08:00", "to": "16:00"}
    )
    [colleague] = book_of(write([described, *account("acme", csm_id="ana")])).colleagues
    standing = StandingPerson.of_valid(
        csm_id="ana",
        name="ana",
        timezone="Europe/Berlin",
        country="DE",
        region="BE",
        time_off=tuple(TimeOff(from_=span.first, to=span.last) for span in colleague.days.away),
        day_start="08:00",
        day_end="16:00",
    )
    assert colleague_of_person(standing).close(()) == colleague.close(())
    assert colleague.close(()).hours.has_dated_closures
