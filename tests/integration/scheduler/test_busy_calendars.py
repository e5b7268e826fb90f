"""The calendars of CSMs are read over a real socket, and their busy time is kept free."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import orjson
import pytest

from schemas.times import parse_instant
from services.chassis.database import Connection
from services.chassis.keys import ApiKey, KeyRing, digest, new_secret
from services.chassis.private_targets import EVERYTHING, NONE, PrivateTargets
from services.chassis.secret_box import SecretBox
from services.chassis.web import Chassis, make_app
from services.chassis.worker_process import WorkerProcess
from services.scheduler.adapters.busy_calendar_repository import (
    PostgresBusyCalendarQueue,
    PostgresBusyCalendars,
    seal_addresses,
)
from services.scheduler.adapters.calendar_client import MOST_BYTES, CalendarClient
from services.scheduler.entrypoints.calendar_reader import CalendarReader
from services.scheduler.entrypoints.http_busy_calendars import BusyCalendarServices, busy_calendar_routes
from tests.integration.scheduler.calendar_host import CalendarHost, answer, calendar, calendar_host
from tests.integration.scheduler.conftest import MONDAY, Scheduler, one_off, rhythm

pytestmark = pytest.mark.integration
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
BOX = SecretBox([b"k" * 32])
EVERY, KEPT = timedelta(minutes=15), timedelta(days=7)
KICKOFF = "00000000-0000-4000-8000-000000000001"
ADDRESS = "/v1/csms/ada/busy-calendar"


def stamp(moment: datetime) -> str:
    return f"{moment:%Y%m%dT%H%M%SZ}"


def event(uid: str, start: datetime, hours: float = 1, *lines: str) -> tuple[str, ...]:
    end = start + hours * HOUR
    return (f"UID:{uid}", f"DTSTART:{stamp(start)}", f"DTEND:{stamp(end)}", "SUMMARY:A secret", *lines)


@dataclass
class Reader:
    """The reader of calendars and its routes on the database of a scheduler."""

    scheduler: Scheduler
    host: CalendarHost
    worker: WorkerProcess
    private: PrivateTargets = EVERYTHING

    def __post_init__(self) -> None:
        self.client = CalendarClient(self.private, BOX, deadline_seconds=2)
        self.calendars = PostgresBusyCalendars(self.scheduler.database, BOX)
        services = BusyCalendarServices(
            self.calendars, self.scheduler.clock, self.client.check, KEPT, lambda: None, lambda: None
        )
        self.scheduler.app.include_router(busy_calendar_routes(services))

    def queue(self, connection: Connection) -> PostgresBusyCalendarQueue:
        return PostgresBusyCalendarQueue(connection, EVERY, KEPT)

    async def read(self, says: bytes | None) -> dict[str, Any]:
        """Have the calendar read now, with this answer of its host; how it went."""
        self.host.says = says
        await self.scheduler.database.pool.execute("UPDATE busy_calendar SET next_read_at = '-infinity'")
        reader = CalendarReader(
            self.scheduler.database, self.scheduler.clock, self.queue, self.client.fetch, self.worker,
            lambda: None, self.scheduler.count,
        )  # fmt: skip
        assert await reader.run_once() == 0
        return await self.state()

    async def state(self) -> dict[str, Any]:
        found = await self.scheduler.http.get(ADDRESS)
        assert found.status_code == 200, found.text
        return found.json()

    async def set(self) -> None:
        made = await self.scheduler.http.put(ADDRESS, json={"url": self.host.url})
        assert made.status_code == 200, made.text

    async def settle(self) -> dict[str, dict[str, Any]]:
        """Plan again and level as the workers do; the planned touchpoints by id."""
        while await self.scheduler.extend() == 0:
            continue
        await self.scheduler.level()
        listed = await self.scheduler.list_touchpoints(csm_id="ada", status="planned")
        return {each["id"]: each for each in listed}


@pytest.fixture
async def reader(scheduler: Scheduler) -> AsyncGenerator[Reader]:
    worker = WorkerProcess(
        seconds=50, megabytes=1024, most_waiting=8, module="services.calendar.icalendar_busy"
    )
    async with calendar_host() as host:
        yield Reader(scheduler, host, worker)
    await worker.close()


async def begin(scheduler: Scheduler) -> None:
    """Ada, Mondays to Fridays from 9 to 17 in UTC, with a weekly call of 30 minutes and a kickoff."""
    await scheduler.describe("ada", name="Ada Ames", email="ada@vendor.example", timezone="UTC")
    start = MONDAY + DAY
    kickoff = one_off(KICKOFF, start, start + 3 * DAY, minutes=60, deadline=start + 3 * DAY)
    await scheduler.consume(scheduler.plan(1, [rhythm(7)], [kickoff]))


def overlap(touchpoint: dict[str, Any], start: datetime, hours: float) -> bool:
    length = timedelta(minutes=60 if touchpoint["id"] == KICKOFF else 30)
    return (
        parse_instant(touchpoint["due_at"]) < start + hours * HOUR
        and parse_instant(touchpoint["due_at"]) + length > start
    )


async def test_what_collides_with_new_busy_time_moves_within_its_day_and_comes_back(reader: Reader) -> None:
    await begin(reader.scheduler)
    before = await reader.settle()
    assert before[KICKOFF]["due_at"] == "2026-03-03T10:00:00Z"
    calls = [each for each in before.values() if each["id"] != KICKOFF]
    first = min(
        parse_instant(each["due_at"]) for each in calls if parse_instant(each["due_at"]) > MONDAY + 5 * DAY
    )
    await reader.scheduler.sent()
    await reader.set()
    # Half an hour before the kickoff ends, and over the whole of a call: both have to move.
    meetings = (event("a", MONDAY + DAY + HOUR / 2, 2), event("b", first - HOUR / 4, 1))
    state = await reader.read(answer("200 OK", calendar(*meetings), ETag='"1"'))
    assert (state["problem"], state["busy_times"], state["left_out"]) == (None, 2, 0)
    assert state["url"] == "https://127.0.0.1/****"
    assert "3f9a" not in orjson.dumps(state).decode()
    moved = await reader.settle()
    assert moved[KICKOFF]["due_at"] == "2026-03-03T12:30:00Z"
    assert not any(overlap(each, first - HOUR / 4, 1) for each in moved.values())
    changed = [each for each in moved.values() if each["due_at"] != before[each["id"]]["due_at"]]
    assert len(changed) == 2
    assert all(each["due_at"][:10] == before[each["id"]]["due_at"][:10] for each in changed)
    moves = [each["data"] for each in await reader.scheduler.sent() if "moved" in each.get("ce_type", "")]
    assert {each["note"] for each in moves} == {"moved: Ada Ames is busy then"}
    assert (await reader.scheduler.http.delete(ADDRESS)).status_code == 204
    assert {each: moment["due_at"] for each, moment in (await reader.settle()).items()} == {
        each: moment["due_at"] for each, moment in before.items()
    }
    assert (await reader.scheduler.http.get(ADDRESS)).status_code == 404


async def test_a_calendar_that_cannot_be_read_is_one_problem_and_what_is_known_counts_for_a_week(
    reader: Reader,
) -> None:
    await begin(reader.scheduler)
    await reader.set()
    meeting = calendar(event("a", MONDAY + DAY, 2), ("UID:bad", "DTSTART:none"))
    state = await reader.read(
        answer("200 OK", meeting, ETag='"7"', Last_Modified="Mon, 02 Mar 2026 09:00:00 GMT")
    )
    assert (state["busy_times"], state["left_out"]) == (1, 1)
    await reader.read(answer("304 Not Modified"))
    assert 'if-none-match: "7"' in reader.host.requests[-1]
    assert "if-modified-since: mon, 02 mar 2026 09:00:00 gmt" in reader.host.requests[-1]
    failures = (
        (answer("500 Internal Server Error"), "HTTP 500"),
        (answer("404 Not Found"), "make a new secret address"),
        (None, "was not read within 2 s"),
        (answer("200 OK", b"x" * (MOST_BYTES + 1)), "larger than 5,000,000 bytes"),
        (answer("200 OK", b"<html>sign in</html>"), "no iCalendar file"),
        (answer("302 Found", Location="http://127.0.0.1:1/other.ics"), "no connection"),
        (answer("302 Found", Location=reader.host.url), "redirected more than 3 times"),
    )
    for number, (says, problem) in enumerate(failures, 1):
        state = await reader.read(says)
        assert problem in state["problem"]["text"], state
        assert (state["problem"]["failures"], state["busy_times"]) == (number, 1)
        assert "3f9a" not in state["problem"]["text"]
    assert parse_instant(state["next_read_at"]) - datetime.now(UTC) > timedelta(minutes=50)
    listed = (await reader.scheduler.http.get("/v1/busy-calendars")).json()["items"]
    assert [each["problem"]["failures"] for each in listed] == [len(failures)]
    assert (await reader.settle())[KICKOFF]["due_at"] == "2026-03-03T12:00:00Z"
    await reader.scheduler.database.pool.execute(
        "UPDATE busy_calendar SET read_at = read_at - $1::interval", KEPT
    )
    assert (await reader.read(answer("503 Service Unavailable")))["busy_times"] == 0
    assert (await reader.settle())[KICKOFF]["due_at"] == "2026-03-03T10:00:00Z"
    state = await reader.read(answer("200 OK", meeting))
    assert "if-none-match" not in reader.host.requests[-1]
    assert (state["problem"], state["busy_times"]) == (None, 1)


async def test_our_own_touchpoints_in_the_calendar_do_not_move_themselves(reader: Reader) -> None:
    await begin(reader.scheduler)
    before = await reader.settle()
    await reader.set()
    stranger = "00000000-0000-4000-8000-00000000000f"
    known = [event(each["id"], parse_instant(each["due_at"])) for each in before.values()]
    state = await reader.read(answer("200 OK", calendar(*known, event(stranger, MONDAY + 2 * DAY))))
    assert (state["busy_times"], state["left_out"]) == (1, 0)
    assert {each["due_at"] for each in (await reader.settle()).values()} == {
        each["due_at"] for each in before.values()
    }


async def test_weeks_without_a_free_hour_are_escalated_and_hold_no_minutes(reader: Reader) -> None:
    await begin(reader.scheduler)
    await reader.settle()
    await reader.set()
    await reader.read(answer("200 OK", calendar(event("trip", MONDAY, 24 * 12))))
    planned = await reader.settle()
    escalations = [each for each in planned.values() if each["type"] == "escalation"]
    texts = " ".join(each["reason"]["text"] for each in escalations)
    assert "of type check in and kickoff in weeks 2026-W10 to 2026-W11: Ada Ames is away or busy" in texts, (
        texts
    )
    query = {"from": "2026-03-02", "to": "2026-03-22"}
    weeks = (await reader.scheduler.http.get("/v1/capacity", params=query)).json()["weeks"]
    # From Monday at ten to the second Saturday.
    assert [each["available_minutes"] for each in weeks] == [60, 0, 2400]


async def test_an_address_of_our_own_network_is_refused_and_so_is_that_of_nobody(reader: Reader) -> None:
    await begin(reader.scheduler)
    missing = await reader.scheduler.http.put("/v1/csms/nobody/busy-calendar", json={"url": reader.host.url})
    assert missing.status_code == 404
    await reader.set()
    reader.client = CalendarClient(NONE, BOX, deadline_seconds=2)
    state = await reader.read(answer("200 OK", calendar()))
    assert "forbidden" in state["problem"]["text"]
    assert not reader.host.requests
    guarded = make_app(Chassis("scheduler", reader.scheduler.clock, known_keys(), ready), title="scheduler")
    services = BusyCalendarServices(
        reader.calendars, reader.scheduler.clock, reader.client.check, KEPT, lambda: None, lambda: None
    )
    guarded.include_router(busy_calendar_routes(services))
    for url in (reader.host.url, "https://10.0.0.1/a.ics", "https://localhost/a.ics", "ftp://example.com/a"):
        async with httpx.AsyncClient(transport=httpx.ASGITransport(guarded), base_url="http://s") as http:
            refused = await http.put(
                ADDRESS, json={"url": url}, headers={"Authorization": f"Bearer {KEY[1]}"}
            )
        assert refused.status_code == 422, url


async def test_an_address_is_stored_encrypted_and_sealed_again_under_a_new_key(reader: Reader) -> None:
    await begin(reader.scheduler)
    await reader.set()
    pool = reader.scheduler.database.pool
    stored = await pool.fetchval("SELECT sealed_url FROM busy_calendar")
    assert b"3f9a" not in stored
    rotated = SecretBox([b"n" * 32, b"k" * 32])
    await seal_addresses(reader.scheduler.database, rotated)
    assert SecretBox([b"n" * 32]).open(
        await pool.fetchval("SELECT sealed_url FROM busy_calendar"), "ada"
    ) == (reader.host.url.encode())
    state = await reader.read(answer("200 OK", calendar()))
    assert "put the key file of this deployment back" in state["problem"]["text"]
    await reader.scheduler.consume(reader.scheduler.tombstone("directory.csms", "ada"))
    assert (await reader.scheduler.http.get(ADDRESS)).status_code == 404


KEY = new_secret()


def known_keys() -> KeyRing:
    keys = KeyRing()
    keys.learn(ApiKey(KEY[0], digest(KEY[1]), frozenset({"read", "act"})))
    return keys


async def ready() -> str | None:
    return None
