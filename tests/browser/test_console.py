"""The console of a real stack in a real browser: signing in, the first page, signing out."""

from functools import partial

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.browser.visits import MARKUP, NARROW, session_cookies, visiting
from tests.stack import KEY, Stack, event, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
]


async def test_a_wrong_key_is_refused_with_a_plain_message_and_sets_no_cookie(
    browser: Browser, stack: Stack
) -> None:
    async with visiting(browser, stack) as (visit, context):
        await visit.page.goto(visit.url)
        await visit.sign_in("db_0123abcd_" + "x" * 43)

        await expect(visit.page.get_by_role("alert")).to_contain_text("This key is not valid.")
        assert await context.cookies() == []
        assert visit.complaints == []


async def test_a_valid_key_shows_what_is_due_and_one_account_with_its_reasons(
    browser: Browser, stack: Stack
) -> None:
    async with visiting(browser, stack) as (visit, _):
        page = visit.page
        await page.goto(visit.url)
        await visit.sign_in(KEY)

        card = page.locator("#due .card").filter(has_text="Check in").filter(has_text="Acme")
        await expect(card).to_contain_text("Health is red")
        await card.get_by_role("link").click()

        account = page.locator("#account")
        await expect(account.get_by_role("heading", name="Acme")).to_be_visible()
        await expect(account).to_contain_text("Health is red, so the CSM calls every week")
        await account.get_by_text("Rule and facts").first.click()
        await expect(account).to_contain_text("Rule “")
        await expect(account.locator(".fact", has_text="Health score").first).to_contain_text("/test · h")
        await expect(account).to_contain_text("Triggered by:")
        await expect(page.locator("#activity")).to_contain_text("came due")
        assert page.url == f"{visit.url}/?account=acme"
        assert visit.complaints == []


