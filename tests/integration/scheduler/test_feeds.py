"""Calendar feeds over HTTP on a real database, read back by three parsers (S188, S189, F8)."""

import re
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from icalendar import Calendar

from services.chassis.keys import ApiKey, KeyRing, digest, new_secret
from tests.integration.scheduler.conftest import CONSOLE, MONDAY, Scheduler, at, one_off, rhythm
from tests.node import run_script

pytestmark = pytest.mark.integration
DAY = timedelta(days=1)
KICKOFF = "00000000-0000-4000-8000-000000000001"
INTERNAL = "00000000-0000-4000-8000-000000000002"
MAIL = "00000000-0000-4000-8000-000000000003"
TYPES = [
    {
        "touchpoint_type": name, "owner": "csm", "channel": "call", "purpose": "talk", "topic": "account",
        "invites": True, "agenda": ["Worries, and objections"],
    }
    for name in ("check_in", "kickoff")
]  # fmt: skip


async def describe(scheduler: Scheduler, account: str = "acme", **described: object) -> None:
    record = {"account_id": account, "version": 1, "name": f"{account.title()}, Ltd", **described}
    await scheduler.consume(
        scheduler.event("directory.accounts", "drumbeat.account.directory.v1", account, record)
    )


async def begin(scheduler: Scheduler) -> None:
    """An account with a monthly call, a kickoff, internal work and a mail, all of one CSM."""
    policy = {"policy": "p1", "version": 1, "touchpoint_types": TYPES}
    await scheduler.consume(
        scheduler.event("directory.policy", "drumbeat.policy.directory.v1", "policy", policy)
    )
    await scheduler.describe("ada", name="Ada Ames", email="ada@vendor.example", timezone="Europe/Berlin")
    start, end = MONDAY + 8 * DAY, MONDAY + 12 * DAY
    await scheduler.consume(
        scheduler.plan(
            1,
            [rhythm(28, minutes=30)],
            [
                one_off(KICKOFF, start, end, minutes=60),
                one_off(
                    INTERNAL, start, end, touchpoint_type="risk_action_plan", topic=None, channel="in_app"
                ),
                one_off(MAIL, start, end, touchpoint_type="advocacy_ask", channel="email"),
            ],
        )
    )
    await describe(scheduler, csm_id="ada", timezone="America/New_York")


async def make(scheduler: Scheduler, **owner: str) -> dict[str, Any]:
    answer = await scheduler.http.post("/v1/calendars", json=owner)
    assert answer.status_code == 201, answer.text
    return answer.json()


