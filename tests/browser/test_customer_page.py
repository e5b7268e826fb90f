"""A customer's own page in a real browser: five languages, light and dark, a small telephone, keys, and no script."""

import re
from collections.abc import AsyncGenerator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.visits import axe
from tests.links import page_url, unsubscribe_url
from tests.stack import Stack, event, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(180),
]

LANGUAGES = ("en", "de", "pt", "es", "id")
LONG = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
PHONE, WIDE = 320, 1280
SIDEWAYS = "document.documentElement.scrollWidth - window.innerWidth"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def customers(stack: Stack) -> AsyncGenerator[Stack]:
    """The stack with a champion for every language, one of them with a long name; opens and clicks are measured."""
    stack.environment |= {"DRUMBEAT_TRACKING__CLICKS": "true", "DRUMBEAT_TRACKING__OPENS": "true"}
    stack.kill("notifier")
    await stack.run("notifier")
    now = await stack.now()
    people = [
        {
            "contact_id": f"reader-{tag}",
            "name": f"Kit {tag}",
            "role": "champion",
            "language": tag,
            "email": f"{tag}@x.example",
        }
        for tag in LANGUAGES
    ]
    people[1]["name"] = LONG
    await stack.tell(
        *(event("contact.described", "quiet", one, id=one["contact_id"], time=now) for one in people),
        event("health.scored", "quiet", {"score": 90}, id="green", time=now),
    )
    for tag in LANGUAGES:
        url = await page_url(stack, f"reader-{tag}")

        async def is_shown(url: str = url) -> bool:
            return "<details" in (await stack.client.get(url)).text

        await until(is_shown, 60, f"reader-{tag} has a page with a schedule")
    yield stack


async def opened(browser: Browser, url: str, width: int, *, script: bool = True, locale: str = "en") -> Page:
    context = await browser.new_context(
        viewport={"width": width, "height": 800},
        java_script_enabled=script,
        timezone_id="Asia/Tokyo",
        locale=locale,
    )
    page = await context.new_page()
    await page.goto(url)
    return page


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_page_is_accessible_and_fits_a_small_telephone(
    browser: Browser, customers: Stack, language: str
) -> None:
    """S180: axe has no findings, before any act in each language, and after every kind of act in one."""
    page = await opened(browser, await page_url(customers, f"reader-{language}"), PHONE)
    await expect(page.locator("html")).to_have_attribute("lang", language)
    for act in ("", "save", "feed", "measuring", "none", "undo"):
        if act == "save":
            await page.locator('select[name="frequency.account"]').select_option("quarterly")
        if act:
            await page.locator(f'button[name="act"][value="{act}"]').click()
        if act == "feed":
            address = page.locator("#feed-address")
            await expect(address).to_have_value(re.compile(r"^https://.*/v1/calendars/.*\.ics$"))
        await page.locator("details").last.evaluate("one => { one.open = true }")
        assert await page.evaluate(SIDEWAYS) <= 0, act
        if not act or language == LANGUAGES[0]:
            assert await axe(page) == [], act
    await page.context.close()


@pytest.mark.parametrize("language", LANGUAGES)
async def test_the_ways_out_are_accessible_on_a_small_telephone(
    browser: Browser, customers: Stack, language: str
) -> None:
    """S183: the page of an unsubscribe link, what it says afterwards, and a link that does not work any more."""
    reader, notifier = f"reader-{language}", customers.processes["notifier"].url
    topic = await unsubscribe_url(customers, reader, ["education"])
    everything = await unsubscribe_url(customers, reader, [])
    for url, buttons in ((topic, (1, 0)), (everything, (0, 0)), (f"{notifier}/p/worn-out", ())):
        page = await opened(browser, url, PHONE, locale=language)
        for button in (None, *buttons):
            if button is not None:
                async with page.expect_navigation():
                    await page.get_by_role("button").nth(button).click()
            await expect(page.locator("html")).to_have_attribute("lang", language)
            assert await page.evaluate(SIDEWAYS) <= 0, (url, button)
            if button is None or language == LANGUAGES[0]:
                assert await axe(page) == [], (url, button)
        await page.context.close()
    page = await opened(browser, f"{notifier}/v1/unsubscribe", PHONE, locale=language)
    await page.get_by_role("textbox").fill(f"nobody-{language}@x.example")
    await page.get_by_role("button").click()
    await expect(page.get_by_role("status")).to_be_visible()
    assert await axe(page) == []
    await page.context.close()


