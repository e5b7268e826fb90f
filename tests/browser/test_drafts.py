"""Drafts in a real browser: what a CSM reads, edits, sends and does not send, by keyboard, and accessibility."""

import re
import shutil
import tempfile
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Page, expect

from tests.browser.visits import NARROW, Visit, axe, visiting
from tests.edited_policy import edited_policy
from tests.stack import KEY, Stack, event, until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.long,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(480),
]

MORNING = datetime(2026, 3, 2, 7, tzinfo=UTC)
ACCOUNTS = {"acme": "Acme <b>Ltd</b>", "bolt": "Bolt"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(executable: str) -> AsyncGenerator[Stack]:
    """Two small accounts whose welcome waits for Kim."""
    assert executable
    folder = Path(tempfile.mkdtemp(prefix="drumbeat-drafts-"))
    folder.chmod(0o755)
    settings = {"DRUMBEAT_POLICY": str(edited_policy(folder, {"welcome": ["approve: true"]}))}
    async with Stack(folder, rate=0, start=MORNING, settings=settings) as running:
        for names in (("rules_engine", "scheduler"), ("notifier",), ("console",)):
            await running.run(*names)
            for name, process in running.processes.items():
                running.environment[f"DRUMBEAT_{name.upper()}__PORT"] = str(process.port)
        await _describe(running)
        await running.advance(timedelta(hours=4))
        await until(lambda: _wait(running), 90, "both welcomes wait")
        yield running
    shutil.rmtree(folder, ignore_errors=True)


async def _describe(stack: Stack) -> None:
    now = await stack.now()
    start = now.date()
    events = [event("csm.described", "kim", {"name": "Kim", "email": "kim@x.example"}, id="c", time=now)]
    for account, name in ACCOUNTS.items():
        described = {"name": name, "arr": 2_000, "timezone": "UTC", "csm_id": "kim"}
        contact = {"contact_id": f"{account}-ann", "name": "Ann Lee", "email": f"ann@{account}.example"}
        contract = {"contract_id": account, "status": "active", "starts_on": str(start)}
        contract["renews_on"] = str(start + timedelta(days=365))
        events += [
            event("account.described", account, described, id=f"{account}-a", time=now),
            event("contact.described", account, contact, id=f"{account}-n", time=now),
            event("contract.changed", account, contract, id=f"{account}-k", time=now),
        ]
    await stack.tell(*events)


async def _pending(stack: Stack) -> dict[str, Any]:
    return await stack.get("notifier", "/v1/drafts", state="pending")


async def _wait(stack: Stack) -> bool:
    return (await _pending(stack))["pending"] == len(ACCOUNTS)


async def sign_in(visit: Visit, path: str) -> Page:
    await visit.page.goto(f"{visit.url}{path}")
    await visit.sign_in(KEY)
    return visit.page


async def check_page(page: Page, visit: Visit) -> None:
    assert await axe(page) == []
    assert await visit.fits()


@pytest.mark.parametrize("width", [1280, NARROW])
async def test_the_pages_are_accessible_and_fit(browser: Browser, stack: Stack, width: int) -> None:
    async with visiting(browser, stack, width) as (visit, _):
        page = await sign_in(visit, "/drafts")
        await expect(page.get_by_role("link", name="Drafts (2)")).to_be_visible()
        await expect(page.locator("tbody tr")).to_have_count(2)
        await check_page(page, visit)
        await page.locator("tbody tr").filter(has_text="Bolt").get_by_role("link").first.click()
        await expect(page.get_by_role("heading", name="Welcome to Bolt")).to_be_visible()
        await expect(page.frame_locator("iframe.mail").locator("body")).to_contain_text("Ann")
        await check_page(page, visit)
        assert visit.complaints == []


async def test_a_draft_is_edited_and_sent_with_the_keyboard_alone(browser: Browser, stack: Stack) -> None:
    async with visiting(browser, stack) as (visit, _):
        page = await sign_in(visit, "/drafts")
        await expect(page.locator("tbody tr").first).to_be_visible()
        await page.wait_for_load_state()  # keys work once the script runs
        await page.locator("tbody tr").filter(has_text="Acme").focus()
        await page.keyboard.press("o")
        await expect(page.get_by_role("heading", name="Acme <b>Ltd</b>")).to_be_visible()
        await page.get_by_label("Subject").fill("Hello from Kim")
        await page.get_by_label("Body").fill("Dear {{ contact.frist_name }},\n\nwelcome.")
        await page.get_by_role("button", name="Save and preview").press("Enter")
        await expect(
            page.get_by_role("alert").filter(has_text="body:1:6: unknown placeholder")
        ).to_be_visible()
        await expect(page.get_by_label("Subject")).to_have_value("Hello from Kim")

        await page.get_by_label("Body").fill(
            "Dear {{ contact.first_name | otherwise: customer }},\n\nwelcome."
        )
        await page.get_by_role("button", name="Save and preview").press("Enter")
        await expect(page.frame_locator("iframe.mail").locator("body")).to_contain_text("Dear Ann,")
        await page.get_by_role("heading", level=1).click()
        await page.keyboard.press("a")
        await expect(page.get_by_role("status").filter(has_text="Approved")).to_be_visible()
        await expect(page.get_by_role("link", name="Drafts (1)")).to_be_visible()
        assert [item for item in visit.complaints if "422" not in item] == []
    sent = b"Subject: Hello from Kim"
    await until(lambda: any(sent in mail for mail in _mailed(stack, "ann@acme.example")), 60, "it is sent")


def _mailed(stack: Stack, address: str) -> list[bytes]:
    return [content for recipients, content in stack.mail.messages if recipients == [address]]


async def test_the_link_of_the_mail_says_do_not_send_it_and_works_without_a_script(
    browser: Browser, stack: Stack
) -> None:
    await until(lambda: len(_mailed(stack, "kim@x.example")) >= len(ACCOUNTS), 60, "Kim was asked")
    mails = [
        content.replace(b"=\r\n", b"").replace(b"=3D", b"=") for content in _mailed(stack, "kim@x.example")
    ]
    bolt = next(mail for mail in mails if re.search(rb"Subject: Please approve: Welcome, Bolt", mail))
    token = re.search(rb"https://drumbeat\.example/a/([^?\s\"]+)\?do=reject", bolt)
    assert token is not None
    link = f"{stack.processes['notifier'].url}/a/{token[1].decode()}?do=reject"
    context = await browser.new_context(java_script_enabled=True, viewport={"width": NARROW, "height": 800})
    page = await context.new_page()
    await page.goto(link)
    await expect(page.get_by_role("heading", name="Welcome: Bolt")).to_be_visible()
    assert await axe(page) == []
    await page.get_by_label("Why not").fill("we spoke yesterday")
    await page.get_by_role("button", name="Do not send it").click()
    await expect(page.get_by_role("status")).to_contain_text("Not approved. Nothing is sent.")
    await context.close()
    (rejected,) = (await stack.get("notifier", "/v1/drafts", state="rejected"))["items"]
    assert rejected["reason"] == "Kim: we spoke yesterday"