async def fetch(scheduler: Scheduler, feed: dict[str, Any], **headers: str) -> httpx.Response:
    """As a subscriber does: without a key."""
    url = httpx.URL(feed["url"])
    transport = httpx.ASGITransport(scheduler.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://scheduler") as stranger:
        return await stranger.get(url.raw_path.decode(), headers=headers)


def read(content: bytes) -> dict[str, Any]:
    return {str(event["UID"]): event for event in Calendar.from_ical(content).events}


async def events(scheduler: Scheduler, feed: dict[str, Any]) -> dict[str, Any]:
    """Id -> event of the feed."""
    answer = await fetch(scheduler, feed)
    assert answer.status_code == 200, answer.text
    return read(answer.content)


async def test_the_feed_of_a_csm_has_all_their_work_with_the_names_of_accounts(scheduler: Scheduler) -> None:
    await begin(scheduler)
    found = await events(scheduler, await make(scheduler, csm_id="ada"))
    items = await scheduler.list_touchpoints(csm_id="ada", status="planned")
    assert set(found) == {each["id"] for each in items if each["due_at"] < (MONDAY + 366 * DAY).isoformat()}
    assert len(found) > 12
    kickoff = found[KICKOFF]
    assert str(kickoff["SUMMARY"]) == "Kickoff: Acme, Ltd"
    assert "- Worries, and objections" in str(kickoff["DESCRIPTION"])
    assert "Why: because" in str(kickoff["DESCRIPTION"])
    assert str(kickoff["URL"]) == f"{CONSOLE}/?account=acme"
    assert kickoff["DTEND"].dt - kickoff["DTSTART"].dt == timedelta(hours=1)
    assert kickoff["DTSTART"].params["TZID"] == "Europe/Berlin"
    assert {key: str(event["TRANSP"]) for key, event in found.items() if key in (KICKOFF, INTERNAL)} == {
        KICKOFF: "OPAQUE",
        INTERNAL: "TRANSPARENT",
    }


async def test_the_feed_of_an_account_has_what_its_customer_takes_part_in_and_nothing_internal(
    scheduler: Scheduler,
) -> None:
    """F8, S189: a year of meetings, in the customer's zone, without any words that are ours."""
    await begin(scheduler)
    feed = await make(scheduler, account_id="acme")
    found = await events(scheduler, feed)
    assert {INTERNAL, MAIL}.isdisjoint(found)
    assert {str(event["SUMMARY"]) for event in found.values()} == {"Kickoff: Ada Ames", "Check-in: Ada Ames"}
    last = max(event["DTSTART"].dt for event in found.values())
    assert last > MONDAY + 330 * DAY
    kickoff = found[KICKOFF]
    assert kickoff["DTSTART"].params["TZID"] == "America/New_York"
    assert str(kickoff["ORGANIZER"]) == "mailto:ada@vendor.example"
    assert "ATTENDEE" not in kickoff
    text = (await fetch(scheduler, feed)).text
    for ours in ("because", "Worries", "talk", "acme", "risk", CONSOLE + "/?"):
        assert ours not in text.replace(feed["url"], "")


async def test_a_feed_says_its_name_and_how_often_to_read_it(scheduler: Scheduler) -> None:
    await begin(scheduler)
    feed = await make(scheduler, account_id="acme")
    answer = await fetch(scheduler, feed)
    assert answer.headers["content-type"] == "text/calendar; charset=utf-8"
    assert answer.headers["cache-control"].startswith("private")
    lines = answer.text.replace("\r\n ", "").split("\r\n")
    assert {
        "METHOD:PUBLISH", "NAME:Meetings with Vendor Ltd", "X-WR-CALNAME:Meetings with Vendor Ltd",
        "REFRESH-INTERVAL;VALUE=DURATION:PT1H", "X-PUBLISHED-TTL:PT1H", f"SOURCE;VALUE=URI:{feed['url']}",
    } <= set(lines)  # fmt: skip
    own = await fetch(scheduler, await make(scheduler, csm_id="ada"))
    assert "NAME:Drumbeat: Ada Ames" in own.text


async def test_a_feed_that_has_not_changed_is_not_sent_again(scheduler: Scheduler) -> None:
    await begin(scheduler)
    feed = await make(scheduler, csm_id="ada")
    first = await fetch(scheduler, feed)
    tag = first.headers["etag"]
    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await fetch(scheduler, feed, **{"If-None-Match": header})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    at(MONDAY + timedelta(hours=3))
    assert (await fetch(scheduler, feed, **{"If-None-Match": tag})).status_code == 304

    await describe(scheduler, version=2, name="Acme Holding", csm_id="ada")
    changed = await fetch(scheduler, feed, **{"If-None-Match": tag})
    assert changed.status_code == 200
    assert changed.headers["etag"] != tag
    assert "Acme Holding" in changed.text


async def test_a_moved_and_a_cancelled_one_keep_their_id_and_grow_their_sequence(
    scheduler: Scheduler,
) -> None:
    await begin(scheduler)
    feed = await make(scheduler, account_id="acme")
    before = await events(scheduler, feed)
    item = next(each for each in await scheduler.list_touchpoints() if each["id"] == KICKOFF)
    moved_to = datetime.fromisoformat(item["due_at"]) + timedelta(hours=2)
    moved = await scheduler.http.post(
        f"/v1/touchpoints/{KICKOFF}/reschedule",
        json={"to": moved_to.isoformat(), "version": item["sequence"]},
    )
    assert moved.status_code == 200, moved.text
    after = (await events(scheduler, feed))[KICKOFF]
    assert after["DTSTART"].dt == moved_to
    assert after["SEQUENCE"] > before[KICKOFF]["SEQUENCE"]

    cancelled = await scheduler.http.post(
        f"/v1/touchpoints/{KICKOFF}/cancel",
        json={"reason": "they said no", "version": moved.json()["sequence"]},
    )
    assert cancelled.status_code == 200, cancelled.text
    gone = (await events(scheduler, feed))[KICKOFF]
    assert str(gone["STATUS"]) == "CANCELLED"
    assert gone["SEQUENCE"] > after["SEQUENCE"]
    assert "they said no" not in (await fetch(scheduler, feed)).text
    at(MONDAY + 31 * DAY)
    assert KICKOFF not in await events(scheduler, feed)


async def test_what_nobody_knew_is_not_shown_as_cancelled(scheduler: Scheduler) -> None:
    """Of a rhythm that ends, what lies within half a year is cancelled; the rest just is not there any more."""
    await begin(scheduler)
    feed = await make(scheduler, csm_id="ada")
    await scheduler.consume(scheduler.plan(2))
    all_found = (await events(scheduler, feed)).values()
    found = [event for event in all_found if "Check in" in str(event["SUMMARY"])]
    days = [(event["DTSTART"].dt - MONDAY).days for event in found if str(event["STATUS"]) == "CANCELLED"]
    assert len(days) >= len(found) - 1  # the first one takes place today
    assert 150 < max(days) <= 183


async def test_what_is_over_stays_for_a_month(scheduler: Scheduler) -> None:
    await begin(scheduler)
    feed = await make(scheduler, csm_id="ada")
    at(MONDAY + 9 * DAY)
    await scheduler.release()
    at(MONDAY + 20 * DAY)
    found = await events(scheduler, feed)
    assert str(found[KICKOFF]["STATUS"]) == "CONFIRMED"
    at(MONDAY + 45 * DAY)
    assert KICKOFF not in await events(scheduler, feed)


async def test_of_a_token_only_a_digest_is_stored_and_lists_do_not_have_it(scheduler: Scheduler) -> None:
    await begin(scheduler)
    feed = await make(scheduler, account_id="acme")
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", feed["token"])  # 32 bytes
    assert feed["url"] == f"{CONSOLE}/v1/calendars/{feed['token']}.ics"
    listed = await scheduler.http.get("/v1/calendars", params={"account_id": "acme"})
    assert listed.json()["items"] == [
        {name: feed[name] for name in ("id", "account_id", "csm_id", "made_at")}
    ]
    assert (await scheduler.http.get("/v1/calendars", params={"csm_id": "ada"})).json()["items"] == []
    rows = await scheduler.database.pool.fetch("SELECT f::text FROM calendar_feed f")
    outbox = await scheduler.database.pool.fetch("SELECT payload, headers FROM outbox")
    assert feed["token"] not in f"{rows}{outbox}"


async def test_a_revoked_an_unknown_and_an_id_in_place_of_a_token_are_not_found(scheduler: Scheduler) -> None:
    await begin(scheduler)
    first, second = await make(scheduler, csm_id="ada"), await make(scheduler, csm_id="ada")
    assert first["token"] != second["token"]
    assert (await scheduler.http.delete(f"/v1/calendars/{first['token']}")).status_code == 204
    assert (await scheduler.http.delete(f"/v1/calendars/{first['token']}")).status_code == 404
    by_id = {**second, "url": f"{CONSOLE}/v1/calendars/{second['id']}.ics"}
    unknown = {"url": f"{CONSOLE}/v1/calendars/{'x' * 43}.ics"}
    for feed in (first, by_id, unknown):
        answer = await fetch(scheduler, feed)
        assert answer.status_code == 404
        assert answer.headers["content-type"] == "application/problem+json"
    assert (await fetch(scheduler, second)).status_code == 200
    assert (await scheduler.http.delete(f"/v1/calendars/{second['id']}")).status_code == 204
    assert (await fetch(scheduler, second)).status_code == 404


async def test_what_is_shared_and_revoked_stands_in_the_audit_log(scheduler: Scheduler) -> None:
    await begin(scheduler)
    await scheduler.sent()
    feed = await make(scheduler, account_id="acme")
    await scheduler.http.delete(f"/v1/calendars/{feed['token']}")
    await scheduler.sent_at_once()
    entries = scheduler.audited
    assert [(each["action"], each["object"]) for each in entries] == [
        ("calendar.shared", f"calendar/{feed['id']}"),
        ("calendar.revoked", f"calendar/{feed['id']}"),
    ]
    assert entries[0]["after"] == {"account_id": "acme", "csm_id": None}


async def test_the_feeds_of_an_erased_account_and_of_a_csm_who_left_go_with_them(
    scheduler: Scheduler,
) -> None:
    await begin(scheduler)
    of_account, of_csm = await make(scheduler, account_id="acme"), await make(scheduler, csm_id="ada")
    await scheduler.consume(scheduler.tombstone("touchpoint.commands", "acme"))
    assert (await fetch(scheduler, of_account)).status_code == 404
    await scheduler.consume(scheduler.tombstone("directory.accounts", "acme"))
    await scheduler.consume(scheduler.plan(1, [rhythm(28)]))  # the account comes back
    assert (await fetch(scheduler, of_account)).status_code == 404
    assert (await fetch(scheduler, of_csm)).status_code == 200
    await scheduler.consume(scheduler.tombstone("directory.csms", "ada"))
    assert (await fetch(scheduler, of_csm)).status_code == 404
    assert await scheduler.database.pool.fetchval("SELECT count(*) FROM calendar_feed") == 0


async def test_the_feed_of_an_account_that_is_merged_shows_the_account_that_stays(
    scheduler: Scheduler,
) -> None:
    await begin(scheduler)
    feed = await make(scheduler, account_id="acme")
    await scheduler.consume(
        scheduler.plan(1, [rhythm(14, minutes=30)], account="zenith", merged_from=["acme"])
    )
    found = await events(scheduler, feed)
    assert len([event for event in found.values() if str(event["STATUS"]) == "CONFIRMED"]) >= 26
    late = await make(scheduler, account_id="acme")
    assert late["account_id"] == "zenith"


@pytest.mark.parametrize(
    "owner", [{}, {"account_id": "acme", "csm_id": "ada"}, {"account_id": ""}, {"who": "x"}]
)
async def test_a_feed_has_one_owner(scheduler: Scheduler, owner: dict[str, str]) -> None:
    assert (await scheduler.http.post("/v1/calendars", json=owner)).status_code == 422
    if "who" not in owner:
        assert (await scheduler.http.get("/v1/calendars", params=owner)).status_code == 422


@pytest.mark.parametrize("owner", [{"account_id": "nobody"}, {"csm_id": "nobody"}])
async def test_an_unknown_owner_has_no_feed(scheduler: Scheduler, owner: dict[str, str]) -> None:
    assert (await scheduler.http.post("/v1/calendars", json=owner)).status_code == 404


async def test_an_owner_has_at_most_twenty_feeds(scheduler: Scheduler) -> None:
    await begin(scheduler)
    for _ in range(20):
        await make(scheduler, csm_id="ada")
    answer = await scheduler.http.post("/v1/calendars", json={"csm_id": "ada"})
    assert answer.status_code == 409
    assert "revoke one" in answer.json()["detail"]
    await make(scheduler, account_id="acme")


async def test_three_parsers_read_a_feed_alike(scheduler: Scheduler, tmp_path: Path) -> None:
    """A year of a CSM in Berlin, over both changes of the clocks."""
    await begin(scheduler)
    answer = await fetch(scheduler, await make(scheduler, csm_id="ada"))
    path = tmp_path / "feed.ics"
    path.write_bytes(answer.content)
    (by_node,) = run_script("read_calendar.js", str(path))
    items = await scheduler.list_touchpoints(csm_id="ada", status="planned")
    year = {each["id"]: each["due_at"] for each in items if each["due_at"] < (MONDAY + 366 * DAY).isoformat()}
    expected = {key: datetime.fromisoformat(due_at) for key, due_at in year.items()}
    assert {key: event["DTSTART"].dt for key, event in read(answer.content).items()} == expected
    for reader in ("ical.js", "node-ical"):
        starts = {event["uid"]: datetime.fromisoformat(event["starts"]) for event in by_node[reader]}
        assert starts == expected, reader


async def test_feeds_are_made_and_revoked_only_with_the_right_to_act(scheduler: Scheduler) -> None:
    await begin(scheduler)
    feed = await make(scheduler, csm_id="ada")
    keys: KeyRing = scheduler.app.state.chassis.keys
    key_id, key = new_secret()
    keys.learn(ApiKey(key_id, digest(key), frozenset({"read"})))
    reader = {"Authorization": f"Bearer {key}"}
    for headers, status in ((reader, 403), ({"Authorization": ""}, 401)):
        made = await scheduler.http.post("/v1/calendars", json={"csm_id": "ada"}, headers=headers)
        revoked = await scheduler.http.delete(f"/v1/calendars/{feed['token']}", headers=headers)
        assert (made.status_code, revoked.status_code) == (status, status)
    listed = await scheduler.http.get("/v1/calendars", params={"csm_id": "ada"}, headers=reader)
    assert listed.status_code == 200
