"""X13: what people are invited to is announced half a year ahead, and keeps its day."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.calendar.person_book import PersonBook
from services.calendar.person_levelling import PersonLevelling, level_person
from services.scheduler.adapters.book_repository import PostgresBooks
from services.scheduler.application.level_books import level_next_book
from tests.integration.scheduler.conftest import MONDAY, FixedClock, Scheduler, at, rhythm

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)


async def publish(scheduler: Scheduler, version: int = 1, **invites: bool) -> None:
    """The policy in force, with types that people are invited to or not."""
    types = [
        {
            "touchpoint_type": name, "owner": "csm", "channel": "call", "purpose": "talk", "topic": "account",
            "invites": invited,
        }
        for name, invited in invites.items()
    ]  # fmt: skip
    record = {
        "policy": "p1", "touchpoint_types": types, "quiet_hours": {"from": "21:00", "to": "07:00"},
        "version": version,
    }  # fmt: skip
    await scheduler.consume(
        scheduler.event("directory.policy", "drumbeat.policy.directory.v1", "policy", record)
    )


async def announced(scheduler: Scheduler) -> dict[str, list[int]]:
    """Type -> in how many days what was announced is due."""
    found: dict[str, list[int]] = {}
    for event in await scheduler.sent():
        assert event["ce_type"] == "drumbeat.touchpoint.scheduled.v1"
        data = event["data"]
        due_at = datetime.fromisoformat(data["due_at"])
        found.setdefault(data["touchpoint_type"], []).append((due_at - FixedClock.now_is).days)
    return found


async def is_invited(scheduler: Scheduler, csm_id: str = "ada") -> dict[str, bool]:
    """By touchpoint as the leveller reads the book of a person."""
    await scheduler.database.pool.execute(
        "INSERT INTO csm_mark (csm_id, cause, marked_at) VALUES ($1, 'test', now() - interval '1 hour')",
        csm_id,
    )
    async with scheduler.database.transaction() as connection:
        book = await PostgresBooks(connection, scheduler.calendars(connection)).claim(FixedClock.now_is)
    assert book is not None
    return {each.id: each.is_invited for each in book.touches}


async def test_an_invited_rhythm_is_announced_half_a_year_ahead_and_others_five_weeks(
    scheduler: Scheduler,
) -> None:
    """S188, S189."""
    await publish(scheduler, check_in=True, review=False)
    await scheduler.consume(scheduler.plan(1, [rhythm(28), rhythm(28, touchpoint_type="review")]))
    first = await announced(scheduler)
    assert 150 < max(first["check_in"]) <= 183
    assert max(first["review"]) <= 35

    at(MONDAY + 28 * DAY)
    await scheduler.extend()
    later = await announced(scheduler)
    assert all(150 < days <= 183 for days in later["check_in"])
    assert all(7 < days <= 35 for days in later["review"])


async def test_a_policy_that_newly_invites_people_has_what_is_planned_announced(scheduler: Scheduler) -> None:
    await publish(scheduler, check_in=False)
    await scheduler.consume(scheduler.plan(1, [rhythm(28)]))
    assert max((await announced(scheduler))["check_in"]) <= 35
    await publish(scheduler, 2, check_in=True)
    later = (await announced(scheduler))["check_in"]
    assert 35 < min(later) < 70
    assert 150 < max(later) <= 183
    await publish(scheduler, 3, check_in=False)
    at(MONDAY + 100 * DAY)
    assert await announced(scheduler) == {}


async def test_people_are_invited_to_what_readers_know_where_they_know_it_to_be(scheduler: Scheduler) -> None:
    await publish(scheduler, check_in=True)
    await scheduler.consume(
        scheduler.plan(1, [rhythm(28)]), scheduler.plan(1, [rhythm(28, touchpoint_type="talk")], account="b")
    )
    assert set((await is_invited(scheduler)).values()) == {False}
    await scheduler.announce()
    planned = {each["id"]: each for each in await scheduler.list_touchpoints(status="planned")}
    invited = await is_invited(scheduler)
    half_a_year = (MONDAY + 183 * DAY).isoformat()
    assert {key for key, value in invited.items() if value} == {
        key for key, each in planned.items() if each["type"] == "check_in" and each["due_at"] <= half_a_year
    }
    assert any(invited.values())

    await scheduler.consume(scheduler.plan(2, [rhythm(21)]))
    after = {each["id"]: each for each in await scheduler.list_touchpoints(status="planned")}
    stays = {key for key in planned if key in after and after[key]["due_at"] == planned[key]["due_at"]}
    now_invited = await is_invited(scheduler)
    assert {key for key, value in now_invited.items() if value} <= stays


async def test_a_move_of_what_people_were_invited_to_meanwhile_is_not_made(scheduler: Scheduler) -> None:
    """Between reading a book and storing its levelling an announcement may go out."""
    await publish(scheduler, check_in=True)
    await scheduler.describe("ada", weekly_minutes=120)
    for number in range(12):
        await scheduler.consume(scheduler.plan(1, [rhythm(28)], account=f"acc-{number}"))
    await scheduler.database.pool.execute("UPDATE csm_mark SET marked_at = marked_at - interval '1 hour'")
    before = {each["id"]: each["due_at"] for each in await scheduler.list_touchpoints(status="planned")}
    wanted: set[str] = set()

    async def announce_meanwhile(book: PersonBook, now: datetime) -> PersonLevelling:
        await scheduler.announce()
        levelled = level_person(book, now)
        wanted.update(move.id for move in levelled.moves)
        return levelled

    async with scheduler.database.transaction() as connection:
        books = PostgresBooks(connection, scheduler.calendars(connection))
        result = await level_next_book(books, announce_meanwhile, FixedClock.now_is)

    after: dict[str, Any] = {
        each["id"]: each["due_at"] for each in await scheduler.list_touchpoints(status="planned")
    }
    moved = {key for key in before if after[key] != before[key]}
    half_a_year = (MONDAY + 183 * DAY).isoformat()
    invited = {key for key in wanted if before[key] <= half_a_year}
    assert invited
    assert not moved & invited
    assert result.stale == len(invited)
    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM csm_mark") > 0