async def test_the_page_is_accessible_wide_and_dark(browser: Browser, customers: Stack) -> None:
    """A refusal and a saved choice, too: they have colours of their own."""
    page = await opened(browser, await page_url(customers, "reader-de"), WIDE)
    await page.emulate_media(color_scheme="dark")
    for act in ("", "save", "feed", "refused"):
        if act == "refused":
            await page.locator('input[value="events"]').evaluate("one => { one.value = 'gossip' }")
        if act:
            name = "save" if act == "refused" else act
            await page.locator(f'button[name="act"][value="{name}"]').click()
        await expect(page.locator(".problem")).to_have_count(int(act == "refused"))
        assert await axe(page) == [], act
    await page.context.close()


async def test_it_works_without_a_script_by_names_that_a_screen_reader_speaks(
    browser: Browser, customers: Stack
) -> None:
    """S181, S183: every control by its role and name."""
    page = await opened(browser, await page_url(customers, "reader-en"), WIDE, script=False)
    await page.get_by_role("checkbox", name="Offers").uncheck()
    await page.get_by_role("combobox", name="How often Account updates").select_option("Every 3 months")
    await page.get_by_role("combobox", name="Channel Tips and guides").select_option("In the app")
    await page.get_by_role("button", name="Save", exact=True).click()

    status = page.get_by_role("status")
    await expect(status).to_contain_text("Saved. You get: account updates, tips and guides")
    await expect(page.get_by_role("checkbox", name="Offers")).not_to_be_checked()
    await expect(page.get_by_role("combobox", name="How often Account updates")).to_have_value("quarterly")
    await expect(page.get_by_role("columnheader", name="How often")).to_be_attached()
    await expect(page.get_by_role("rowheader", name="Surveys")).to_be_visible()

    await page.get_by_role("button", name="Take this change back").click()
    await expect(status).to_contain_text("Taken back.")
    await expect(page.get_by_role("checkbox", name="Offers")).to_be_checked()
    await expect(page.get_by_role("combobox", name="Channel Tips and guides")).to_have_value("suggested")
    await expect(page.get_by_role("button", name="Take this change back")).to_have_count(0)

    await page.get_by_role("group", name="How do you find").get_by_role("button", name="About right").click()
    await expect(status).to_contain_text("Thank you.")
    await expect(page.get_by_role("heading", name="Your next twelve months")).to_be_visible()
    await page.context.close()


async def test_the_keyboard_alone_reaches_and_does_everything(browser: Browser, customers: Stack) -> None:
    page = await opened(browser, await page_url(customers, "reader-en"), PHONE)
    reached: list[str] = []
    for _ in range(60):
        await page.keyboard.press("Tab")
        name = await page.evaluate(
            "(() => { const one = document.activeElement; return one === document.body ? '' :"
            " one.name ? `${one.name}=${one.type === 'select-one' ? '' : one.value}` : one.tagName })()"
        )
        if not name:
            break
        reached.append(str(name))
    assert reached[:3] == ["topic=account", "channel.account=", "frequency.account="]
    for control in ("act=save", "act=none", "answer=too_much", "answer=too_little", "act=feed", "SUMMARY"):
        assert control in reached, reached
    summaries = page.locator("summary")
    await summaries.last.focus()
    await page.keyboard.press("Enter")
    assert await page.locator("details").last.get_attribute("open") is not None
    await page.locator('input[value="promotion"]').focus()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_contain_text("Saved.")
    await page.context.close()