async def test_data_is_never_markup(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as (visit, _):
        await visit.page.goto(f"{visit.url}/?account=acme")
        await visit.sign_in(KEY)

        await expect(visit.page.locator("#account-name")).to_have_text(f"Acme {MARKUP}")
        assert await visit.page.locator("#account img").count() == 0
        assert await visit.page.title() == "Drumbeat"
        assert await visit.page.locator("html").get_attribute("lang") == "en-GB"


async def test_the_cookie_has_a_session_that_no_script_can_read_and_never_the_key(
    browser: Browser, stack: Stack
) -> None:
    async with visiting(browser, stack) as (visit, context):
        await visit.page.goto(f"{visit.url}/?account=acme")
        await visit.sign_in(KEY)
        await expect(visit.page.locator("#account-name")).to_be_visible()

        (cookie,) = await context.cookies()

        assert cookie.get("name") == "drumbeat_session"
        assert KEY not in str(cookie)
        assert cookie.get("httpOnly") is True
        assert cookie.get("sameSite") == "Strict"
        assert await visit.page.evaluate("document.cookie") == ""
        assert KEY not in await visit.page.content()


async def test_a_session_that_was_ended_elsewhere_leads_to_the_sign_in_page_with_the_reason(
    browser: Browser, stack: Stack
) -> None:
    async with visiting(browser, stack) as (visit, context):
        page = visit.page
        await page.goto(f"{visit.url}/messages")
        await visit.sign_in(KEY)
        await expect(page.get_by_role("heading", name="Messages")).to_be_visible()
        (cookie,) = await context.cookies()
        session_id = str(cookie.get("value")).split("_")[1]
        engine = stack.processes["rules_engine"].url
        assert (await stack.client.delete(f"{engine}/v1/sessions/{session_id}")).status_code == 200

        await expect(page.get_by_role("alert")).to_contain_text("Your session has ended")

        assert "/sign-in?next=%2Fmessages" in page.url
        assert await context.cookies() == []
        for service in ("rules_engine", "scheduler", "notifier"):

            async def is_refused(name: str = service) -> bool:
                headers = {"authorization": f"Bearer {cookie.get('value')}"}
                url = f"{stack.processes[name].url}/v1/clock"
                return (await stack.client.get(url, headers=headers)).status_code == 401

            await until(is_refused, 20, f"the session refused by {service}")
        assert visit.complaints == []


async def test_no_cookie_of_a_session_that_has_ended_is_worth_anything(stack: Stack) -> None:
    """Issue 11, "stale sessions": a copy after signing out, a revoked key, a cookie that another sign-in replaced."""
    console, engine = stack.processes["console"].url, stack.processes["rules_engine"].url
    made = await stack.post("rules_engine", "/v1/keys", {"name": "stale", "scopes": ["read", "act"]})
    await until(partial(is_known, stack, made["key"]), 20, "the key known to every service")
    left, replaced, revoked = [await session_cookies(stack, made["key"]) for _ in range(3)]
    async with httpx.AsyncClient(cookies=left) as visitor:
        await visitor.post(f"{console}/sign-out")
    async with httpx.AsyncClient(cookies=replaced) as visitor:
        entered = await visitor.post(f"{console}/sign-in", data={"key": made["key"]})
    assert entered.cookies["drumbeat_session"] not in (*left.values(), *replaced.values())
    (await stack.client.delete(f"{engine}/v1/keys/{made['key_id']}")).raise_for_status()
    for cookies in (left, replaced, revoked, dict(entered.cookies)):
        await until(partial(is_over, console, cookies), 20, f"{cookies} ended at the console")
        token = cookies["drumbeat_session"]
        await until(partial(is_unknown, stack, token), 20, f"{token} refused by every service")
        async with httpx.AsyncClient(cookies=cookies) as visitor:
            acted = await visitor.post(f"{console}/sessions/end", data={"session": "x"})
            again = await visitor.post(f"{console}/sign-in", data={"key": token})
        assert acted.headers["location"] == "/sign-in?next=%2F&ended=1"
        assert "not an API key" in again.text


async def statuses(stack: Stack, token: str) -> set[int]:
    """What every service answers to this token."""
    headers = {"authorization": f"Bearer {token}"}
    urls = [f"{stack.processes[name].url}/v1/clock" for name in ("rules_engine", "scheduler", "notifier")]
    return {(await stack.client.get(url, headers=headers)).status_code for url in urls}


async def is_known(stack: Stack, token: str) -> bool:
    return await statuses(stack, token) == {200}


async def is_unknown(stack: Stack, token: str) -> bool:
    return await statuses(stack, token) == {401}


async def is_over(console: str, cookies: dict[str, str]) -> bool:
    async with httpx.AsyncClient(cookies=cookies) as visitor:
        answer = await visitor.get(f"{console}/messages")
    return answer.headers.get("location") == "/sign-in?next=%2Fmessages&ended=1"


async def test_the_sessions_of_a_key_are_listed_and_ended_on_a_page(browser: Browser, stack: Stack) -> None:
    other = await session_cookies(stack)
    async with visiting(browser, stack, NARROW) as (visit, _):
        page = visit.page
        await page.goto(f"{visit.url}/sessions")
        await visit.sign_in(KEY)
        await expect(page.get_by_text("this one")).to_be_visible()
        assert await visit.fits()
        row = page.locator(f"[id='s-{other['drumbeat_session'].split('_')[1]}']")
        await row.get_by_role("button").click()
        await expect(page.get_by_role("status").get_by_text("The session has ended.")).to_be_visible()
        await expect(row).to_have_count(0)
        assert visit.complaints == []
    async with httpx.AsyncClient(cookies=other) as visitor:
        answer = await visitor.get(stack.processes["console"].url + "/")
    assert answer.headers["location"] == "/sign-in?next=%2F&ended=1"


async def test_the_audit_log_is_searched_on_a_page_and_read_by_the_command(
    browser: Browser, stack: Stack
) -> None:
    url = stack.processes["notifier"].url
    await stack.client.post(f"{url}/v1/subscriptions", json={"url": "https://hooks.example.com/x?token=abc"})

    async def is_recorded() -> bool:
        return bool((await stack.get("rules_engine", "/v1/audit", action="subscription"))["items"])

    await until(is_recorded, 20, "the entry of the notifier")
    async with visiting(browser, stack, NARROW) as (visit, _):
        page = visit.page
        await page.goto(f"{visit.url}/audit")
        await visit.sign_in(KEY)
        await expect(page.locator("tr").filter(has_text="policy published")).to_contain_text(
            "Drumbeat itself"
        )
        await page.get_by_label("What", exact=True).fill("subscription")
        await page.get_by_role("button", name="Search").click()
        await expect(page.locator("tbody tr")).to_have_count(1)
        await expect(page.locator("tbody tr")).to_contain_text("https://hooks.example.com/x")
        await expect(page.locator("tbody tr")).not_to_contain_text("token=abc")
        assert await visit.fits()
        assert visit.complaints == []


async def test_an_address_of_no_page_shows_our_own_page_with_a_way_on(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack, NARROW) as (visit, _):
        await visit.page.goto(f"{visit.url}/nowhere")
        await expect(visit.page.get_by_role("heading", name="This page does not exist")).to_be_visible()
        assert await visit.fits()
        await visit.page.get_by_role("link", name="My day").click()
        await expect(visit.page.get_by_label("API key")).to_be_visible()


async def test_signing_out_deletes_the_cookie_and_leaves_every_open_page(
    browser: Browser, stack: Stack
) -> None:
    async with visiting(browser, stack) as (visit, context):
        await visit.page.goto(visit.url)
        await visit.sign_in(KEY)
        other = await context.new_page()
        await other.goto(visit.url)
        await expect(other.locator("#due .card").first).to_be_visible()

        await visit.page.get_by_role("button", name="Sign out").click()

        await expect(visit.page.get_by_label("API key")).to_be_visible()
        await expect(other.get_by_label("API key")).to_be_visible()
        assert await context.cookies() == []


async def test_a_narrow_screen_needs_no_sideways_scrolling(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack, NARROW) as (visit, _):
        page = visit.page
        await page.goto(visit.url)
        assert await visit.fits()
        await visit.sign_in(KEY)
        await expect(page.locator("#due .card").first).to_be_visible()
        assert await visit.fits()

        await page.locator("#due .card").get_by_role("link").first.click()
        await expect(page.locator("#account-name")).to_be_in_viewport()
        await page.get_by_text("Rule and facts").first.click()

        assert await visit.fits()
        assert visit.complaints == []


async def test_updates_arrive_without_moving_what_is_being_read(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as (visit, _):
        page = visit.page
        await page.goto(f"{visit.url}/?account=acme")
        await visit.sign_in(KEY)
        details = page.locator("#account details").first
        await details.locator("summary").click()
        await page.evaluate("document.getElementById('account').scrollTop = 300")

        described = {"name": "Newcomer Ltd", "arr": 250_000, "csm_id": "csm-kim"}
        await stack.tell(event("account.described", "new", described, id="new", time=await stack.now()))

        await expect(page.locator("#due .card").filter(has_text="Newcomer Ltd").first).to_be_visible(
            timeout=30_000
        )
        assert await details.get_attribute("open") is not None
        assert await page.evaluate("document.getElementById('account').scrollTop") == 300
        assert await page.evaluate("document.activeElement.tagName") == "SUMMARY"
        assert visit.complaints == []


async def test_a_search_finds_an_account_or_says_that_there_is_none(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as (visit, _):
        page = visit.page
        await page.goto(visit.url)
        await visit.sign_in(KEY)

        await page.get_by_label("Find an account").fill("qui")
        await expect(page.locator(".account-row")).to_have_count(1)
        await page.get_by_label("Find an account").fill("nobody")

        await expect(page.locator("#account")).to_contain_text("No account has “nobody” in its name or id.")


async def test_a_service_that_is_down_is_named_and_the_rest_works(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as (visit, _):
        page = visit.page
        await page.goto(visit.url)
        await visit.sign_in(KEY)
        await expect(page.locator("#due .card").first).to_be_visible()

        stack.kill("scheduler")
        try:
            await expect(page.locator("#due").get_by_role("alert")).to_contain_text(
                "The scheduler does not answer"
            )
            await expect(page.locator("#due .card").first).to_be_visible()
            await expect(page.locator(".account-row").first).to_be_visible()
        finally:
            stack.spawn("scheduler", port=stack.processes["scheduler"].port)
            await stack.ready("scheduler")
        await expect(page.locator("#due").get_by_role("alert")).to_be_hidden(timeout=15_000)
        assert visit.complaints == []


async def test_the_console_answers_like_any_service(stack: Stack) -> None:
    url = stack.processes["console"].url
    async with httpx.AsyncClient() as anonymous:
        for path in ("/livez", "/readyz", "/metrics", "/openapi.json"):
            assert (await anonymous.get(url + path)).status_code == 200
        refused = await anonymous.get(url + "/v1/clock")
        assert (refused.status_code, refused.headers["content-type"]) == (401, "application/problem+json")
    clock = (await stack.client.get(url + "/v1/clock")).json()
    assert clock.keys() == {"now", "start", "rate", "origin", "tzdata", "holidays"}


async def test_any_key_that_may_read_reads_the_clock_of_the_console(stack: Stack) -> None:
    url = stack.processes["console"].url

    async def answers(scope: str, status: int) -> None:
        made = await stack.post("rules_engine", "/v1/keys", {"name": scope, "scopes": [scope]})
        async with httpx.AsyncClient(headers={"Authorization": f"Bearer {made['key']}"}) as holder:

            async def answered() -> bool:
                return (await holder.get(url + "/v1/clock")).status_code == status

            await until(answered, 20, f"{status} for a key with the scope {scope}")

    await answers("read", 200)
    await answers("events", 403)


async def test_a_form_of_another_site_neither_signs_in_nor_out(stack: Stack) -> None:
    url = stack.processes["console"].url
    foreign = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    async with httpx.AsyncClient(
        headers=foreign, cookies={"drumbeat_session": "db_0123abcd~00_x"}
    ) as visitor:
        entered = await visitor.post(url + "/sign-in", data={"key": KEY})
        left = await visitor.post(url + "/sign-out")
    assert "set-cookie" not in entered.headers
    assert "set-cookie" not in left.headers
