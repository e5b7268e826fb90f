"""My day, Unowned, Messages, Content and the components in a real browser: acting, undoing, keys, and accessibility."""

import json
import re
from collections.abc import AsyncGenerator
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import httpx
import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from services.chassis.schema_versions import DATABASES
from tests.browser.visits import NARROW, Visit, axe, session_cookies, visiting
from tests.stack import KEY, Stack, event, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
]

PAGES = (
    "/",
    "/?account=acme",
    "/my-day",
    "/unowned",
    "/team",
    "/handover?person=csm-kim&to=csm-ana",
    "/year?account=acme",
    "/messages",
    "/drafts",
    "/content",
    "/policy",
    "/setup",
    "/sessions",
    "/audit",
    "/components",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team(stack: Stack) -> AsyncGenerator[Stack]:
    """The stack with a colleague, a contact with a telephone number, and an account without a CSM."""
    now = await stack.now()
    talk = {"channel": "call", "notes": "They want the export by March.", "initiated_by": "us"}
    await stack.tell(event("interaction.logged", "acme", talk, id="talk", time=now - timedelta(days=40)))
    kit = {"contact_id": "kit", "name": "Kit Larsen", "email": "kit@acme.example", "role": "champion"}
    await stack.tell(
        event(
            "csm.described",
            "csm-ana",
            {"name": "Ana Petrov", "email": "ana@x.example", "timezone": "Africa/Lagos"},
            id="ana",
            time=now,
        ),
        event("contact.described", "acme", {**kit, "phone": "+1 555 0100"}, id="kit", time=now),
        event("account.described", "orphan", {"arr": 250_000, "name": "Orphan Ltd"}, id="orphan", time=now),
        event("health.scored", "orphan", {"score": 20}, id="orphan-red", time=now),
    )
    await until(lambda: _is_unowned(stack), 60, "orphan has work that nobody has")
    await until(lambda: _is_mailed(stack), 60, "somebody was sent a mail")
    yield stack


async def _is_unowned(stack: Stack) -> bool:
    found = await stack.get("scheduler", "/v1/touchpoints", unowned="true", status="due")
    return any(item["account_id"] == "orphan" for item in found["items"])


async def _is_mailed(stack: Stack) -> bool:
    return bool(await _sent(stack))


async def _sent(stack: Stack) -> list[dict[str, Any]]:
    found = await stack.get("notifier", "/v1/deliveries", state="sent", channel="email", limit=50)
    return [item for item in found["items"] if item["attempts"]]


async def be_kim(visit: Visit) -> Page:
    """My day of Kim."""
    await visit.page.goto(f"{visit.url}/my-day")
    await visit.sign_in(KEY)
    await visit.page.get_by_label("I am").select_option(label="Kim")
    await expect(visit.page.locator(".item").first).to_be_visible()
    await visit.page.wait_for_load_state()  # keys work once the script runs
    return visit.page


async def test_my_day_says_whom_to_call_and_why_and_hides_what_is_automatic(
    browser: Browser, team: Stack
) -> None:
    """S158: the day's work is that of the policy, and each item says why it is there."""
    async with visiting(browser, team) as (visit, _):
        page = await be_kim(visit)

        item = page.locator(".item.due").filter(has_text="Check in").first
        await expect(item.get_by_role("link", name="+1 555 0100")).to_have_attribute("href", "tel:+15550100")
        await expect(item).to_contain_text("Kit Larsen")
        await expect(item).to_contain_text("Health is red")
        await expect(page.get_by_role("heading", name="Acme").first).to_be_visible()
        acme = page.locator(".day-account").filter(has_text="Acme")
        await expect(acme.locator(".last-note")).to_contain_text("They want the export by March.")
        await expect(acme.locator(".last-note")).to_contain_text("40 days ago")
        await expect(page.locator("#day")).not_to_contain_text("Newsletter")
        await expect(page.locator("#day")).not_to_contain_text("csm-kim")
        assert visit.complaints == []


async def test_an_act_with_the_keyboard_alone_can_be_undone(browser: Browser, team: Stack) -> None:
    async with visiting(browser, team) as (visit, _):
        page = await be_kim(visit)
        await page.keyboard.press("j")
        await expect(page.locator(".item:focus")).to_have_count(1)
        touchpoint_id = (await page.locator(".item:focus").get_attribute("id") or "").removeprefix("t-")
        await page.keyboard.press("o")
        await page.keyboard.type("They want the export by March.")
        await page.keyboard.press("Escape")
        await page.locator(f"#t-{touchpoint_id}").focus()
        await page.keyboard.press("d")

        await expect(page.get_by_role("status").filter(has_text="Done.")).to_be_visible()
        await expect(page.locator(f"#t-{touchpoint_id}")).to_have_count(0)
        settled = await team.get("scheduler", f"/v1/touchpoints/{touchpoint_id}")
        assert settled["status"] == "settled"
        assert settled["outcome"]["notes"] == "They want the export by March."
        assert await page.evaluate("location.search") == ""

        await page.keyboard.press("u")
        await expect(page.get_by_role("status").filter(has_text="Undone.")).to_be_visible()
        await expect(page.locator(f"#t-{touchpoint_id}")).to_have_count(1)
        assert visit.complaints == []


async def test_the_keys_are_listed_and_move_opens_its_field(browser: Browser, team: Stack) -> None:
    async with visiting(browser, team, NARROW) as (visit, _):
        page = await be_kim(visit)
        await page.keyboard.press("?")
        await expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
        await page.keyboard.press("Escape")
        await page.keyboard.press("j")
        await page.keyboard.press("m")

        await expect(page.locator(".action[open] input:focus")).to_have_attribute("type", "datetime-local")
        assert await visit.fits()
        assert visit.complaints == []


async def test_a_note_says_why_a_touchpoint_moves_past_its_deadline_and_who_moved_it_is_not_told(
    browser: Browser, team: Stack
) -> None:
    """C: without a reason it stays where it is, with the reason for the refusal; the event names who acted."""
    found = await team.get("scheduler", "/v1/touchpoints", csm_id="csm-kim", status="due")
    item = next(item for item in found["items"] if item["deadline"] is not None)
    after = datetime.fromisoformat(item["deadline"]) + timedelta(days=3)
    async with visiting(browser, team) as (visit, _):
        page = await be_kim(visit)
        row = page.locator(f"#t-{item['id']}")

        async def move() -> None:
            await row.locator("summary", has_text="Move").click()
            await row.get_by_label("To", exact=True).fill(f"{after:%Y-%m-%dT%H:%M}")
            await row.get_by_role("button", name="Move it").click()

        await move()
        await expect(page.get_by_role("status").filter(has_text="is after the deadline")).to_be_visible()
        assert (await team.get("scheduler", f"/v1/touchpoints/{item['id']}"))["status"] == "due"

        await row.locator("summary", has_text="Note").click()
        await row.get_by_label("Note").fill("They are away until then.")
        await move()
        await expect(page.get_by_role("status").filter(has_text="Moved.")).to_be_visible()
        events = await until(lambda: _events_of(team, "They are away until then."), 20, "it is announced")
        assert {(data["actor_id"], data["owner"]["csm_id"]) for data in events} == {("csm-kim", "csm-kim")}
        await page.get_by_role("button", name="Undo").click()
        await expect(page.get_by_role("status").filter(has_text="Undone.")).to_be_visible()
        assert visit.complaints == []


async def _events_of(stack: Stack, note: str) -> list[dict[str, Any]]:
    """The data of the announced events with this note."""
    connection = await asyncpg.connect(f"{stack.postgres.url}{DATABASES['notifier']}")
    try:
        rows = await connection.fetch("SELECT convert_from(data, 'UTF8') FROM feed")
    finally:
        await connection.close()
    return [data for row in rows if note in ((data := json.loads(row[0])).get("note") or "")]


async def test_my_day_works_without_a_script(browser: Browser, team: Stack) -> None:
    context = await browser.new_context(java_script_enabled=False)
    page = await context.new_page()
    await page.goto(f"{team.processes['console'].url}/my-day")
    await page.get_by_label("API key").fill(KEY)
    await page.get_by_role("button", name="Sign in").click()
    await page.get_by_label("I am").select_option(label="Kim")
    await page.get_by_role("button", name="Show").click()
    await expect(page.locator(".item.due").first).to_be_visible()
    count = await page.locator(".item.due").count()
    await page.locator(".item.due").first.get_by_role("button", name="Not reached").click()

    await expect(page.get_by_role("status").filter(has_text="Marked as not reached.")).to_be_visible()
    await expect(page.locator(".item.due")).to_have_count(count - 1)
    await context.close()


async def test_unowned_work_is_given_to_a_person_and_then_is_on_their_day(
    browser: Browser, team: Stack
) -> None:
    async with visiting(browser, team) as (visit, _):
        page = visit.page
        await page.goto(f"{visit.url}/unowned")
        await visit.sign_in(KEY)
        rows = page.locator("tbody tr").filter(has_text="Orphan Ltd")
        await expect(rows.first).to_be_visible()
        row = rows.filter(has_text="due").first
        row_id = await row.get_attribute("id")
        await row.get_by_role("checkbox").check()
        await page.get_by_label("Or give to").select_option(label="Ana Petrov")
        await page.get_by_role("button", name="Assign").click()

        await expect(page.locator(f"#{row_id}")).to_have_count(0)
        await expect(page.get_by_role("status").filter(has_text="Assigned.")).to_be_visible()
        given = await team.get("scheduler", f"/v1/touchpoints/{(row_id or '').removeprefix('t-')}")
        assert given["csm_id"] == "csm-ana" or given["owner"]["csm_id"] == "csm-ana"
        assert visit.complaints == []


async def test_a_message_is_shown_as_it_was_sent_in_a_frame_that_runs_nothing(
    browser: Browser, team: Stack
) -> None:
    sent = (await _sent(team))[0]
    async with visiting(browser, team) as (visit, _):
        page = visit.page
        await page.goto(f"{visit.url}/messages?state=sent&channel=email")
        await visit.sign_in(KEY)
        await page.locator(f"#d-{sent['id']}").get_by_role("link").first.click()

        await expect(page.get_by_role("heading", name="The message as it was sent")).to_be_visible()
        message = await team.get("notifier", f"/v1/deliveries/{sent['id']}/message")
        await expect(page.locator(".pairs").last).to_contain_text(message["subject"])
        frame = page.locator("iframe.mail")
        assert await frame.get_attribute("sandbox") == ""
        await expect(page.frame_locator("iframe.mail").locator("body")).not_to_be_empty()
        bytes_received = [content for _, content in team.mail.messages]
        assert any(sent["message_id"].encode() in content for content in bytes_received)
        assert visit.complaints == []


async def test_filters_name_accounts_and_keep_in_the_address(browser: Browser, team: Stack) -> None:
    async with visiting(browser, team) as (visit, _):
        page = visit.page
        await page.goto(f"{visit.url}/messages?account=acme")
        await visit.sign_in(KEY)

        await expect(page.get_by_label("Account")).to_have_value(re.compile("^Acme"))
        await expect(page.get_by_label("Contact")).to_contain_text("Kit Larsen")
        await page.goto(f"{visit.url}/messages?account=nobody-of-this-name")
        await expect(page.get_by_role("alert")).to_contain_text("No account has “nobody-of-this-name”")
        assert visit.complaints == []


async def test_sending_again_makes_a_new_delivery(team: Stack) -> None:
    sent = (await _sent(team))[0]
    again = await team.client.post(
        team.processes["notifier"].url + f"/v1/deliveries/{sent['id']}/resend", json={}
    )
    assert again.status_code == 202
    new = await team.get("notifier", f"/v1/deliveries/{again.json()['id']}")
    assert new["id"] != sent["id"]
    assert new["message_id"] != sent["message_id"]
    assert (new["touchpoint_id"], new["recipient"]) == (sent["touchpoint_id"], sent["recipient"])


async def test_content_is_listed_with_its_languages_and_previewed_for_an_account(
    browser: Browser, team: Stack
) -> None:
    async with visiting(browser, team) as (visit, _):
        page = visit.page
        await page.goto(f"{visit.url}/content")
        await visit.sign_in(KEY)
        row = page.locator("tbody tr").filter(has_text="Welcome").first
        await row.get_by_role("link", name="English").click()
        await page.get_by_label("Account").select_option(value="acme")

        await expect(page.locator("iframe.mail")).to_be_visible()
        await expect(page.frame_locator("iframe.mail").locator("body")).to_contain_text("Kit")
        await page.get_by_label("Send a test to").fill("kim@x.example")
        await page.get_by_role("button", name="Send the test").click()
        await expect(page.get_by_role("status").filter(has_text="test mail")).to_be_visible()
        assert visit.complaints == []


async def test_the_own_calendar_of_a_person_is_named_and_forgotten_on_the_team_page(
    browser: Browser, team: Stack
) -> None:
    secret = "http://127.0.0.1:9/secret-of-ana.ics"
    async with visiting(browser, team) as (visit, _):
        page = visit.page
        await page.goto(f"{visit.url}/team")
        await visit.sign_in(KEY)
        form = page.get_by_role("form", name="Own calendars")
        await form.get_by_role("button", name="Keep it free").click()
        await expect(page.get_by_text("Choose a person.").first).to_be_visible()

        await form.get_by_label("Whose calendar").select_option(label="Ana Petrov")
        await form.get_by_label("Address").fill(secret)
        await form.get_by_role("button", name="Keep it free").click()
        await expect(page.get_by_role("status").filter(has_text="is read within a minute")).to_be_visible()
        assert (await team.get("scheduler", "/v1/csms/csm-ana/busy-calendar"))["url"].endswith("/****")
        assert "secret-of-ana" not in await page.content()

        await form.get_by_label("Whose calendar").select_option(label="Ana Petrov")
        await form.get_by_role("button", name="Forget it").click()
        await expect(page.get_by_role("status").filter(has_text="is forgotten")).to_be_visible()
        assert await team.find("scheduler", "/v1/csms/csm-ana/busy-calendar") is None
        assert visit.complaints == []


@pytest.mark.timeout(300)
@pytest.mark.parametrize("width", [1440, NARROW])
async def test_every_page_is_accessible_and_fits(browser: Browser, team: Stack, width: int) -> None:
    """Axe has no findings on any page, wide and narrow, light and, where only colours differ, dark at one width."""
    sent = (await _sent(team))[0]
    own = (f"/messages/{sent['id']}", "/content/customer/en/welcome?account=acme", "/why?account=acme&rule=x")
    async with visiting(browser, team, width) as (visit, _):
        page = await be_kim(visit)
        findings: dict[str, list[str]] = {}
        for path in (*PAGES, *own):
            await page.emulate_media(color_scheme="light")
            await page.goto(visit.url + path)
            found = await axe(page)
            if width == NARROW:
                await page.emulate_media(color_scheme="dark")
                found += await axe(page, {"runOnly": ["color-contrast"]})
            if not await visit.fits():
                found.append("needs sideways scrolling")
            if found:
                findings[path] = found
        assert findings == {}


async def test_times_are_those_of_the_reader(browser: Browser, team: Stack) -> None:
    async with visiting(browser, team, zone="Asia/Tokyo") as (visit, _):
        page = await be_kim(visit)
        shown = page.locator(".item time[data-local]").first
        at = datetime.fromisoformat(await shown.get_attribute("datetime") or "")
        await expect(shown).to_contain_text(f"{at + timedelta(hours=9):%H:%M}")
        await expect(shown).to_contain_text("GMT+9")


async def test_today_and_the_account_show_times_in_the_zone_of_the_browser_and_utc_in_the_title(
    browser: Browser, team: Stack
) -> None:
    async with visiting(browser, team, zone="Asia/Tokyo") as (visit, _):
        page = visit.page
        await page.goto(f"{visit.url}/?account=acme")
        await visit.sign_in(KEY)

        timing = page.locator(".plan-item .timing").filter(has_text="JST").first
        await expect(timing).to_have_attribute("title", re.compile(r"\d\d:\d\d UTC"))
        await expect(page.locator("#account-body")).not_to_contain_text(re.compile(r"\d\d:\d\d UTC"))
        slot = page.locator(".slot time").first
        at = datetime.fromisoformat(await slot.get_attribute("datetime") or "")
        await expect(slot).to_have_text(f"{at + timedelta(hours=9):%H:%M}")
        await expect(slot).to_have_attribute("title", f"{at:%Y-%m-%d %H:%M} UTC")
        assert visit.complaints == []


async def test_a_known_person_reads_their_own_time_without_a_script(team: Stack) -> None:
    cookies = {**await session_cookies(team), "drumbeat_person": "csm-ana"}
    async with httpx.AsyncClient(cookies=cookies, headers={"X-Zone": "Asia/Tokyo"}) as visitor:
        page = (await visitor.get(f"{team.processes['console'].url}/?account=acme")).text
        assert '<html lang="en-GB" data-zone="Africa/Lagos">' in page
        assert re.search(r"\d\d:\d\d WAT", page)
        assert "JST" not in page
        visitor.cookies.set("drumbeat_person", "nobody")
        page = (await visitor.get(f"{team.processes['console'].url}/?account=acme")).text
        assert re.search(r"\d\d:\d\d JST", page)


async def test_every_page_says_which_zone_its_times_are_in_also_to_a_stranger_without_a_script(
    browser: Browser, team: Stack
) -> None:
    url = team.processes["console"].url
    cookies = await session_cookies(team)
    async with httpx.AsyncClient(cookies=cookies) as visitor:
        for path in PAGES:
            assert "Times are in <span data-zone-name>UTC</span>" in (await visitor.get(url + path)).text, (
                path
            )
        visitor.cookies.set("drumbeat_person", "csm-kim")  # whose zone nobody described
        day = (await visitor.get(f"{url}/my-day")).text
        assert "says why. Time zone: <span data-zone-name>UTC</span>" in day
        visitor.cookies.set("drumbeat_person", "csm-ana")
        day = (await visitor.get(f"{url}/my-day")).text
        assert "Times are in <span data-zone-name>Africa/Lagos</span>" in day
    async with visiting(browser, team, zone="America/New_York") as (visit, _):
        page = await be_kim(visit)
        await expect(page.get_by_role("contentinfo")).to_contain_text("Times are in America/New York.")
        await expect(page.locator(".hint").filter(has_text="Time zone").first).to_contain_text(
            "America/New York"
        )
        assert visit.complaints == []


async def test_no_page_allows_inline_scripts_or_evaluation(team: Stack) -> None:
    async with httpx.AsyncClient(cookies=await session_cookies(team)) as visitor:
        for path in (*PAGES, "/sign-in"):
            answer = await visitor.get(team.processes["console"].url + path)
            policy = answer.headers["content-security-policy"]
            assert "unsafe" not in policy
            assert "default-src 'none'" in policy
            assert "script-src 'self'" in policy
            assert "<script>" not in answer.text
            assert not re.search(r"\son[a-z]+=|\sstyle=", re.sub(r"&lt;.*?&gt;", "", answer.text))


async def test_a_form_of_another_site_changes_nothing(team: Stack) -> None:
    url = team.processes["console"].url
    found = await team.get("scheduler", "/v1/touchpoints", status="due", limit=1)
    item = found["items"][0]
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    async with httpx.AsyncClient(cookies=await session_cookies(team), headers=foreign) as visitor:
        form = {"act": "done", "version": str(item["sequence"])}
        answer = await visitor.post(f"{url}/touchpoints/{item['id']}", data=form)
    assert answer.status_code == 403
    assert (await team.get("scheduler", f"/v1/touchpoints/{item['id']}"))["status"] == "due"


async def test_my_day_works_and_says_so_while_the_rules_engine_is_away(browser: Browser, team: Stack) -> None:
    async with visiting(browser, team) as (visit, _):
        page = await be_kim(visit)
        item = page.locator(".item.due").first
        touchpoint_id = await item.get_attribute("id")
        team.kill("rules_engine")
        try:
            await item.get_by_role("button", name="Not reached").click()

            await expect(page.locator(f"#{touchpoint_id}")).to_have_count(0)
            alert = page.locator("#day").get_by_role("alert")
            await expect(alert).to_contain_text("may be missing or old: The rules engine does not answer")
            await expect(page.locator(".item").first).to_be_visible()
        finally:
            team.spawn("rules_engine", port=team.processes["rules_engine"].port)
            await team.ready("rules_engine")
        await expect(alert).to_be_hidden(timeout=30_000)
