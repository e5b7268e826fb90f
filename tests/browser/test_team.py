"""Team, handing a book over, and an account's year at a glance, in a real browser."""

from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, expect

from tests.browser.visits import NARROW, visiting
from tests.stack import KEY, Stack, event, until

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def team(stack: Stack) -> AsyncGenerator[Stack]:
    """The stack with a colleague, and Kim with little time and a day off."""
    now = await stack.now()
    kim = {"name": "Kim", "email": "kim@x.example", "weekly_minutes": 10}
    off = [{"from": "2026-03-09", "to": "2026-03-13"}]
    await stack.tell(
        event("csm.described", "csm-kim", {**kim, "time_off": off}, id="kim-2", time=now),
        event("csm.described", "csm-ana", {"name": "Ana", "email": "ana@x.example"}, id="ana", time=now),
    )
    await until(lambda: _has_conflict(stack), 60, "Kim's weeks do not hold their touchpoints")
    yield stack


async def _has_conflict(stack: Stack) -> bool:
    found = await stack.get("scheduler", "/v1/capacity")
    people = {week["csm_id"] for week in found["weeks"]}
    return {"csm-kim", "csm-ana"} <= people and bool(found["conflicts"])


async def test_the_team_page_shows_weeks_conflicts_and_time_off(browser: Browser, team: Stack) -> None:
    """S149, S151: colour, number and words, also 320 pixels wide and in the dark."""
    for width in (1280, NARROW):
        async with visiting(browser, team, width) as (visit, _):
            await visit.page.goto(f"{visit.url}/team")
            await visit.sign_in(KEY)
            page = visit.page
            row = page.get_by_role("region", name="Kim")
            await expect(row.locator(".heat-cell")).to_have_count(13)
            await expect(row.locator(".heat-cell").filter(has_text="W11")).to_contain_text("5 off")
            await expect(page.locator(".conflicts")).to_contain_text("minutes are missing")
            revenue = page.get_by_role("region", name="Accounts and revenue").get_by_role("row")
            await expect(revenue.filter(has_text="Kim")).to_contain_text("500,000")
            await expect(revenue.filter(has_text="Everybody")).to_contain_text("500,000")
            assert await visit.fits()
            assert visit.complaints == []


async def test_the_year_at_a_glance_has_twelve_months_with_every_touchpoint(
    browser: Browser, team: Stack
) -> None:
    """S157, S159: without a script, from the account's page."""
    async with visiting(browser, team, NARROW) as (visit, _):
        await visit.page.goto(f"{visit.url}/?account=acme")
        await visit.sign_in(KEY)
        await visit.page.get_by_role("link", name="The year at a glance").click()
        page = visit.page
        await expect(page.locator(".month")).to_have_count(12)
        planned = await team.get("scheduler", "/v1/touchpoints", account_id="acme", status="planned")
        for item in planned["items"][:3]:
            await expect(page.locator(f"#y-{item['id']}")).to_be_visible()
        assert await visit.fits()
        assert visit.complaints == []


async def test_the_year_marks_holidays_time_off_and_seasons_with_their_names(
    browser: Browser, team: Stack
) -> None:
    """Seen as a symbol on its day, and read in words: colour says nothing alone."""
    now = await team.now()
    kim = {"name": "Kim", "email": "kim@x.example", "weekly_minutes": 10, "country": "DE"}
    off = [{"from": "2026-03-09", "to": "2026-03-13"}]
    place = {"country": "US", "timezone": "America/New_York", "industry": "retail"}
    await team.tell(
        event("csm.described", "csm-kim", {**kim, "time_off": off}, id="kim-3", time=now),
        event("account.described", "acme", place, id="a-place", time=now),
    )
    await until(lambda: _is_placed(team), 60, "the calendar knows where both are")
    for width in (1280, NARROW):
        async with visiting(browser, team, width) as (visit, _):
            await visit.page.goto(f"{visit.url}/year?account=acme")
            await visit.sign_in(KEY)
            march, july, november = (
                visit.page.get_by_role("region", name=name) for name in ("March", "July", "November")
            )
            await expect(march.locator(".marks")).to_contain_text("9 to 13 Mar: Kim is away")
            await expect(march.locator(".time-off").first).to_have_attribute("title", "Kim is away")
            await expect(july.locator(".marks")).to_contain_text("4 Jul: Independence Day")
            await expect(july.locator(".marks")).to_contain_text("public holiday of the customer")
            await expect(november.locator(".marks")).to_contain_text(
                "15 Nov to 31 Dec: Retail fourth quarter"
            )
            await expect(visit.page.get_by_role("list", name="Marks")).to_contain_text(
                "public holiday of Kim"
            )
            assert await visit.fits()
            assert visit.complaints == []


async def _is_placed(stack: Stack) -> bool:
    query = {"account_id": "acme", "from": "2026-03-01", "to": "2027-02-28"}
    found = await stack.get("scheduler", "/v1/closed-days", **query)
    account = await stack.get("rules_engine", "/v1/accounts/acme")
    seasons = [period["name"] for period in account["plan"]["avoid"]]
    return bool(found["customer_holidays"] and found["csm_holidays"]) and "retail-fourth-quarter" in seasons


async def test_a_book_is_handed_over_after_a_preview(browser: Browser, team: Stack) -> None:
    """U8."""
    async with visiting(browser, team) as (visit, _):
        await visit.page.goto(f"{visit.url}/team")
        await visit.sign_in(KEY)
        page = visit.page
        await page.get_by_role("link", name="Hand over the book of Kim").click()
        await page.get_by_label("Who takes it").select_option(label="Ana")
        await page.get_by_role("button", name="Preview").click()
        await expect(page.get_by_role("row").filter(has_text="Quiet Co")).to_contain_text("Ana")
        before = await team.get("scheduler", "/v1/touchpoints", csm_id="csm-ana", status="planned")
        assert before["items"] == []

        await page.get_by_role("button", name="Hand over").click()

        await expect(page.get_by_role("status").filter(has_text="Handed over.")).to_be_visible()
        after = await team.get("scheduler", "/v1/touchpoints", csm_id="csm-kim", status="planned")
        assert after["items"] == []
        assert visit.complaints == []
