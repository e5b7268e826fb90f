"""Why, and why not, in a real browser: with a mouse, a keyboard and a touch screen."""

import asyncio

import pytest
from playwright.async_api import Browser, Locator, Page, Route, expect

from tests.browser.visits import NARROW, Visit, visiting
from tests.stack import KEY, Stack

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

# Newer versions of the page: a row comes before that with the focus, and goes behind it.
MOVE = """async () => {
  const { morph } = await import("/static/morph.js");
  const row = document.activeElement.closest(".plan-item"), list = row.parentElement;
  const newer = (change) => {
    const next = list.cloneNode(true);
    next.querySelectorAll(".why-card").forEach((card) => card.remove());
    change(next);
    morph(list, next);
  };
  newer((next) => {
    const other = next.firstElementChild.cloneNode(true);
    other.id = "plan-other";
    next.prepend(other);
  });
  newer((next) => next.append(next.firstElementChild));
  return list.lastElementChild.id;
}"""
RED = "Health is red, so the CSM calls every week"


async def account(visit: Visit) -> Page:
    """The page with acme, whose health is red."""
    await open_account(visit)
    await visit.page.wait_for_load_state()  # a click before the scripts run leads to a page of its own
    return visit.page


async def open_account(visit: Visit) -> None:
    """The same; its scripts may not have run yet."""
    await visit.page.goto(f"{visit.url}/?account=acme")
    await visit.sign_in(KEY)
    await expect(visit.page.locator(".not-planned-row").first).to_be_visible()


def check_in(page: Page) -> tuple[Locator, Locator]:
    """The title of the rhythm of check-ins, and the card that explains it."""
    row = page.locator(".plan-items").first.locator(".plan-item").filter(has_text="Check in")
    return row.get_by_role("button", name="Check in"), row.locator(".why-card")


async def test_a_mouse_on_a_rhythm_shows_why_until_it_leaves(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as (visit, _):
        page = await account(visit)
        title, card = check_in(page)
        await title.hover()

        await expect(card).to_contain_text(RED)
        clause = card.locator(".clause").filter(has_text='color == "red"')
        await expect(clause).to_contain_text("holds")
        await expect(clause).to_contain_text("Color: red")
        await expect(clause).to_contain_text("Health scored")
        await expect(clause).to_contain_text("/test · h")
        await page.mouse.move(2, 2)
        await expect(card).to_be_hidden()
        assert visit.complaints == []


async def go_by_keys(page: Page, title: Locator) -> None:
    """Leave the title and come back to it. What comes before it may change between the two keys."""
    for _ in range(5):
        await title.focus()
        await page.keyboard.press("Shift+Tab")
        await page.keyboard.press("Tab")
        if await title.evaluate("button => button === document.activeElement"):
            return
    raise AssertionError("the keys do not lead to the title")


async def test_the_keyboard_alone_opens_keeps_and_closes_an_explanation(
    browser: Browser, stack: Stack
) -> None:
    async with visiting(browser, stack) as (visit, _):
        page = await account(visit)
        title, card = check_in(page)
        await go_by_keys(page, title)
        await expect(card).to_contain_text(RED)
        await expect(title).to_have_attribute("aria-expanded", "true")
        await page.keyboard.press("Escape")
        await expect(card).to_be_hidden()

        await page.keyboard.press("Enter")
        await expect(card).to_contain_text(RED)
        await page.keyboard.press("Tab")
        await expect(card).to_be_visible()
        assert visit.complaints == []


async def test_a_title_that_has_the_focus_before_the_scripts_run_shows_why_when_they_do(
    browser: Browser, stack: Stack
) -> None:
    async with visiting(browser, stack) as (visit, context):
        release = asyncio.Event()

        async def wait(route: Route) -> None:
            await release.wait()
            await route.continue_()

        await context.route("**/static/why.js", wait)
        await open_account(visit)
        title, card = check_in(visit.page)
        await go_by_keys(visit.page, title)
        await expect(card).to_be_hidden()
        release.set()

        await expect(card).to_contain_text(RED)
        await expect(title).to_be_focused()
        assert visit.complaints == []


async def test_a_card_of_the_title_with_the_focus_stays_when_the_mouse_leaves_and_the_page_moves(
    browser: Browser, stack: Stack
) -> None:
    """Whatever a page does while it fills: the mouse is somewhere, and rows come before the one with the focus."""
    async with visiting(browser, stack) as (visit, _):
        page = await account(visit)
        title, card = check_in(page)
        await go_by_keys(page, title)
        await expect(card).to_contain_text(RED)
        await title.hover()
        await page.mouse.move(2, 2)
        await expect(card).to_be_visible()

        assert await page.evaluate(MOVE) == "plan-other"
        await expect(title).to_be_focused()
        await expect(card).to_contain_text(RED)
        await page.keyboard.press("Escape")
        await expect(card).to_be_hidden()
        assert visit.complaints == []


async def test_a_card_that_could_not_be_read_is_read_again(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as (visit, context):
        page = await account(visit)
        title, card = check_in(page)
        # No update of the page has the card read again.
        await context.route("**/?account=*", lambda route: route.abort())
        await context.route("**/why?*", lambda route: route.abort(), times=1)
        await title.click()

        await expect(card).to_contain_text(RED)


async def test_an_advocacy_ask_that_is_not_planned_shows_its_one_cause_and_the_smallest_change(
    browser: Browser, stack: Stack
) -> None:
    async with visiting(browser, stack, NARROW) as (visit, _):
        page = await account(visit)
        row = page.locator(".not-planned-row").filter(has_text="Advocacy ask")
        await row.get_by_role("button", name="Advocacy ask").click()

        card = row.locator(".why-card")
        await expect(card).to_contain_text("not planned")
        stopped = card.locator(".fact").filter(has_text="Stopped by")
        await expect(stopped).to_have_count(1)
        await expect(stopped.locator("dd")).to_contain_text("milestone.reached")
        assert "`" not in await card.inner_text()
        change = card.locator(".fact").filter(has_text="Smallest change")
        await expect(change.locator("dd")).to_contain_text("milestone.reached")
        await card.get_by_text("Other rules").click()
        await expect(card).to_contain_text("advocacy-by-nps")
        assert await visit.fits()
        assert visit.complaints == []


async def test_an_explanation_stays_open_while_the_page_updates(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as (visit, _):
        page = await account(visit)
        title, card = check_in(page)
        await title.click()
        await page.mouse.move(2, 2)
        await expect(card).to_contain_text(RED)
        ticked = await page.locator(".masthead time").inner_text()
        await expect(page.locator(".masthead time")).not_to_have_text(ticked)

        await expect(card).to_contain_text(RED)
        await title.click()
        await expect(card).to_be_hidden()
