"""The work of people is level over their weeks; what stands stays, and what others do meanwhile wins."""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from services.calendar.person_book import PersonBook
from services.calendar.person_levelling import PersonLevelling, level_person
from services.scheduler.adapters.book_repository import LONGEST_WAIT, QUIET, PostgresBooks
from services.scheduler.application.level_books import level_next_book
from tests.integration.scheduler.conftest import MONDAY, FixedClock, Scheduler, at, one_off, rhythm

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]
DAY = timedelta(days=1)


def monthly(account: str, **changed: object) -> dict[str, Any]:
    return {"account": account, "rhythms": [rhythm(28, urgency="spread", **changed)]}


async def plan_all(scheduler: Scheduler, accounts: Sequence[str], every_days: int) -> None:
    await scheduler.consume(
        *(scheduler.plan(1, [rhythm(every_days, urgency="spread")], account=account) for account in accounts)
    )


async def touches_by_week(scheduler: Scheduler, first: datetime, weeks: int) -> list[int]:
    """Of the weeks from the Monday `first`."""
    rows = await scheduler.database.pool.fetch(
        "SELECT due_at FROM touchpoint WHERE status = 'planned' AND due_at >= $1 AND due_at < $2",
        first,
        first + timedelta(weeks=weeks),
    )
    counts = Counter((row["due_at"] - first).days // 7 for row in rows)
    return [counts[week] for week in range(weeks)]


async def places(scheduler: Scheduler) -> dict[str, datetime]:
    rows = await scheduler.database.pool.fetch(
        "SELECT id::text, due_at FROM touchpoint WHERE status = 'planned'"
    )
    return {row["id"]: row["due_at"] for row in rows}


def next_monday() -> datetime:
    return (MONDAY + 7 * DAY).replace(hour=0)


async def test_a_hundred_monthly_accounts_are_twenty_five_a_week(scheduler: Scheduler) -> None:
    """S150, X11, S151."""
    await plan_all(scheduler, [f"acc-{number:03d}" for number in range(100)], 28)
    await scheduler.level()
    weeks = await touches_by_week(scheduler, next_monday(), 4)
    assert max(weeks) == 25
    assert max(weeks) - min(weeks) <= 1, weeks


async def test_twenty_five_accounts_every_other_week_are_fifty_in_four_weeks(scheduler: Scheduler) -> None:
    """X10, S148."""
    await plan_all(scheduler, [f"acc-{number:03d}" for number in range(25)], 14)
    await scheduler.level()
    weeks = await touches_by_week(scheduler, next_monday(), 8)
    assert sum(weeks) == 100
    assert max(weeks) - min(weeks) <= 1, weeks


async def test_the_next_account_moves_nobody_and_a_second_pass_moves_nothing(scheduler: Scheduler) -> None:
    await plan_all(scheduler, [f"acc-{number:03d}" for number in range(40)], 28)
    await scheduler.level()
    before = await places(scheduler)
    await plan_all(scheduler, ["newcomer"], 28)
    await scheduler.level()
    after = await places(scheduler)
    assert {key: after[key] for key in before} == before
    assert len(after) > len(before)
    await scheduler.database.pool.execute("INSERT INTO csm_mark (csm_id, cause) VALUES ('ada', 'again')")
    await scheduler.level()
    assert await places(scheduler) == after


async def test_a_moved_touchpoint_stays_in_its_window_on_a_working_day_and_says_why(
    scheduler: Scheduler,
) -> None:
    """Twenty accounts with one date: the person's week would be overfull."""
    await scheduler.describe("ada", weekly_minutes=300)
    start = next_monday() + 9 * timedelta(hours=1)
    for number in range(20):
        item = one_off(f"00000000-0000-4000-8000-{number:012d}", start, start + 28 * DAY, minutes=60)
        await scheduler.consume(scheduler.plan(1, touchpoints=[item], account=f"acc-{number}"))
    await scheduler.level()
    rows = await scheduler.list_touchpoints(status="planned")
    weeks = Counter((datetime.fromisoformat(row["due_at"]) - start).days // 7 for row in rows)
    assert max(weeks.values()) <= 5  # hours a week hold no more
    moved = [row for row in rows if datetime.fromisoformat(row["due_at"]) != start]
    assert moved
    for row in moved:
        due_at = datetime.fromisoformat(row["due_at"])
        assert (
            datetime.fromisoformat(row["window"]["from"])
            <= due_at
            <= datetime.fromisoformat(row["window"]["to"])
        )
        assert due_at.weekday() < 5
    events = await scheduler.sent()
    assert {event["ce_type"].split(".")[-2] for event in events} == {"scheduled"}  # nobody saw another date


async def test_reconciling_again_keeps_the_days_that_levelling_chose(scheduler: Scheduler) -> None:
    await scheduler.describe("ada", weekly_minutes=120)
    for number in range(12):
        await scheduler.consume(
            scheduler.plan(1, [rhythm(28)], account=f"acc-{number}")  # all begin today
        )
    await scheduler.level()
    before = await places(scheduler)
    shifted = await scheduler.database.pool.fetchval(
        "SELECT count(*) FROM touchpoint WHERE verdict LIKE 'levelled: %'"
    )
    assert shifted > 20
    await scheduler.database.pool.execute("UPDATE account_calendar SET extend_at = '-infinity', shape = NULL")
    await scheduler.extend()
    await scheduler.level()
    assert await places(scheduler) == before


async def test_what_a_person_did_meanwhile_wins_and_the_book_is_levelled_again(scheduler: Scheduler) -> None:
    await scheduler.describe("ada", weekly_minutes=120)
    for number in range(12):
        await scheduler.consume(scheduler.plan(1, [rhythm(28)], account=f"acc-{number}"))
    await scheduler.level()
    await scheduler.describe("ada", weekly_minutes=2400, version=2)
    await scheduler.database.pool.execute("DELETE FROM csm_mark")
    await scheduler.database.pool.execute(
        "INSERT INTO csm_mark (csm_id, cause, marked_at) VALUES ('ada', 'test', now() - interval '1 hour')"
    )
    moved_by_hand: list[str] = []

    async def act_meanwhile(book: PersonBook, now: datetime) -> PersonLevelling:
        levelled = level_person(book, now)
        if levelled.moves and not moved_by_hand:
            chosen = levelled.moves[0].id
            moved_by_hand.append(chosen)
            stored = next(
                row for row in await scheduler.list_touchpoints(status="planned") if row["id"] == chosen
            )
            to = (datetime.fromisoformat(stored["due_at"]) + timedelta(hours=1)).isoformat()
            answer = await scheduler.http.post(
                f"/v1/touchpoints/{chosen}/reschedule", json={"to": to, "version": stored["sequence"]}
            )
            assert answer.status_code == 200, answer.text
        return levelled

    async with scheduler.database.transaction() as connection:
        books = PostgresBooks(connection, scheduler.calendars(connection))
        result = await level_next_book(books, act_meanwhile, FixedClock.now_is)
    assert moved_by_hand
    assert result.stale == 1
    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM csm_mark") > 0
    (kept,) = [
        row for row in await scheduler.list_touchpoints(status="planned") if row["id"] == moved_by_hand[0]
    ]
    assert kept["window"] is not None
    before = kept["due_at"]
    await scheduler.level()
    (after,) = [
        row for row in await scheduler.list_touchpoints(status="planned") if row["id"] == moved_by_hand[0]
    ]
    assert after["due_at"] == before


async def test_two_levellers_never_work_at_one_person(scheduler: Scheduler) -> None:
    await plan_all(scheduler, ["one"], 28)
    await scheduler.database.pool.execute("UPDATE csm_mark SET marked_at = marked_at - interval '1 hour'")
    async with scheduler.database.transaction() as first, scheduler.database.transaction() as second:
        assert await PostgresBooks(first, scheduler.calendars(first)).claim(FixedClock.now_is) is not None
        assert await PostgresBooks(second, scheduler.calendars(second)).claim(FixedClock.now_is) is None


async def test_changes_of_one_book_wait_for_each_other_but_not_for_long(scheduler: Scheduler) -> None:
    async def is_claimed(age: timedelta, quiet: timedelta) -> bool:
        marked = "UPDATE csm_mark SET marked_at = clock_timestamp() - $1::interval"
        await scheduler.database.pool.execute(marked, age)
        async with scheduler.database.transaction() as connection:
            books = PostgresBooks(connection, scheduler.calendars(connection), quiet)
            return await books.claim(FixedClock.now_is) is not None

    second = timedelta(seconds=1)
    await plan_all(scheduler, ["one"], 28)
    assert not await is_claimed(second, LONGEST_WAIT)
    assert await is_claimed(second, QUIET)
    await plan_all(scheduler, ["two"], 28)
    assert await is_claimed(LONGEST_WAIT + second, LONGEST_WAIT)


async def test_what_is_due_today_or_tomorrow_stays(scheduler: Scheduler) -> None:
    await scheduler.describe("ada", weekly_minutes=30)
    for number in range(6):
        await scheduler.consume(scheduler.plan(1, [rhythm(28)], account=f"acc-{number}"))
    await scheduler.level()
    today = [
        row for row in await scheduler.list_touchpoints(status="planned") if row["due_at"] < "2026-03-04"
    ]
    assert len(today) == 6
    at(MONDAY)


async def one(scheduler: Scheduler, **filters: object) -> dict[str, Any]:
    (item,) = await scheduler.list_touchpoints(**filters)
    return item


async def test_what_a_person_cannot_do_goes_to_a_colleague_of_the_pool_or_is_escalated(
    scheduler: Scheduler,
) -> None:
    """Row 22. Of a rhythm of six days Tuesdays move by two days at most, and she works on Fridays alone."""
    await scheduler.describe("ada", working_days=["fri"])
    await scheduler.describe("bob", pool="smb")
    data = {"account_id": "pooled", "version": 1, "pool": "smb", "csm_id": "ada"}
    described = scheduler.event("directory.accounts", "drumbeat.account.directory.v1", "pooled", data)
    await scheduler.consume(described)
    await scheduler.consume(
        *(scheduler.plan(1, [rhythm(6)], account=account) for account in ("pooled", "alone"))
    )
    await scheduler.level()

    covered = await scheduler.list_touchpoints(account_id="pooled", csm_id="bob")
    assert covered
    assert {datetime.fromisoformat(each["due_at"]).weekday() for each in covered} == {1}
    assert covered[0]["note"] == "covered by bob: ada is away (week 2026-W13)"
    assert await scheduler.list_touchpoints(account_id="pooled", type="escalation") == []
    escalations = await scheduler.list_touchpoints(account_id="alone", type="escalation")
    assert len(escalations) == len(covered)
    first = escalations[0]
    assert (first["origin"], first["owner"]["kind"], first["csm_id"]) == ("calendar", "csm", "ada")
    for part in ("type check in", "ada is away", "weeks 2026-W12 to 2026-W13", "What helps"):
        assert part in first["reason"]["text"]
    assert scheduler.counted["level_covered"] == scheduler.counted["level_escalated"] == len(covered)

    await scheduler.database.pool.execute("UPDATE account_calendar SET extend_at = '-infinity', shape = NULL")
    await scheduler.extend()
    await scheduler.database.pool.execute("INSERT INTO csm_mark (csm_id, cause) VALUES ('ada', 'again')")
    await scheduler.level()
    assert await scheduler.list_touchpoints(account_id="pooled", csm_id="bob") == covered
    assert await scheduler.list_touchpoints(account_id="alone", type="escalation") == escalations

    await scheduler.describe("ada", version=2)  # every working day again
    await scheduler.level()
    assert await scheduler.list_touchpoints(account_id="pooled", csm_id="bob") == []
    withdrawn = await scheduler.list_touchpoints(account_id="alone", type="escalation")
    assert {each["note"] for each in withdrawn} == {"withdrawn: its cause is gone"}


async def test_a_gap_between_reviews_is_escalated_and_withdrawn_with_the_season_that_made_it(
    scheduler: Scheduler,
) -> None:
    """X20: the gap between two reviews stays within four and a half months, else an escalation."""
    review = rhythm(90, touchpoint_type="business_review", never_skip=True)
    freeze = {
        "name": "freeze", "from": MONDAY + 20 * DAY, "to": MONDAY + 250 * DAY,
        "touchpoint_types": ["business_review"], "text": "a merger",
    }  # fmt: skip
    await scheduler.consume(scheduler.plan(1, [review], avoid=[freeze]))
    escalation = await one(scheduler, type="escalation")
    assert (escalation["status"], escalation["origin"]) == ("planned", "calendar")
    assert "freeze" in escalation["reason"]["text"]
    (sent,) = [
        each["data"] for each in await scheduler.sent() if each["data"]["touchpoint_type"] == "escalation"
    ]
    assert (sent["precedence"], sent["owner"]["csm_id"]) == ("escalation", "ada")

    await scheduler.consume(scheduler.plan(2, [review]))
    assert (await one(scheduler, type="escalation"))["note"] == "withdrawn: its cause is gone"
    await scheduler.consume(scheduler.plan(3, [review], avoid=[freeze]))
    again = await one(scheduler, type="escalation")
    assert (again["id"], again["status"]) == (escalation["id"], "planned")


async def test_what_a_person_gave_to_a_colleague_keeps_its_day_and_the_books_come_to_rest(
    scheduler: Scheduler,
) -> None:
    """The colleague is away all year, so that no day is allowed in their book."""
    await scheduler.describe("ada", weekly_minutes=120)
    everything = [{"from": "2026-01-01", "to": "2027-12-31"}]
    await scheduler.describe("kim", weekly_minutes=120, time_off=everything)
    for number in range(12):
        await scheduler.consume(scheduler.plan(1, [rhythm(28)], account=f"acc-{number}"))
    await scheduler.level()
    planned = await scheduler.list_touchpoints(status="planned")
    chosen = next(row for row in planned if (row["note"] or "").startswith("levelled: "))
    answer = await scheduler.http.post(
        f"/v1/touchpoints/{chosen['id']}/reassign", json={"csm_id": "kim", "version": chosen["sequence"]}
    )
    assert answer.status_code == 200, answer.text

    await scheduler.database.pool.execute("UPDATE account_calendar SET extend_at = '-infinity', shape = NULL")
    await scheduler.extend()
    await scheduler.level()

    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM csm_mark") == 0
    (kept,) = [row for row in await scheduler.list_touchpoints(csm_id="kim") if row["id"] == chosen["id"]]
    assert kept["due_at"] == chosen["due_at"]
